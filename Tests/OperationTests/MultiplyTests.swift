// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct MultiplyTests {
  @Test
  func `computes what PyTorch does`() throws {
    try OperationFixture.hold("multiply", count: 2)
  }

  @Test(arguments: [[3, 2, 4], [3, 1, 1], [3]] as [Shape])
  func `multiplies by values, or by a number for each channel, on either side`(factor: Shape) throws
  {
    let block: Shape = [3, 2, 4]
    try expectText("multiply")
    for inputs in [[block, factor], [factor, block]] {
      try expectShape("multiply", inputs, becomes: block)
      try expectUnits("multiply", inputs, .sameUnits)
      try expectGradients("multiply", inputs)
    }
  }

  @Test
  func `both sides give the same product`() throws {
    var random = RandomStream(seed: 3)
    let (block, factor) = (random.normal([2, 3, 2, 4]), random.normal([2, 3]))
    let inputs: [Shape] = [[3, 2, 4], [3]]
    let first = Multiply().kernel(inputs: inputs, output: inputs[0], fusing: nil)
      .output(of: [block, factor], parameters: [], workers: .serial)
    let second = Multiply().kernel(inputs: inputs.reversed(), output: inputs[0], fusing: nil)
      .output(of: [factor, block], parameters: [], workers: .serial)
    #expect(first.isIdentical(to: second))
    #expect(first.elements[23 + 3] == block.elements[26] * factor.elements[3])
  }

  @Test(
    arguments: [
      ([3, 2, 2], [2]), ([3, 2, 2], [3, 2, 1]), ([3], [4]), ([3, 2], [3, 1, 1]), ([3, 1], []),
    ] as [(Shape, Shape)])
  func `other shapes are refused`(first: Shape, second: Shape) {
    expectRefusal(of: .multiply, behind: [first, second], saying: "needs values of one shape, or")
    expectRefusal(of: .multiply, behind: [second, first], saying: "needs values of one shape, or")
  }
}
