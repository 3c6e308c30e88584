// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension Tensor {
  /// Adds the softmax of each row of logits, `[n, classes]`, to this tensor's rows.
  public mutating func addSoftmax(of logits: Tensor) {
    precondition(shape == logits.shape, "\(shape) and \(logits.shape) differ")
    let width = shape.rowCount
    for row in 0..<shape.rows {
      let values = logits.row(row)
      let largest = values.max() ?? 0
      let exponentials = values.map { exp($0 - largest) }
      let sum = exponentials.reduce(0, +)
      for (column, value) in exponentials.enumerated() {
        elements[row * width + column] += value / sum
      }
    }
  }

  /// The cross-entropy and the right answers of the mean of `count` probabilities whose sums are
  /// the rows, `[n, classes]`. Of equal probabilities the first class is the answer.
  public func crossEntropyOfMean(count: Int, labels: ArraySlice<Int32>) -> ClassificationSums {
    precondition(labels.count == shape.rows, "\(labels.count) labels for \(shape.rows) rows")
    var sums = ClassificationSums()
    for (row, label) in labels.enumerated() {
      let values = Array(self.row(row))
      let answer = values.indices.max {
        values[$0] < values[$1] || (values[$0] == values[$1] && $0 > $1)
      }
      // Single precision rounds very small probabilities to zero, whose logarithm is infinite.
      let probability = max(values[Int(label)] / Float(count), .leastNormalMagnitude)
      sums.samples += 1
      sums.correct += answer == Int(label) ? 1 : 0
      sums.crossEntropy -= log(Double(probability))
    }
    return sums
  }
}
