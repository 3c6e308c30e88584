// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct SoftmaxTests {
  @Test
  func `computes what PyTorch does`() throws {
    try OperationFixture.hold("softmax", count: 1)
  }

  @Test
  func `is over the channels of each position`() throws {
    try expectText("softmax")
    try expectShape("softmax", [[3, 2, 2]], becomes: [3, 2, 2])
    try expectUnits("softmax", [[3, 2, 2]], .sameUnits, isCoupled: true)
    let input = try Tensor([0, 5, 0, 5], shape: [1, 2, 2])
    let kernel = Softmax().kernel(inputs: [[2, 2]], output: [2, 2], fusing: nil)
    let output = kernel.output(of: [input], parameters: [], workers: .serial)
    #expect(output.elements == [0.5, 0.5, 0.5, 0.5])
  }

  @Test(arguments: [[7], [3, 2, 2]] as [Shape])
  func `has the gradients of central differences`(shape: Shape) throws {
    try expectGradients("softmax", [shape])
  }

  @Test
  func `a single number has no channels`() {
    expectRefusal(of: .softmax, behind: [[]], saying: "needs channels")
  }
}
