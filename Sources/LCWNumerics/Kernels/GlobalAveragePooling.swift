// SPDX-License-Identifier: Apache-2.0
import CKernels

/// The mean of each channel over all positions, `[n, channels, …]` to `[n, channels]`.
public struct GlobalAveragePooling: Sendable, Hashable {
  /// The shape of a sample, whose first size is the channels.
  public let sample: Shape

  /// A pooling of samples of a shape with at least one position.
  public init(over sample: Shape) {
    precondition(
      sample.rank >= 1 && sample.rowCount > 0, "\(sample) has no channels with values to average")
    self.sample = sample
  }

  /// The means, `[n, channels]`.
  public func output(of block: Tensor, workers: Workers = .serial) -> Tensor {
    let samples = block.shape.rows
    precondition(block.shape == sample.batched(samples), "\(block.shape) is no block of \(sample)")
    var output = Tensor(unspecified: [samples, sample[0]])
    let (planes, positions) = (output.count, sample.rowCount)
    block.withBase { x in
      output.withMutableBase { y in
        workers.forEachRange(of: planes, grain: grain) {
          lcw_plane_means(y + $0.lowerBound, x + $0.lowerBound * positions, $0.count, positions)
        }
      }
    }
    return output
  }

  /// The gradient of the block from that of the means, `[n, channels]` or with sizes of 1 behind.
  public func backward(_ gradient: Tensor, workers: Workers = .serial) -> Tensor {
    let samples = gradient.shape.rows
    precondition(
      gradient.shape.rowCount == sample[0], "\(gradient.shape) is no gradient of \(sample[0]) means"
    )
    var result = Tensor(unspecified: sample.batched(samples))
    let (planes, positions) = (gradient.count, sample.rowCount)
    gradient.withBase { g in
      result.withMutableBase { x in
        workers.forEachRange(of: planes, grain: grain) {
          lcw_plane_means_backward(
            x + $0.lowerBound * positions, g + $0.lowerBound, $0.count, positions)
        }
      }
    }
    return result
  }

  private var grain: Int { max(1, elementGrain / sample.rowCount) }
}
