// SPDX-License-Identifier: Apache-2.0
import CKernels

/// Local response normalisation across channels (Krizhevsky, Sutskever and Hinton 2012), as PyTorch
/// has it: y = x · (k + α / size · Σ x²)^−β, with the sum over a window of `size` channels around
/// each, of which size / 2 lie before it.
public struct LocalResponseNormalisation: Sendable, Hashable {
  /// The shape of a sample, whose first size is the channels.
  public let sample: Shape
  /// The channels of a window.
  public let size: Int
  /// The factor of the mean of squares.
  public let alpha: Float
  /// The exponent.
  public let beta: Float
  /// What is added to the mean of squares.
  public let k: Float

  /// A normalisation of samples of a shape.
  public init(
    over sample: Shape, size: Int, alpha: Float = 1e-4, beta: Float = 0.75, k: Float = 1
  ) {
    precondition(
      sample.rank >= 1 && size > 0, "a local response needs channels and a window, not \(size)")
    self.sample = sample
    self.size = size
    self.alpha = alpha
    self.beta = beta
    self.k = k
  }

  /// The normalised block, and the sums in the brackets, which the backward pass needs.
  public func output(
    of block: Tensor, workers: Workers = .serial
  ) -> (output: Tensor, sums: Tensor) {
    check(block)
    let (samples, count) = (block.shape.rows, sample.count)
    var (output, sums) = (Tensor(unspecified: block.shape), Tensor(unspecified: block.shape))
    block.withBase { x in
      output.withMutableBase { y in
        sums.withMutableBase { sums in
          workers.forEachRange(of: samples, grain: grain) {
            let first = $0.lowerBound * count
            lcw_local_response(
              y + first, sums + first, x + first, $0.count, sample[0], sample.rowCount, size,
              alpha, beta, k)
          }
        }
      }
    }
    return (output, sums)
  }

  /// The gradient of the block.
  ///
  /// - Parameters:
  ///   - gradient: The gradient of the output.
  ///   - block: What was normalised.
  ///   - sums: The sums that came with the output.
  ///   - workers: The threads to divide the samples among.
  public func backward(
    _ gradient: Tensor, block: Tensor, sums: consuming Tensor, workers: Workers = .serial
  ) -> Tensor {
    check(block)
    precondition(
      gradient.shape == block.shape && sums.shape == block.shape,
      "\(gradient.shape) is no gradient of \(block.shape)")
    let (samples, count) = (block.shape.rows, sample.count)
    var result = Tensor(unspecified: block.shape)
    guard block.count > 0 else { return result }
    withPointers(to: [gradient, block]) { p in
      result.withMutableBase { dx in
        sums.withMutableBase { sums in
          workers.forEachRange(of: samples, grain: grain) {
            let first = $0.lowerBound * count
            lcw_local_response_backward(
              dx + first, p[0] + first, p[1] + first, sums + first, $0.count, sample[0],
              sample.rowCount, size, alpha, beta)
          }
        }
      }
    }
    return result
  }

  private func check(_ block: Tensor) {
    precondition(
      block.shape == sample.batched(block.shape.rows), "\(block.shape) is no block of \(sample)")
  }

  private var grain: Int { max(1, elementGrain / 8 / max(1, sample.count)) }
}
