// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

extension Weights {
  /// Random weights to start training from, as Anokhin and Yarotsky have them.
  ///
  /// Dense weights and biases are uniform on ±1/√inputs; convolution weights are normal with
  /// variance 2/(kernel area · filters), their biases zero; a normalisation scales by 1 and shifts
  /// by 0, over running moments 0 and 1. The same seed gives the same weights.
  public init(randomFor network: Network, seed: UInt64) throws {
    let tensors = network.parameters.indices.map { index in
      let parameter = network.parameters[index]
      var random = RandomStream(seed: seed, purpose: .initialisation, index: index)
      switch (network.layers[parameter.layer], parameter.role) {
      case (.dense, _):
        let inputs = network.shapes[parameter.layer].count
        return random.uniform(parameter.shape, bound: 1 / Float(inputs).squareRoot())
      case (.convolution(let c), .weight):
        let variance = 2 / Float(c.kernel.reduce(1, *) * c.filters)
        return random.normal(parameter.shape, deviation: variance.squareRoot())
      case (_, .scale), (_, .variance): return Tensor(repeating: 1, shape: parameter.shape)
      default: return Tensor(zeros: parameter.shape)
      }
    }
    try self.init(network: network, tensors: tensors)
  }
}
