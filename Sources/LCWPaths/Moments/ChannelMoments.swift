// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// The mean and the variance of each channel of a value, over samples and positions.
///
/// Blocks are added one after the other (Chan, Golub and LeVeque 1983); what is added in the same order
/// gives the same bits.
public struct ChannelMoments: Sendable, Hashable {
  /// The values of each channel that were seen.
  public private(set) var count = 0.0
  /// The mean of each channel.
  public private(set) var means: [Double]
  /// The sum of the squares around the mean.
  private var squares: [Double]

  /// The moments of no values.
  public init(channels: Int) {
    means = [Double](repeating: 0, count: channels)
    squares = means
  }

  /// The moments of a block, `[n]` and a sample's shape, whose first size is the channels.
  public init(of block: Tensor, sample: Shape) {
    let own = ChannelNormalisation(over: sample).moments(of: block)
    count = Double(block.shape.rows * sample.rowCount)
    means = own.mean.elements.map { Double($0) }
    squares = own.variance.elements.map { [count] in Double($0) * count }
  }

  /// The mean square around the mean of each channel.
  public var variances: [Double] { squares.map { count > 0 ? $0 / count : 0 } }

  /// The root of the variance of each channel.
  public var deviations: [Double] { variances.map { $0.squareRoot() } }

  /// Adds the moments of further values of the same channels.
  public mutating func add(_ other: ChannelMoments) {
    guard other.count > 0 else { return }
    let total = count + other.count
    for channel in means.indices {
      let difference = other.means[channel] - means[channel]
      means[channel] += difference * (other.count / total)
      squares[channel] +=
        other.squares[channel] + difference * difference * (count * (other.count / total))
    }
    count = total
  }
}
