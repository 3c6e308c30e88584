// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct AddTests {
  @Test
  func `computes what PyTorch does`() throws {
    try OperationFixture.hold("add", count: 2)
  }

  @Test
  func `adds values of one shape and ties their units`() throws {
    try expectText("add")
    try expectShape("add", [[3, 2, 2], [3, 2, 2]], becomes: [3, 2, 2])
    try expectUnits("add", [[3, 2, 2], [3, 2, 2]], .sameUnits)
    try expectGradients("add", [[3], [3], [3]])
    expectRefusal(of: .add, behind: [[3], [4]], saying: "needs values of one shape")
  }
}
