// SPDX-License-Identifier: Apache-2.0
import CKernels

/// Batch normalisation of blocks `[n, channels, …]` channel by channel (Ioffe and Szegedy 2015), as
/// PyTorch has it: y = (x − mean) / √(variance + ε) · scale + shift.
///
/// In training mean and variance are those of the whole block, over samples and positions. Each
/// channel is summed by one worker, in double precision: the results do not depend on the number of
/// workers.
public struct ChannelNormalisation: Sendable, Hashable {
  /// What is added to a variance by default, so that a constant channel can be divided by its root.
  public static let epsilon: Float = 1e-5

  /// What is added to a variance.
  public let epsilon: Float
  /// The number of channels.
  public let channels: Int
  /// The number of values a sample has in each.
  public let positions: Int

  /// A normalisation of samples of a shape, whose first size is the channels.
  public init(over sample: Shape, epsilon: Float = ChannelNormalisation.epsilon) {
    precondition(sample.rank >= 1, "a sample to normalise has channels")
    self.epsilon = epsilon
    channels = sample[0]
    positions = sample.rowCount
  }

  /// The mean and the variance of each channel of a block.
  public struct Moments: Sendable, Hashable {
    /// The means.
    public var mean: Tensor
    /// The mean squares around the means.
    public var variance: Tensor

    /// Moments of as many channels each.
    public init(mean: Tensor, variance: Tensor) {
      self.mean = mean
      self.variance = variance
    }

    /// 1 / √(variance + ε) of each channel.
    func inverseDeviation(epsilon: Float) -> [Float] {
      variance.elements.map { Float(1 / (Double($0) + Double(epsilon)).squareRoot()) }
    }
  }

  /// The moments of a block, `[n, channels, …]`, of at least one value in each channel.
  public func moments(of block: Tensor, workers: Workers = .serial) -> Moments {
    check(block)
    let (samples, channels, positions) = (block.shape.rows, channels, positions)
    precondition(samples * positions > 0, "a block without values has no moments")
    var (mean, variance) = (Tensor(unspecified: [channels]), Tensor(unspecified: [channels]))
    mean.elements.withUnsafeMutableBufferPointer { mean in
      variance.elements.withUnsafeMutableBufferPointer { variance in
        block.elements.withUnsafeBufferPointer { x in
          guard let mean = mean.baseAddress, let variance = variance.baseAddress,
            let x = x.baseAddress
          else { return }
          workers.forEachRange(of: channels, grain: grain(samples)) {
            lcw_norm_moments(
              mean, variance, x, samples, channels, positions, $0.lowerBound, $0.count)
          }
        }
      }
    }
    return Moments(mean: mean, variance: variance)
  }

  /// The normalised block.
  ///
  /// - Parameters:
  ///   - block: `[n, channels, …]`.
  ///   - moments: The block's own, or running ones.
  ///   - scale: A factor for each channel.
  ///   - shift: A summand for each channel.
  ///   - clipping: Whether negative values become zero.
  ///   - workers: The threads to divide the samples among.
  public func output(
    of block: Tensor, moments: Moments, scale: Tensor, shift: Tensor, clipping: Bool = false,
    workers: Workers = .serial
  ) -> Tensor {
    check(block)
    let factors = zip(scale.elements, moments.inverseDeviation(epsilon: epsilon)).map { $0 * $1 }
    // y = x · factor + (shift − mean · factor)
    let summands = (0..<channels).map {
      Float(
        Double(shift.elements[$0]) - Double(moments.mean.elements[$0]) * Double(factors[$0]))
    }
    let (samples, channels, positions) = (block.shape.rows, channels, positions)
    var output = Tensor(unspecified: block.shape)
    output.elements.withUnsafeMutableBufferPointer { y in
      block.elements.withUnsafeBufferPointer { x in
        guard let y = y.baseAddress, let x = x.baseAddress else { return }
        workers.forEachRange(of: samples, grain: sampleGrain) { range in
          let first = range.lowerBound * channels * positions
          lcw_norm_scale(
            y + first, x + first, factors, summands, range.count, channels, positions,
            clipping ? 1 : 0)
        }
      }
    }
    return output
  }

