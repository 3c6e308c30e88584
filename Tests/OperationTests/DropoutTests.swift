// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct DropoutTests {
  @Test
  func `is the identity in evaluation, as in PyTorch`() throws {
    try OperationFixture.hold("dropout", count: 1)
  }

  @Test
  func `is written as it is read`() throws {
    try expectText("dropout 0.25")
    try expectUnits("dropout 0.25", [[3, 2, 2]], .sameUnits)
    expectRefusal(of: "dropout 1", saying: "below 1")
  }
}
