// SPDX-License-Identifier: Apache-2.0
import CKernels

/// The summed cross-entropy, in nats, and the number of right answers of a block of samples.
public struct ClassificationSums: Sendable, Hashable {
  /// The sum of −log softmax(logits)[label].
  public var crossEntropy: Double = 0
  /// The samples whose label has the largest logit.
  public var correct: Int = 0
  /// The samples counted.
  public var samples: Int = 0

  /// No samples.
  public init() {}

  /// Adds another block's sums.
  public static func += (sums: inout ClassificationSums, other: ClassificationSums) {
    sums.crossEntropy += other.crossEntropy
    sums.correct += other.correct
    sums.samples += other.samples
  }
}

extension Tensor {
  /// The cross-entropy of these logits, `[n, classes]`, against the labels.
  ///
  /// Sums are in double precision. A row with NaN is never right. Of equal largest logits the
  /// first counts.
  ///
  /// - Parameter labels: n values from 0 to classes − 1, which the caller has checked.
  public func softmaxCrossEntropy(labels: ArraySlice<Int32>) -> ClassificationSums {
    checkLabels(labels)
    var sums = ClassificationSums()
    sums.samples = shape.rows
    elements.withUnsafeBufferPointer { logits in
      labels.withUnsafeBufferPointer { labels in
        guard let logits = logits.baseAddress, let labels = labels.baseAddress else { return }
        lcw_softmax_cross_entropy(
          logits, labels, shape.rows, shape.rowCount, &sums.crossEntropy, &sums.correct, nil, 0)
      }
    }
    return sums
  }

  /// Replaces these logits, `[n, classes]`, by the gradient of `scale` times their summed
  /// cross-entropy, and returns the sums.
  public mutating func becomeCrossEntropyGradient(
    labels: ArraySlice<Int32>, scale: Float
  ) -> ClassificationSums {
    checkLabels(labels)
    var sums = ClassificationSums()
    sums.samples = shape.rows
    let (rows, classes) = (shape.rows, shape.rowCount)
    elements.withUnsafeMutableBufferPointer { logits in
      labels.withUnsafeBufferPointer { labels in
        guard let logits = logits.baseAddress, let labels = labels.baseAddress else { return }
        lcw_softmax_cross_entropy(
          logits, labels, rows, classes, &sums.crossEntropy, &sums.correct, logits, scale)
      }
    }
    return sums
  }

  private func checkLabels(_ labels: ArraySlice<Int32>) {
    let classes = Int32(shape.rowCount)
    precondition(labels.count == shape.rows, "\(labels.count) labels for logits \(shape)")
    precondition(labels.allSatisfy { $0 >= 0 && $0 < classes }, "a label is out of range")
  }
}
