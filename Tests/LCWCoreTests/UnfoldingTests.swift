// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

/// Folded weights in the network that they were folded from.
struct UnfoldingTests {
  private func network(_ bias: Bool, named name: String = "first") throws -> Network {
    var sketch = NetworkSketch(inputShape: [3])
    sketch.append(.dense(outputs: 4, bias: bias), named: name)
    sketch.append(.batchNorm(epsilon: 1e-3), named: "norm")
    sketch.append(.relu)
    sketch.append(.dense(outputs: 2, bias: true), named: "last")
    return try sketch.network()
  }

  private func weights(_ network: Network) throws -> Weights {
    try Weights(
      network: network,
      tensors: network.parameters.enumerated().map { index, parameter in
        try Tensor(
          (0..<parameter.shape.count).map { Float(($0 * 7 + index * 3) % 11 + 1) / 8 },
          shape: parameter.shape)
      })
  }

  @Test(arguments: [true, false])
  func `norms add the bias that has no other place, and do nothing else`(bias: Bool) throws {
    let original = try weights(try network(bias))
    let folded = try original.foldingBatchNorm()
    let back = try folded.unfolded(into: original.network)
    let values = Dictionary(
      uniqueKeysWithValues: zip(back.network.parameters.map(\.name), back.tensors))
    #expect(values["norm.scale"]?.elements == [1, 1, 1, 1])
    #expect(values["norm.mean"]?.elements == [0, 0, 0, 0])
    #expect(values["norm.variance"]?.elements == [Float](repeating: 1 - 1e-3, count: 4))
    let summands = folded[1].elements
    #expect(values["norm.shift"]?.elements == (bias ? [0, 0, 0, 0] : summands))
    #expect(values["first.weight"] == folded[0])
    if bias { #expect(values["first.bias"]?.elements == summands) }
    for (x, y) in zip(try back.foldingBatchNorm().tensors, folded.tensors) {
      #expect(zip(x.elements, y.elements).allSatisfy { abs($0 - $1) < 1e-6 })
    }
  }

  @Test
  func `another network is refused`() throws {
    let folded = try weights(try network(false)).foldingBatchNorm()
    for other in [
      try network(false, named: "other"),
      try Network(inputShape: [3], layers: [.dense(outputs: 4, bias: true)]),
      try Network(
        inputShape: [3],
        layers: [
          .dense(outputs: 5, bias: false), .batchNorm, .relu, .dense(outputs: 2, bias: true),
        ]),
      // The first layer got a bias, and what reads it can't add one.
      try Network(
        inputShape: [3],
        layers: [.dense(outputs: 4, bias: false), .relu, .dense(outputs: 2, bias: true)]),
    ] {
      #expect(throws: UnfoldingError.self) { try folded.unfolded(into: other) }
    }
  }
}
