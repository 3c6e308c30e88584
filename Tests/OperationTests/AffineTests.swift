// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct AffineTests {
  @Test
  func `computes what PyTorch does`() throws {
    try OperationFixture.hold("affine", count: 2)
  }

  @Test
  func `scales and shifts channels`() throws {
    try expectText("affine")
    try expectShape("affine", [[4, 2, 2]], becomes: [4, 2, 2])
    try expectUnits("affine", [[4, 2, 2]], .sameUnits, axes: 2)
    try expectGradients("affine", [[4, 2, 2]])
    let lines = Affine().lines(parameters: [Tensor([2, 3]), Tensor([5, 7])])
    #expect(lines.map(\.factor) == [2, 3] && lines.map(\.summand) == [5, 7])
    expectRefusal(of: .affine, behind: [[]], saying: "needs channels")
  }
}
