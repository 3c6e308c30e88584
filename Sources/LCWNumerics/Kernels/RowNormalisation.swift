// SPDX-License-Identifier: Apache-2.0
import CKernels

/// The mean of each part of a block that is normalised by itself, and 1 / √(variance + ε).
public struct RowMoments: Sendable, Hashable {
  /// The means.
  public var mean: Tensor
  /// The factors that values around the mean are multiplied by.
  public var inverseDeviation: Tensor

  /// Moments that are known.
  public init(mean: Tensor, inverseDeviation: Tensor) {
    self.mean = mean
    self.inverseDeviation = inverseDeviation
  }
}

/// The normalisation of the rows of a block, each by its own moments: what layer, group and instance
/// normalisation have in common.
///
/// Sums over a row are in double precision, and a row or a scale is one worker's: the results do not
/// depend on the number of workers.
struct RowNormalisation: Sendable, Hashable {
  /// The shape of a sample.
  var sample: Shape
  /// The values of a row.
  var width: Int
  /// The rows after which scales begin anew.
  var cycle: Int
  /// The neighbouring values that have one scale.
  var each: Int
  /// What is added to a variance.
  var epsilon: Float

  /// The number of scales.
  var scales: Int { width / each * cycle }

  func moments(of block: Tensor, workers: Workers) -> RowMoments {
    check(block)
    let rows = block.count / width
    var (mean, inverse) = (Tensor(unspecified: [rows]), Tensor(unspecified: [rows]))
    block.withBase { x in
      mean.withMutableBase { mean in
        inverse.withMutableBase { inverse in
          workers.forEachRange(of: rows, grain: grain) {
            lcw_row_moments(
              mean + $0.lowerBound, inverse + $0.lowerBound, x + $0.lowerBound * width, $0.count,
              width, Double(epsilon))
          }
        }
      }
    }
    return RowMoments(mean: mean, inverseDeviation: inverse)
  }

  func output(
    of block: Tensor, moments: RowMoments, scale: Tensor?, shift: Tensor?, workers: Workers
  ) -> Tensor {
    check(block, moments: moments)
    let (scale, shift) = (checked(scale, default: 1), checked(shift, default: 0))
    let rows = block.count / width
    var output = Tensor(unspecified: block.shape)
    output.withMutableBase { y in
      block.withBase { x in
        withPointers(to: [moments.mean, moments.inverseDeviation, scale, shift]) { p in
          workers.forEachRange(of: rows, grain: grain) {
            let (row, first) = ($0.lowerBound, $0.lowerBound * width)
            lcw_row_normalise(
              y + first, x + first, p[0] + row, p[1] + row, p[2], p[3], $0.count, row, width,
              cycle, each)
          }
        }
      }
    }
    return output
  }

  func backward(
    _ gradient: inout Tensor, block: Tensor, moments: RowMoments, scale: Tensor?, workers: Workers
  ) -> (scale: Tensor, shift: Tensor) {
    check(block, moments: moments)
    precondition(
      gradient.shape == block.shape, "\(gradient.shape) is no gradient of \(block.shape)")
    let scale = checked(scale, default: 1)
    let rows = block.count / width
    var scaleGradient = Tensor(unspecified: [scales])
    var shiftGradient = Tensor(unspecified: [scales])
    let scaleGrain = max(64 / each, elementGrain * scales / max(1, block.count), 1)
    scaleGradient.withMutableBase { scaleGradient in
      shiftGradient.withMutableBase { shiftGradient in
        withPointers(to: [gradient, block, moments.mean, moments.inverseDeviation]) { p in
          workers.forEachRange(of: scales, grain: scaleGrain) {
            lcw_row_scale_gradients(
              scaleGradient + $0.lowerBound, shiftGradient + $0.lowerBound, p[0], p[1], p[2],
              p[3], rows, width, cycle, each, $0.lowerBound, $0.count)
          }
        }
      }
    }
    gradient.withMutableBase { g in
      block.withBase { x in
        withPointers(to: [moments.mean, moments.inverseDeviation, scale]) { p in
          workers.forEachRange(of: rows, grain: grain) {
            let (row, first) = ($0.lowerBound, $0.lowerBound * width)
            lcw_row_normalise_backward(
              g + first, x + first, p[0] + row, p[1] + row, p[2], $0.count, row, width, cycle, each)
          }
        }
      }
    }
    return (scaleGradient, shiftGradient)
  }

  private var grain: Int { max(1, elementGrain / width) }

  private func checked(_ numbers: Tensor?, default value: Float) -> Tensor {
    guard let numbers else { return Tensor(repeating: value, shape: [scales]) }
    precondition(
      numbers.count == scales, "\(numbers.shape) are not the \(scales) numbers to scale or shift by"
    )
    return numbers
  }

  private func check(_ block: Tensor, moments: RowMoments? = nil) {
    precondition(
      block.shape == sample.batched(block.shape.rows) && width > 0 && block.count > 0,
      "\(block.shape) is no block of \(sample)")
    precondition(
      moments.map { $0.mean.count == block.count / width } ?? true
        && moments.map { $0.inverseDeviation.count == block.count / width } ?? true,
      "the moments are not those of \(block.shape)")
  }
}
