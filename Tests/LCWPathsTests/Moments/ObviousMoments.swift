// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics

/// The mean and the population variance of each channel of a value over all of a block, in one loop.
struct ObviousMoments {
  var means: [Double]
  var variances: [Double]

  init(of value: Network.Value, in weights: Weights, block: Tensor) throws {
    let output = try Runner(weights.network, from: [.sample], to: [value])
      .output(of: block, weights: weights)
    let shape = weights.network.shape(of: value)
    let (channels, positions) = (shape[0], shape.rowCount)
    means = []
    variances = []
    for channel in 0..<channels {
      let values = (0..<block.shape.rows).flatMap { sample in
        (0..<positions).map {
          Double(output.elements[(sample * channels + channel) * positions + $0])
        }
      }
      let mean = values.reduce(0, +) / Double(values.count)
      means.append(mean)
      variances.append(
        values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count))
    }
  }

  /// Of what a node puts out.
  init(ofNode name: String, in weights: Weights, block: Tensor) throws {
    let node = weights.network.nodes.firstIndex { $0.name == name } ?? 0
    try self.init(of: .output(ofNode: node), in: weights, block: block)
  }

  var deviations: [Double] { variances.map { $0.squareRoot() } }
}

extension Weights {
  /// The index of a parameter by its name.
  func index(_ name: String) -> Int {
    network.parameters.firstIndex { $0.name == name } ?? 0
  }

  /// Random weights with scales, shifts and moments away from where training begins.
  static func trainedAlike(_ network: Network, seed: UInt64) throws -> Weights {
    var weights = try Weights(randomFor: network, seed: seed)
    var random = RandomStream(seed: seed, stream: 9)
    for (index, parameter) in network.parameters.enumerated() {
      guard case .constant = parameter.initial else { continue }
      let shift = random.uniform(parameter.shape, bound: 0.4)
      for place in 0..<shift.count { weights[index].elements[place] += shift.elements[place] }
    }
    return weights
  }
}

/// The largest difference of two tensors' values, relative to the largest value or 1.
func largestDifference(_ a: Tensor, _ b: Tensor) -> Float {
  let size = b.elements.reduce(1) { max($0, abs($1)) }
  return zip(a.elements, b.elements).reduce(0) { max($0, abs($1.0 - $1.1)) } / size
}
