// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct InstanceNormTests {
  @Test
  func `computes what PyTorch does`() throws {
    try OperationFixture.hold("instancenorm", count: 1)
  }

  @Test
  func `is written as it is read, and passes units`() throws {
    try expectText("instancenorm")
    try expectText("instancenorm epsilon 0.001")
    try expectShape("instancenorm", [[4, 2, 2]], becomes: [4, 2, 2])
    try expectUnits("instancenorm", [[4, 2, 2]], .sameUnits, axes: 2)
    try expectGradients("instancenorm", [[2, 2, 3]])
    #expect(Layer.instanceNorm == .instanceNorm(epsilon: 1e-5))
  }

  @Test(arguments: [[4], [4, 1, 1], []] as [Shape])
  func `a channel of one value has no variance`(shape: Shape) {
    expectRefusal(of: .instanceNorm, behind: [shape], saying: "channels of two values or more")
  }
}
