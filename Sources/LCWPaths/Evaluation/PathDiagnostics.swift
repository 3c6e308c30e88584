// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNetworks
import LCWNumerics

/// What the predictions along a path are like, beside their loss and accuracy.
public struct PathDiagnostics: Sendable, Hashable {
  /// The predictions at a point.
  public struct Point: Sendable, Hashable {
    /// Its time.
    public var t: Double
    /// The expected calibration error, from 0 to 1: over 15 bins of equal width, how much the mean
    /// confidence differs from the accuracy (Guo et al. 2017, equation 3).
    public var calibrationError: Double
    /// The share of samples to which the path's start gives another answer.
    public var disagreementWithStart: Double
    /// The share of samples to which the path's end gives another answer.
    public var disagreementWithEnd: Double
  }

  /// The points, in the order in which they were asked for.
  public var points: [Point]
  /// Loss and accuracy of the ensemble of all points: their probabilities averaged.
  public var ensemble: Metrics
}

extension PathEvaluator {
  /// Looks at the predictions at points of a path.
  ///
  /// Each point runs by itself, with all of its samples.
  ///
  /// - Parameters:
  ///   - path: The path.
  ///   - times: The points: one or more.
  ///   - samples: The samples.
  /// - Throws: ``DataError`` if the samples do not fit, and what the path throws.
  public func diagnose(
    _ path: any ConnectionPath, at times: [Double], on samples: SampleSet
  ) throws -> PathDiagnostics {
    try samples.check(fits: path.network)
    let runner = try Runner(path.network)
    let blocks = samples.ranges(ofSize: runner.evaluationBlock)
    var means = blocks.map {
      SoftmaxMean(samples: $0.count, classes: path.network.outputShape.count)
    }
    var answers: [[Int32]] = []
    var errors: [Double] = []
    // The ends answer too, wherever the points are.
    let all = [path.domain.lowerBound, path.domain.upperBound] + times
    for (index, time) in all.enumerated() {
      try progress(
        ConnectionProgress(
          "predictions at point \(max(1, index - 1)) of \(times.count)",
          share: Double(index) / Double(all.count)))
      let weights = try path.weights(at: time)
      let isEnd = index < 2
      let given = means
      let found = try workers.map(blocks.count) { block in
        let logits = runner.output(of: samples.block(blocks[block]), weights: weights)
        var mean = given[block]
        if !isEnd { mean.add(logits) }
        return (mean: mean, answers: Answers(logits, labels: samples.labels[blocks[block]]))
      }
      if !isEnd {
        means = found.map(\.mean)
        errors.append(Bins(adding: found.map(\.answers.bins)).calibrationError)
      }
      answers.append(found.flatMap(\.answers.classes))
    }
    let sums = zip(means, blocks).reduce(into: ClassificationSums()) { sums, block in
      sums += block.0.sums(labels: samples.labels[block.1])
    }
    func disagreement(_ a: [Int32], _ b: [Int32]) -> Double {
      Double(zip(a, b).count { $0 != $1 }) / Double(a.count)
    }
    return PathDiagnostics(
      points: times.indices.map {
        PathDiagnostics.Point(
          t: times[$0], calibrationError: errors[$0],
          disagreementWithStart: disagreement(answers[$0 + 2], answers[0]),
          disagreementWithEnd: disagreement(answers[$0 + 2], answers[1]))
      }, ensemble: Metrics(sums))
  }
}

/// The answers to a block of samples, and how sure they are.
private struct Answers: Sendable {
  /// The class with the largest probability, the first of equal ones; −1 where that is no number.
  var classes: [Int32] = []
  var bins = Bins()

  init(_ logits: Tensor, labels: ArraySlice<Int32>) {
    var probabilities = logits
    probabilities.softmax(axis: 1)
    for (row, label) in labels.enumerated() {
      let values = probabilities.row(row)
      guard !values.contains(where: \.isNaN), let most = values.max(),
        let place = values.firstIndex(of: most)
      else {
        classes.append(-1)
        bins.add(confidence: 0, isRight: false)
        continue
      }
      let answer = Int32(place - values.startIndex)
      classes.append(answer)
      bins.add(confidence: Double(most), isRight: answer == label)
    }
  }
}

/// Answers by how sure they are.
private struct Bins: Sendable {
  private static let count = 15
  private var samples = [Int](repeating: 0, count: count)
  private var right = [Int](repeating: 0, count: count)
  private var confidence = [Double](repeating: 0, count: count)

  init() {}

  init(adding parts: [Bins]) {
    for part in parts {
      for bin in 0..<Self.count {
        samples[bin] += part.samples[bin]
        right[bin] += part.right[bin]
        confidence[bin] += part.confidence[bin]
      }
    }
  }

  mutating func add(confidence: Double, isRight: Bool) {
    let bin = min(Self.count - 1, Int(confidence * Double(Self.count)))
    samples[bin] += 1
    right[bin] += isRight ? 1 : 0
    self.confidence[bin] += confidence
  }

  /// Σ over the bins of |right answers − confidence|, by the number of samples.
  var calibrationError: Double {
    let all = samples.reduce(0, +)
    guard all > 0 else { return 0 }
    return zip(right, confidence).reduce(0) { $0 + abs(Double($1.0) - $1.1) } / Double(all)
  }
}
