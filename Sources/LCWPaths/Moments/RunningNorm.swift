// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// A mean and a variance for each channel.
struct ChannelPair: Sendable {
  var means: [Double]
  var variances: [Double]
}

/// A normalisation with running statistics: a mean and a variance for each channel of its input.
struct RunningNorm: Sendable {
  let node: Int
  let input: Network.Value
  let mean: Int
  let variance: Int

  /// What is measured: the input, before the node runs.
  var probe: MomentProbe { MomentProbe(value: input, next: node) }

  /// - Parameter name: What measures the moments, for messages.
  /// - Throws: ``ConnectionError`` if the node keeps other averages than a mean and a variance.
  init(_ node: Int, in network: Network, for name: String) throws {
    let kept = network.parameterIndices(ofLayer: node).filter {
      !network.parameters[$0].isTrained
    }
    guard kept.count == 2, network.nodes[node].inputs.count == 1,
      let mean = kept.first(where: { network.parameters[$0].role == .mean }),
      let variance = kept.first(where: { network.parameters[$0].role == .variance })
    else {
      throw ConnectionError.layer(
        index: node, description: network.describe(node: node),
        problem:
          "keeps other averages than a mean and a variance, which \(name) does not know how to "
          + "measure")
    }
    self.node = node
    self.mean = mean
    self.variance = variance
    input = network.nodes[node].inputs[0]
  }

  func moments(in weights: Weights) -> ChannelPair {
    ChannelPair(
      means: weights[mean].elements.map { Double($0) },
      variances: weights[variance].elements.map { Double($0) })
  }
}
