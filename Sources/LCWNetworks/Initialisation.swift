// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

extension Weights {
  /// Random weights to start training from, as the network's operations say; the same seed gives the same
  /// weights.
  /// - Parameter gain: A factor on all random ones.
  public init(randomFor network: Network, seed: UInt64, gain: Double = 1) throws {
    let tensors = network.parameters.indices.map { index in
      let parameter = network.parameters[index]
      var random = RandomStream(seed: seed, purpose: .initialisation, index: index)
      switch parameter.initial {
      case .constant(let value): return Tensor(repeating: value, shape: parameter.shape)
      case .uniform(let bound): return random.uniform(parameter.shape, bound: Float(gain) * bound)
      case .normal(let deviation):
        return random.normal(parameter.shape, deviation: Float(gain) * deviation)
      }
    }
    try self.init(network: network, tensors: tensors)
  }
}
