// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics

/// What a layer gets as its input at several times while one layer before it moves.
///
/// What the moving layer does not reach runs once for a block; where the moving layer's weights are
/// a combination, so do its products, and a time costs an element-wise combination and the layers
/// between.
struct MovingFeatures: Sendable {
  private let parts: MovingParts
  private let weights: Weights
  private let motion: LayerMotion
  private let times: [Double]
  /// Whether something moves that the combined layer is not: then each time has weights of its own.
  private let movesTail: Bool

  /// A block with what is the same at all times.
  struct Block: Sendable {
    fileprivate var known: [Network.Value: Tensor]
    fileprivate var products: [CombinedLayer.Products?]
    fileprivate var samples: Int
  }

  /// - Parameters:
  ///   - weights: Those of the layers that stay.
  ///   - motion: How the moving layer's parameters move.
  ///   - moving: The moving layer.
  ///   - end: The layer whose input is asked for.
  ///   - times: From 0 to 1.
  init(
    weights: Weights, motion: LayerMotion, moving: Int, upTo end: Int, times: [Double]
  ) throws {
    let network = weights.network
    let motions = network.parameters.indices.map {
      motion.motions[$0] ?? Motion.fixed(weights[$0])
    }
    parts = try MovingParts(
      of: network,
      moving: Set(motion.motions.keys.map { network.parameters[$0].layer }).union([moving]),
      motions: motions, times: times, to: [network.nodes[end].inputs[0]])
    movesTail = parts.tail.parameters.contains { motion.motions[$0] != nil }
    self.weights = weights
    self.motion = motion
    self.times = times
  }

  func block(_ samples: Tensor) -> Block {
    let given = parts.head.outputs(
      of: parts.head.sources.isEmpty ? [] : [samples], weights: weights)
    let known = Dictionary(uniqueKeysWithValues: zip(parts.head.targets, given))
    return Block(
      known: known,
      products: parts.combined.map { layer in known[layer.input].map(layer.products) },
      samples: samples.shape.rows)
  }

  /// The input of the layer at one of the times, `[n]` and the shape of one sample's.
  func features(of block: Block, at index: Int) throws -> Tensor {
    var inputs = block.known
    for (layer, products) in zip(parts.combined, block.products) {
      if let products {
        inputs[layer.output] = layer.combine(products, at: index, rows: 0..<block.samples)
      }
    }
    var moved = weights
    if movesTail { try motion.move(&moved, to: times[index]) }
    return parts.tail.outputs(of: parts.tail.sources.compactMap { inputs[$0] }, weights: moved)[0]
  }
}
