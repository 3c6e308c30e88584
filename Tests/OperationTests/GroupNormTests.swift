// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct GroupNormTests {
  @Test
  func `computes what PyTorch does`() throws {
    try OperationFixture.hold("groupnorm", count: 2)
  }

  @Test
  func `is written as it is read, and couples the units of a group`() throws {
    try expectText("groupnorm 2")
    try expectText("groupnorm 2 epsilon 0.001")
    try expectShape("groupnorm 2", [[4, 2, 2]], becomes: [4, 2, 2])
    try expectUnits("groupnorm 2", [[4, 2, 2]], .sameUnits, parts: 2, isCoupled: true, axes: 2)
    try expectUnits("groupnorm 1", [[4, 2, 2]], .sameUnits, isCoupled: true, axes: 2)
    try expectUnits("groupnorm 4", [[4, 2, 2]], .sameUnits, axes: 2)
    try expectGradients("groupnorm 2", [[4, 2, 2]])
    try expectGradients("groupnorm 2 epsilon 0.1", [[6]])
  }

  @Test
  func `what does not fit is said`() {
    expectRefusal(
      of: .groupNorm(groups: 3), behind: [[4, 2, 2]],
      saying: "3 groups, which do not divide 4 channels")
    expectRefusal(of: .groupNorm(groups: 0), behind: [[4, 2, 2]], saying: "0 groups")
    expectRefusal(
      of: .groupNorm(groups: 2, epsilon: 0), behind: [[4, 2, 2]], saying: "an epsilon above 0")
    expectRefusal(of: .groupNorm(groups: 1), behind: [[]], saying: "needs channels")
    expectRefusal(of: "groupnorm", saying: "a number of groups")
    expectRefusal(of: "groupnorm 0", saying: "a number of groups")
  }
}