  /// The gradients of a normalisation by the block's own moments.
  ///
  /// - Parameters:
  ///   - gradient: The gradient of the output; it becomes that of the block.
  ///   - block: What was normalised.
  ///   - moments: Its moments.
  ///   - scale: The factor for each channel.
  ///   - workers: The threads.
  /// - Returns: The gradients of the scales and of the shifts.
  public func backward(
    _ gradient: inout Tensor, block: Tensor, moments: Moments, scale: Tensor,
    workers: Workers = .serial
  ) -> (scale: Tensor, shift: Tensor) {
    check(block)
    precondition(
      gradient.shape == block.shape, "\(gradient.shape) is no gradient of \(block.shape)")
    let (samples, channels, positions) = (block.shape.rows, channels, positions)
    var shiftGradient = Tensor(unspecified: [channels])
    var scaleGradient = Tensor(unspecified: [channels])
    gradient.elements.withUnsafeMutableBufferPointer { g in
      block.elements.withUnsafeBufferPointer { x in
        moments.mean.elements.withUnsafeBufferPointer { mean in
          shiftGradient.elements.withUnsafeMutableBufferPointer { sums in
            scaleGradient.elements.withUnsafeMutableBufferPointer { products in
              guard let g = g.baseAddress, let x = x.baseAddress, let mean = mean.baseAddress,
                let sums = sums.baseAddress, let products = products.baseAddress
              else { return }
              workers.forEachRange(of: channels, grain: grain(samples)) {
                lcw_norm_backward_sums(
                  sums, products, g, x, mean, samples, channels, positions, $0.lowerBound,
                  $0.count)
              }
            }
          }
        }
      }
    }
    // With x̂ = (x − m) · r: dx = scale · r · (dy − mean(dy) − x̂ · mean(dy · x̂)), a line in x.
    let inverse = moments.inverseDeviation(epsilon: epsilon)
    let count = Double(samples * positions)
    var (factors, slopes, summands): ([Float], [Float], [Float]) = ([], [], [])
    for channel in 0..<channels {
      let r = Double(inverse[channel])
      let factor = Double(scale.elements[channel]) * r
      let product = Double(scaleGradient.elements[channel]) * r
      let slope = -factor * product * r / count
      factors.append(Float(factor))
      slopes.append(Float(slope))
      summands.append(
        Float(
          -factor * Double(shiftGradient.elements[channel]) / count
            - slope * Double(moments.mean.elements[channel])))
      scaleGradient.elements[channel] = Float(product)
    }
    gradient.elements.withUnsafeMutableBufferPointer { g in
      block.elements.withUnsafeBufferPointer { x in
        guard let g = g.baseAddress, let x = x.baseAddress else { return }
        workers.forEachRange(of: samples, grain: sampleGrain) { range in
          let first = range.lowerBound * channels * positions
          lcw_norm_backward(
            g + first, x + first, factors, slopes, summands, range.count, channels, positions)
        }
      }
    }
    return (scaleGradient, shiftGradient)
  }

  private func check(_ block: Tensor) {
    precondition(
      block.shape.rowCount == channels * positions,
      "\(block.shape) is no block of \(channels) channels of \(positions)")
  }

  // Values below which a second thread costs more than it brings.
  private static let values = 1 << 15
  private func grain(_ samples: Int) -> Int {
    // Single values are summed side by side, as many as the loop in C takes together.
    let least = positions == 1 ? 64 : 1
    return max(least, ChannelNormalisation.values / max(1, samples * positions))
  }
  private var sampleGrain: Int {
    max(1, ChannelNormalisation.values / max(1, channels * positions))
  }
}
