// SPDX-License-Identifier: Apache-2.0

/// Group normalisation (Wu and He 2018): the values of each sample in a group of neighbouring channels
/// are normalised by their own mean and variance, y = (x − mean) / √(variance + ε) · scale + shift, with
/// a scale and a shift for each channel.
///
/// With as many groups as channels it is instance normalisation (Ulyanov, Vedaldi and Lempitsky 2016).
public struct GroupNormalisation: Sendable, Hashable {
  private let rows: RowNormalisation

  /// The number of channels.
  public let channels: Int
  /// The number of groups, all of as many channels.
  public let groups: Int
  /// What is added to a variance.
  public var epsilon: Float { rows.epsilon }

  /// A normalisation of samples of a shape, whose first size is the channels.
  ///
  /// - Parameters:
  ///   - sample: `[channels, …]`.
  ///   - groups: A number that divides the channels.
  ///   - epsilon: What is added to a variance.
  public init(over sample: Shape, groups: Int, epsilon: Float = 1e-5) {
    precondition(
      sample.rank >= 1 && sample.count > 0 && groups > 0 && sample[0] % groups == 0,
      "the channels of \(sample) do not make \(groups) equal groups")
    channels = sample[0]
    self.groups = groups
    rows = RowNormalisation(
      sample: sample, width: sample.count / groups, cycle: groups, each: sample.rowCount,
      epsilon: epsilon)
  }

  /// Instance normalisation: each channel of a sample by itself.
  public static func instance(over sample: Shape, epsilon: Float = 1e-5) -> GroupNormalisation {
    GroupNormalisation(over: sample, groups: sample.rows, epsilon: epsilon)
  }

  /// The moments of each group of each sample.
  public func moments(of block: Tensor, workers: Workers = .serial) -> RowMoments {
    rows.moments(of: block, workers: workers)
  }

  /// The normalised block.
  ///
  /// - Parameters:
  ///   - block: `[n, channels, …]`.
  ///   - moments: Its moments.
  ///   - scale: A factor for each channel, 1 if there are none.
  ///   - shift: A summand for each channel, 0 if there are none.
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
  /// - Returns: The gradients of the scales and of the shifts, `[channels]`.
  public func backward(
    _ gradient: inout Tensor, block: Tensor, moments: RowMoments, scale: Tensor? = nil,
    workers: Workers = .serial
  ) -> (scale: Tensor, shift: Tensor) {
    rows.backward(&gradient, block: block, moments: moments, scale: scale, workers: workers)
  }
}
