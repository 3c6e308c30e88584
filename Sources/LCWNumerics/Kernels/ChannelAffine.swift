// SPDX-License-Identifier: Apache-2.0
import CKernels

/// A factor and a summand for each channel of blocks `[n, channels, …]`: y = x · scale + shift.
public struct ChannelAffine: Sendable, Hashable {
  /// The number of channels.
  public let channels: Int
  /// The number of values a sample has in each.
  public let positions: Int

  /// A scaling of samples of a shape, whose first size is the channels.
  public init(over sample: Shape) {
    precondition(sample.rank >= 1, "a sample to scale has channels")
    channels = sample[0]
    positions = sample.rowCount
  }

  /// The scaled block.
  ///
  /// - Parameters:
  ///   - block: `[n, channels, …]`.
  ///   - scale: A factor for each channel, 1 if there are none.
  ///   - shift: A summand for each channel, 0 if there are none.
  ///   - clipping: Whether negative values become zero.
  ///   - workers: The threads to divide the samples among.
  public func output(
    of block: Tensor, scale: Tensor?, shift: Tensor?, clipping: Bool = false,
    workers: Workers = .serial
  ) -> Tensor {
    check(block)
    let scale = checked(scale, default: 1)
    let shift = checked(shift, default: 0)
    let (samples, channels, positions) = (block.shape.rows, channels, positions)
    var output = Tensor(unspecified: block.shape)
    block.withBase { x in
      scale.withBase { scale in
        shift.withBase { shift in
          output.withMutableBase { y in
            workers.forEachRange(of: samples, grain: grain) { range in
              let first = range.lowerBound * channels * positions
              lcw_norm_scale(
                y + first, x + first, scale, shift, range.count, channels, positions,
                clipping ? 1 : 0)
            }
          }
        }
      }
    }
    return output
  }

  /// The gradients of a scaling. Each channel is summed by one worker: they do not depend on the number of
  /// workers.
  ///
  /// - Parameters:
  ///   - gradient: The gradient of the output; it becomes that of the block.
  ///   - block: What was scaled.
  ///   - scale: The factors, if there are any.
  ///   - workers: The threads.
  /// - Returns: The gradients of the scales and of the shifts.
  public func backward(
    _ gradient: inout Tensor, block: Tensor, scale: Tensor?, workers: Workers = .serial
  ) -> (scale: Tensor, shift: Tensor) {
    check(block)
    precondition(
      gradient.shape == block.shape, "\(gradient.shape) is no gradient of \(block.shape)")
    let (samples, channels, positions) = (block.shape.rows, channels, positions)
    let zeros = Tensor(zeros: [channels])
    var (products, sums) = (zeros, zeros)
    // Single values are summed side by side, as many as the loop in C takes together.
    let channelGrain = max(
      positions == 1 ? 64 : 1, elementGrain / max(1, samples * positions))
    withPointers(to: [gradient, block, zeros]) { p in
      sums.withMutableBase { sums in
        products.withMutableBase { products in
          workers.forEachRange(of: channels, grain: channelGrain) {
            lcw_norm_backward_sums(
              sums, products, p[0], p[1], p[2], samples, channels, positions, $0.lowerBound,
              $0.count)
          }
        }
      }
    }
    if scale != nil {
      gradient = output(of: gradient, scale: scale, shift: nil, workers: workers)
    }
    return (products, sums)
  }

  private func checked(_ numbers: Tensor?, default value: Float) -> Tensor {
    guard let numbers else { return Tensor(repeating: value, shape: [channels]) }
    precondition(
      numbers.count == channels,
      "\(numbers.shape) has not a number for each of \(channels) channels")
    return numbers
  }

  private func check(_ block: Tensor) {
    precondition(
      block.shape.rowCount == channels * positions && block.count > 0,
      "\(block.shape) is no block of \(channels) channels of \(positions)")
  }

  private var grain: Int { max(1, elementGrain / max(1, channels * positions)) }
}
