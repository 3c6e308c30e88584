// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct GlobalAveragePoolTests {
  @Test
  func `computes what PyTorch does`() throws {
    try OperationFixture.hold("global-avgpool", count: 1)
  }

  @Test
  func `makes a vector of channels`() throws {
    try expectText("global-avgpool")
    try expectShape("global-avgpool", [[4, 3, 5]], becomes: [4])
    try expectShape("global-avgpool", [[4, 3]], becomes: [4])
    try expectUnits("global-avgpool", [[4, 3, 5]], .sameUnits)
    try expectGradients("global-avgpool", [[4, 3, 2]])
    expectRefusal(of: .globalAveragePool, behind: [[5]], saying: "needs channels and positions")
  }
}
