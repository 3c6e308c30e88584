// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The mean of the probabilities that several networks give a block of samples.
///
/// Kept as logarithms in double precision, so that a probability too small for a float still has
/// its loss.
public struct SoftmaxMean: Sendable {
  /// The number of networks added.
  public private(set) var count = 0
  private let classes: Int
  /// For each sample and class the logarithm of the sum of probabilities.
  private var logarithms: [Double]

  /// No probabilities yet, for a block of samples.
  public init(samples: Int, classes: Int) {
    self.classes = classes
    logarithms = [Double](repeating: -.infinity, count: samples * classes)
  }

  /// Adds the softmax of a network's logits, `[samples, classes]`.
  public mutating func add(_ logits: Tensor) {
    precondition(logits.count == logarithms.count, "\(logits.shape) are other samples' logits")
    for row in 0..<logits.shape.rows {
      let values = logits.row(row).map(Double.init)
      let largest = values.max() ?? 0
      let total = largest + log(values.reduce(0) { $0 + exp($1 - largest) })
      for (column, value) in values.enumerated() {
        let index = row * classes + column
        logarithms[index] = SoftmaxMean.logarithmOfSum(logarithms[index], value - total)
      }
    }
    count += 1
  }

  /// The cross-entropy and the right answers. Of equal probabilities the first class is the answer;
  /// a row that is not a number is never right.
  public func sums(labels: ArraySlice<Int32>) -> ClassificationSums {
    precondition(labels.count * classes == logarithms.count, "\(labels.count) labels do not fit")
    var sums = ClassificationSums()
    sums.samples = labels.count
    for (row, label) in labels.enumerated() {
      let values = logarithms[row * classes..<(row + 1) * classes]
      sums.crossEntropy -= values[row * classes + Int(label)] - log(Double(count))
      guard !values.contains(where: \.isNaN), let largest = values.max() else { continue }
      let answer = values.firstIndex(of: largest).map { $0 - row * classes }
      if answer == Int(label) { sums.correct += 1 }
    }
    return sums
  }

  private static func logarithmOfSum(_ a: Double, _ b: Double) -> Double {
    // The standard's max and min may lose what is not a number.
    guard !a.isNaN, !b.isNaN else { return .nan }
    let (large, small) = (max(a, b), min(a, b))
    return small == -.infinity ? large : large + log1p(exp(small - large))
  }
}
