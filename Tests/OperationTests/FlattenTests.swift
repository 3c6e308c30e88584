// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct FlattenTests {
  @Test
  func `computes what PyTorch does`() throws {
    try OperationFixture.hold("flatten", count: 2)
  }

  @Test
  func `joins axes from one on`() throws {
    try expectText("flatten")
    try expectText("flatten 1", writtenAs: "flatten")
    try expectText("flatten 2")
    try expectShape("flatten", [[2, 3, 4]], becomes: [24])
    try expectShape("flatten 2", [[2, 3, 4]], becomes: [2, 12])
    try expectShape("flatten 3", [[2, 3, 4]], becomes: [2, 3, 4])
    try expectUnits("flatten", [[2, 3, 4]], .spread(over: 12))
    try expectUnits("flatten 2", [[2, 3, 4]], .sameUnits)
    try expectGradients("flatten 2", [[2, 3, 2]])
    #expect(Layer.flatten == .flatten(from: 1))
  }

  @Test
  func `an axis that is not there is refused`() {
    for first in [4, 0, -1, .max, .min] {
      expectRefusal(
        of: .flatten(from: first), behind: [[2, 3, 4]], saying: "needs an axis \(first)")
    }
    expectRefusal(of: "flatten 0", saying: "the number of an axis")
    expectRefusal(of: "flatten x", saying: "the number of an axis")
  }
}
