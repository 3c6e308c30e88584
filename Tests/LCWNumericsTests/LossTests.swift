// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWNumerics
import Testing

@Suite struct LossTests {
  private func loss(_ row: [Double], _ label: Int) -> Double {
    let largest = row.max() ?? 0
    return largest + log(row.reduce(0) { $0 + exp($1 - largest) }) - row[label]
  }

  private func rows(_ logits: Tensor) -> [[Double]] {
    (0..<logits.shape.rows).map { logits.row($0).map { Double($0) } }
  }

  private func labels(_ count: Int, classes: Int) -> [Int32] {
    var random = RandomStream(seed: 5)
    return (0..<count).map { _ in Int32(random.integer(below: classes)) }
  }

  @Test(arguments: [[1, 1], [5, 2], [33, 10], [4, 1000]], [Float(1), 30])
  func sumsAndGradient(size: [Int], deviation: Float) {
    let logits = normal(Shape(size), deviation: deviation)
    let labels = labels(size[0], classes: size[1])
    let rows = rows(logits)
    let expected = zip(rows, labels).reduce(0.0) { $0 + loss($1.0, Int($1.1)) }
    let correct = zip(rows, labels).count { $0[Int($1)] == $0.max() }
    let sums = logits.softmaxCrossEntropy(labels: labels[...])
    #expect(abs(sums.crossEntropy - expected) <= 1e-6 * max(1, expected))
    #expect(sums.correct == correct)
    #expect(sums.samples == size[0])

    var gradient = logits
    let again = gradient.becomeCrossEntropyGradient(labels: labels[...], scale: 0.25)
    #expect(abs(again.crossEntropy - expected) <= 1e-6 * max(1, expected))
    #expect((again.correct, again.samples) == (sums.correct, sums.samples))
    let exact = zip(rows, labels).flatMap { row, label in
      let largest = row.max() ?? 0
      let total = row.reduce(0) { $0 + exp($1 - largest) }
      return row.enumerated().map { 0.25 * (exp($1 - largest) / total - ($0 == label ? 1 : 0)) }
    }
    #expect(largestError(gradient.elements, exact) < 1e-6)
  }

  @Test func theGradientIsTheSlopeOfTheLoss() {
    let logits = normal([6, 5], deviation: 2)
    let labels = labels(6, classes: 5)
    var gradient = logits
    _ = gradient.becomeCrossEntropyGradient(labels: labels[...], scale: 1)
    let step = 1e-5
    let slopes = (0..<30).map { index in
      var row = rows(logits)[index / 5]
      row[index % 5] += step
      let above = loss(row, Int(labels[index / 5]))
      row[index % 5] -= 2 * step
      return (above - loss(row, Int(labels[index / 5]))) / (2 * step)
    }
    #expect(largestError(gradient.elements, slopes) < 1e-6)
  }

  @Test func labelsMayBeASliceOfMore() {
    let logits = normal([2, 3])
    let all: [Int32] = [0, 0, 2, 1, 0]
    #expect(
      logits.softmaxCrossEntropy(labels: all[2..<4])
        == logits.softmaxCrossEntropy(labels: [2, 1]))
  }

  @Test func largeLogitsDoNotOverflow() throws {
    let logits = try Tensor([1e30, -1e30, 3e38, 3e38], shape: [2, 2])
    let sums = logits.softmaxCrossEntropy(labels: [0, 1])
    #expect(abs(sums.crossEntropy - log(2)) < 1e-6)
  }

  @Test func theFirstOfEqualLogitsCounts() throws {
    let logits = Tensor(repeating: 1, shape: [2, 3])
    #expect(logits.softmaxCrossEntropy(labels: [0, 0]).correct == 2)
    #expect(logits.softmaxCrossEntropy(labels: [1, 2]).correct == 0)
  }

  @Test(arguments: 0..<3) func aRowWithNotANumberIsNeverRight(position: Int) {
    for label in [Int32(0), 1, 2] {
      var logits = Tensor(zeros: [1, 3])
      logits.elements[Int(label)] = 9
      logits.elements[position] = .nan
      let sums = logits.softmaxCrossEntropy(labels: [label])
      #expect(sums.correct == 0)
      #expect(sums.crossEntropy.isNaN)
    }
  }

  @Test func sumsAdd() {
    let logits = normal([8, 3])
    let labels = labels(8, classes: 3)
    var sums = ClassificationSums()
    for row in 0..<8 {
      let alone = Tensor(Array(logits.row(row))).reshaped([1, 3])
      sums += alone.softmaxCrossEntropy(labels: labels[row...row])
    }
    let whole = logits.softmaxCrossEntropy(labels: labels[...])
    #expect((sums.correct, sums.samples) == (whole.correct, whole.samples))
    #expect(abs(sums.crossEntropy - whole.crossEntropy) < 1e-12)
  }

  @Test func noSamples() {
    #expect(Tensor(zeros: [0, 3]).softmaxCrossEntropy(labels: []) == ClassificationSums())
  }
}
