// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import LCWPaths

/// The kinds of networks that units are matched in.
enum MatchingNetworks: CaseIterable {
  case dense
  /// Two convolutions with pooling, and a flatten, so that a unit has several columns.
  case convolutional
  /// Two residual streams with batch normalisation, the second with more channels.
  case residual
  /// A stream to which channels of zeros are added, so that one sum has several groups.
  case padded
  /// Parts of a convolution, one filter for each channel, and a concatenation.
  case grouped
  /// Units that depend on the others of their sample.
  case coupled
  /// A layer that reads and writes one group.
  case recurrent

  func network(units n: Int = 6) throws -> Network {
    let text =
      switch self {
      case .dense: "dense \(n); relu; dense \(n + 1); relu; dense \(n); tanh; dense 4"
      case .convolutional:
        "conv \(n) 3x3 pad 1; relu; maxpool 2; conv \(n + 1) 3x3 pad 1; relu; flatten; dense \(n); relu; dense 4"
      case .residual:
        """
        conv \(n) 3x3 pad 1 no-bias; batchnorm; start = relu
        conv \(n) 3x3 pad 1 no-bias; batchnorm; relu
        conv \(n) 3x3 pad 1 no-bias; first = batchnorm
        add from first start; middle = relu
        conv \(n + 1) 3x3 pad 1 stride 2; relu; last = conv \(n + 1) 3x3 pad 1
        skip = conv \(n + 1) 1x1 stride 2 from middle; add from last skip; relu; flatten; dense 4
        """
      case .padded:
        """
        conv \(n) 3x3 pad 1; start = relu
        conv \(n) 3x3 pad 1; relu; last = conv \(n + 3) 3x3 pad 1
        skip = pad channels 2x1 from start; add from last skip; relu
        conv \(n) 1x1; relu; global-avgpool; dense 4
        """
      case .grouped:
        """
        conv \(2 * n) 3x3 pad 1; start = relu
        conv \(2 * n) 3x3 pad 1 groups 2; parts = relu
        depth = conv \(2 * n) 3x3 pad 1 groups \(2 * n) from start
        concat from parts depth; conv 5 1x1; relu; flatten; dense 4
        """
      case .coupled: "dense \(n); layernorm; relu; dense \(n); relu; dense 4"
      case .recurrent: "start = dense \(n); relu; dense \(n); add from dense2 start; relu; dense 4"
      }
    let shape: Shape =
      switch self {
      case .dense, .coupled, .recurrent: [5]
      default: [2, 4, 4]
      }
    return try NetworkText(text, operations: PluginRegistry.linked().operations)
      .network(inputShape: shape, classes: 4)
  }
}

extension Network {
  /// Random weights whose constants are random too, so that no two units are alike.
  func weights(seed: UInt64) throws -> Weights {
    var weights = try Weights(randomFor: self, seed: seed)
    var random = RandomStream(seed: seed, stream: 9)
    for (index, parameter) in parameters.enumerated() {
      guard case .constant = parameter.initial else { continue }
      let shift = random.uniform(parameter.shape, bound: 0.4)
      for place in 0..<shift.count { weights[index].elements[place] += shift.elements[place] }
    }
    return weights
  }
}

extension Weights {
  /// The same with the units of every free group in a random order.
  func shuffled(seed: UInt64) -> Weights {
    var random = RandomStream(seed: seed, stream: 77)
    return HiddenPopulation.all(of: network).reduce(self) {
      $1.reordered($0, by: random.permutation(of: $1.count))
    }
  }

  /// The squared distance of all parameters that are trained.
  func trainedDistance(to other: Weights) -> Double {
    network.parameters.indices.reduce(0) {
      network.parameters[$1].isTrained ? $0 + self[$1].squaredDistance(to: other[$1]) : $0
    }
  }
}
