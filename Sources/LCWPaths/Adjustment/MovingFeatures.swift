// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics

/// What a weighted layer gets as its input at several times while one layer before it moves.
///
/// What stands before the moving layer runs once for a block; where the moving layer's weights are
/// a combination, so do its products, and a time costs an element-wise combination and the layers
/// between.
struct MovingFeatures: Sendable {
  private let runner: Runner
  private let weights: Weights
  private let motion: LayerMotion
  private let times: [Double]
  private let moving: Int
  private let end: Int
  private let combined: CombinedLayer?

  /// A block with what is the same at all times.
  struct Block: Sendable {
    fileprivate var prefix: Tensor
    fileprivate var products: CombinedLayer.Products?
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
    let combined = CombinedLayer(network, layer: moving, motions: motions, times: times)
    self.combined = combined
    runner = try Runner(
      network, separating: [moving, combined?.layers.upperBound ?? moving, end])
    self.weights = weights
    self.motion = motion
    self.times = times
    self.moving = moving
    self.end = end
  }

  func block(_ samples: Tensor) -> Block {
    let prefix = runner.output(of: samples, weights: weights, layers: 0..<moving)
    return Block(prefix: prefix, products: combined?.products(of: prefix))
  }

  /// The input of the layer at one of the times, `[n]` and the shape of one sample's.
  func features(of block: Block, at index: Int) throws -> Tensor {
    if let combined, let products = block.products {
      let rows = block.prefix.shape.rows
      return runner.output(
        of: combined.combine(products, at: index, rows: 0..<rows), weights: weights,
        layers: combined.layers.upperBound..<end)
    }
    var moved = weights
    try motion.move(&moved, to: times[index])
    return runner.output(of: block.prefix, weights: moved, layers: moving..<end)
  }
}
