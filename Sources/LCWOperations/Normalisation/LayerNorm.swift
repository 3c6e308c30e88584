// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// Normalises each sample by its own moments, over all of it, or over the channels at each position (Ba,
/// Kiros and Hinton 2016).
public struct LayerNorm: NetworkOperation {
  /// `layernorm`
  public static let name = "layernorm"
  /// What it is.
  public static let summary =
    "normalises each sample, or each position's channels, by its own moments"
  /// How it is written.
  public static let usage = "layernorm [channels] [epsilon E]"

  /// Whether only the channels at each position are normalised together.
  public var overChannels: Bool
  /// What is added to a variance.
  public var epsilon: Double

  /// The normalisation.
  /// - Parameters:
  ///   - channels: Whether only the channels at each position are normalised together.
  ///   - epsilon: What is added to a variance.
  public init(channels: Bool = false, epsilon: Double = 1e-5) {
    overChannels = channels
    self.epsilon = epsilon
  }

  /// Nothing, or `channels epsilon 1e-6`
  public init(words: inout OperationWords) throws(OperationProblem) {
    overChannels = words.take("channels")
    epsilon = try words.epsilonIfPresent()
  }

  /// What differs from the defaults.
  public var words: [String] { (overChannels ? ["channels"] : []) + epsilonWords(epsilon) }

  /// The input's.
  public func outputShape(for inputs: [Shape]) throws(OperationProblem) -> Shape {
    try requireEpsilon(epsilon)
    guard inputs[0].rank > 0 else { throw OperationProblem("needs channels but gets one number") }
    return inputs[0]
  }

  /// Scale and shift, of the sample's shape, or `[channels]`.
  public func parameters(for inputs: [Shape]) throws(OperationProblem) -> [ParameterDescription] {
    let shape = overChannels ? [inputs[0][0]] : inputs[0]
    return [
      ParameterDescription(.scale, shape, initial: .constant(1)),
      ParameterDescription(.shift, shape, initial: .constant(0)),
    ]
  }

  /// Units pass one by one, by the moments of all.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation {
    .oneByOne(parameters: 2, isCoupled: true)
  }

  /// Normalisation of rows; of the channels with the block's axes in another order.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel {
    guard overChannels, inputs[0].rowCount > 1 else {
      return SampleNormalisationKernel(
        normalisation: LayerNormalisation(over: inputs[0], epsilon: Float(epsilon)))
    }
    return SampleNormalisationKernel(
      normalisation: ChannelwiseNormalisation(over: inputs[0], epsilon: Float(epsilon)))
  }
}

extension Layer {
  /// Normalises each sample by its own moments, over all of it or over the channels at each position.
  public static func layerNorm(channels: Bool = false, epsilon: Double = 1e-5) -> Layer {
    Layer(LayerNorm(channels: channels, epsilon: epsilon))
  }
}

@section("lcw_plugins") @used
let layerNormPlugin: PluginRecord = { $0.add(LayerNorm.self) }

/// The normalisation of the channels at each position: that of the rows of a block whose channels stand
/// last.
private struct ChannelwiseNormalisation: SampleNormalising {
  private let rows: LayerNormalisation
  private let sample: Shape

  init(over sample: Shape, epsilon: Float) {
    self.sample = sample
    rows = LayerNormalisation(over: [sample.rowCount, sample[0]], axes: 1, epsilon: epsilon)
  }

  /// `[n, positions, channels]` of `[n, channels, …]`.
  private func channelsLast(_ block: Tensor, _ workers: Workers) -> Tensor {
    block.reshaped([block.shape.rows, sample[0], sample.rowCount])
      .reordered(axes: [0, 2, 1], workers: workers)
  }

  /// `[n, channels, …]` of `[n, positions, channels]`.
  private func channelsFirst(_ block: Tensor, _ workers: Workers) -> Tensor {
    block.reordered(axes: [0, 2, 1], workers: workers)
      .reshaped(sample.batched(block.shape.rows))
  }

  func moments(of block: Tensor, workers: Workers) -> RowMoments {
    rows.moments(of: channelsLast(block, workers), workers: workers)
  }

  func output(
    of block: Tensor, moments: RowMoments, scale: Tensor?, shift: Tensor?, workers: Workers
  ) -> Tensor {
    let output = rows.output(
      of: channelsLast(block, workers), moments: moments, scale: scale, shift: shift,
      workers: workers)
    return channelsFirst(output, workers)
  }

  func backward(
    _ gradient: inout Tensor, block: Tensor, moments: RowMoments, scale: Tensor?, workers: Workers
  ) -> (scale: Tensor, shift: Tensor) {
    var turned = channelsLast(gradient, workers)
    let result = rows.backward(
      &turned, block: channelsLast(block, workers), moments: moments, scale: scale,
      workers: workers)
    gradient = channelsFirst(turned, workers)
    return result
  }
}
