// SPDX-License-Identifier: Apache-2.0

/// Layer normalisation (Ba, Kiros and Hinton 2016): each sample's values, or those along its last axes,
/// are normalised by their own mean and variance, y = (x − mean) / √(variance + ε) · scale + shift, with
/// a scale and a shift for each place along these axes.
public struct LayerNormalisation: Sendable, Hashable {
  private let rows: RowNormalisation

  /// The sizes that scale and shift have: the last ones of a sample.
  public let scaleShape: Shape

  /// What is added to a variance.
  public var epsilon: Float { rows.epsilon }

  /// A normalisation of samples of a shape.
  ///
  /// - Parameters:
  ///   - sample: The shape of a sample, without the samples of a block.
  ///   - axes: How many of the last axes are normalised together, all if nothing is given.
  ///   - epsilon: What is added to a variance.
  public init(over sample: Shape, axes: Int? = nil, epsilon: Float = 1e-5) {
    let axes = axes ?? sample.rank
    precondition(
      (1...max(1, sample.rank)).contains(axes) && sample.count > 0,
      "\(sample) has not \(axes) axes to normalise")
    scaleShape = Shape(Array(sample.dimensions.suffix(axes)))
    rows = RowNormalisation(
      sample: sample, width: scaleShape.count, cycle: 1, each: 1, epsilon: epsilon)
  }

  /// The moments of each part of a block that is normalised by itself.
  public func moments(of block: Tensor, workers: Workers = .serial) -> RowMoments {
    rows.moments(of: block, workers: workers)
  }

  /// The normalised block.
  ///
  /// - Parameters:
  ///   - block: `[n, …]` of the samples' shape.
  ///   - moments: Its moments.
  ///   - scale: A factor for each place, 1 if there are none.
  ///   - shift: A summand for each place, 0 if there are none.
  ///   - workers: The threads to divide the samples among.
  public func output(
    of block: Tensor, moments: RowMoments, scale: Tensor? = nil, shift: Tensor? = nil,
    workers: Workers = .serial
  ) -> Tensor {
    rows.output(of: block, moments: moments, scale: scale, shift: shift, workers: workers)
  }

  /// The gradients of a normalisation.
  ///
  /// - Parameters:
  ///   - gradient: The gradient of the output; it becomes that of the block.
  ///   - block: What was normalised.
  ///   - moments: Its moments.
  ///   - scale: The factors, if there are any.
  ///   - workers: The threads.
  /// - Returns: The gradients of the scales and of the shifts, of ``scaleShape``.
  public func backward(
    _ gradient: inout Tensor, block: Tensor, moments: RowMoments, scale: Tensor? = nil,
    workers: Workers = .serial
  ) -> (scale: Tensor, shift: Tensor) {
    let result = rows.backward(
      &gradient, block: block, moments: moments, scale: scale, workers: workers)
    return (result.scale.reshaped(scaleShape), result.shift.reshaped(scaleShape))
  }
}
