// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// The means, variances and covariances of each channel of one value in two networks, over samples and
/// positions.
///
/// Blocks are added one after the other (Chan, Golub and LeVeque 1983); what is added in the same order
/// gives the same bits.
struct PairedMoments: Sendable {
  /// The moments in the first network.
  private(set) var first: ChannelMoments
  /// The moments in the second network.
  private(set) var second: ChannelMoments
  /// For each channel the sum of the products around both means.
  private var products: [Double]

  /// The moments of no values.
  init(channels: Int) {
    first = ChannelMoments(channels: channels)
    second = first
    products = [Double](repeating: 0, count: channels)
  }

  /// The moments of a block of the first network's value and one of the second's, `[n]` and a sample's
  /// shape each, whose first size is the channels.
  init(of a: Tensor, _ b: Tensor, sample: Shape) {
    let (first, second) = (
      ChannelMoments(of: a, sample: sample), ChannelMoments(of: b, sample: sample)
    )
    let (channels, positions) = (sample[0], sample.rowCount)
    var products = [Double](repeating: 0, count: channels)
    a.elements.withUnsafeBufferPointer { a in
      b.elements.withUnsafeBufferPointer { b in
        var start = 0
        while start < a.count {
          for channel in 0..<channels {
            let (meanA, meanB) = (first.means[channel], second.means[channel])
            var sum = 0.0
            for index in start..<start + positions {
              sum += (Double(a[index]) - meanA) * (Double(b[index]) - meanB)
            }
            products[channel] += sum
            start += positions
          }
        }
      }
    }
    (self.first, self.second, self.products) = (first, second, products)
  }

  /// Adds the moments of further values of the same channels.
  mutating func add(_ other: PairedMoments) {
    let total = first.count + other.first.count
    guard other.first.count > 0 else { return }
    let share = first.count * (other.first.count / total)
    for channel in products.indices {
      let apart =
        (other.first.means[channel] - first.means[channel])
        * (other.second.means[channel] - second.means[channel])
      products[channel] += other.products[channel] + apart * share
    }
    first.add(other.first)
    second.add(other.second)
  }

  /// The covariance of each channel.
  var covariances: [Double] { products.map { first.count > 0 ? $0 / first.count : 0 } }
}
