// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNetworks
import LCWNumerics

/// The samples a path is evaluated on.
public struct EvaluationData: Sendable {
  /// The samples the networks were trained on, not augmented.
  public var train: SampleSet
  /// The samples they were not.
  public var test: SampleSet

  /// Both parts.
  public init(train: SampleSet, test: SampleSet) {
    self.train = train
    self.test = test
  }
}

/// What was measured along a path.
public struct PathEvaluation: Sendable, Hashable {
  /// A point of the path.
  public struct Point: Sendable, Hashable {
    /// Its time.
    public var t: Double
    /// On the training samples.
    public var train: Metrics
    /// On the test samples.
    public var test: Metrics
    /// Whether it is on the grid, rather than added to find the worst point.
    public var isOnGrid: Bool

    /// A point.
    public init(t: Double, train: Metrics, test: Metrics, isOnGrid: Bool) {
      self.t = t
      self.train = train
      self.test = test
      self.isOnGrid = isOnGrid
    }

    /// Whether both losses are numbers.
    var isFinite: Bool { train.crossEntropy.isFinite && test.crossEntropy.isFinite }
  }

  /// The figures of one part of the data.
  public struct Summary: Sendable, Hashable {
    /// The worst accuracy along the path.
    public var worstAccuracy: Double
    /// Where that is.
    public var worstAccuracyTime: Double
    /// The largest mean cross-entropy along the path.
    public var worstLoss: Double
    /// Where that is.
    public var worstLossTime: Double
    /// The largest excess of the loss over the straight line between the end points' losses.
    public var barrier: Double
    /// The largest excess of the loss over the mean of the end points' losses.
    public var barrierAboveMean: Double
    /// The mean loss by the path's length: ∫ L ds / ∫ ds.
    public var meanLoss: Double
    /// The mean of the end points' accuracies.
    public var endAccuracy: Double
    /// The mean of the end points' losses.
    public var endLoss: Double

    /// Figures.
    public init(
      worstAccuracy: Double, worstAccuracyTime: Double, worstLoss: Double, worstLossTime: Double,
      barrier: Double, barrierAboveMean: Double, meanLoss: Double, endAccuracy: Double,
      endLoss: Double
    ) {
      self.worstAccuracy = worstAccuracy
      self.worstAccuracyTime = worstAccuracyTime
      self.worstLoss = worstLoss
      self.worstLossTime = worstLossTime
      self.barrier = barrier
      self.barrierAboveMean = barrierAboveMean
      self.meanLoss = meanLoss
      self.endAccuracy = endAccuracy
      self.endLoss = endLoss
    }
  }

  /// The points, ascending in t.
  public var points: [Point]
  /// The number of stages.
  public var stages: Int
  /// The Euclidean length in weight space, summed over the grid but for stages that tell theirs.
  public var length: Double
  /// The distance between the end points.
  public var distance: Double
  /// On the training samples.
  public var train: Summary
  /// On the test samples.
  public var test: Summary
  /// The number of points that the largest losses are the largest of, where no point of the path between
  /// them can have a larger one; see ``LossBound``. Nothing if points between were looked at and others may
  /// be worse.
  public var provenStates: Int?

  /// Measurements.
  public init(
    points: [Point], stages: Int, length: Double, distance: Double, train: Summary, test: Summary
  ) {
    self.points = points
    self.stages = stages
    self.length = length
    self.distance = distance
    self.train = train
    self.test = test
  }

  /// The points of the grid alone, for display.
  public var grid: [Point] { points.filter(\.isOnGrid) }
}

extension PathEvaluator {
  /// The rounds by which the worst points are refined; each narrows the spacing fivefold.
  private static let refinements = 2
  /// The points a round adds in each gap beside a worst one.
  private static let pointsInGap = 4

  /// Evaluates a path on both parts of the data, at a grid and around its worst points.
  ///
  /// Of a path of several stages each of which bounds the loss within it, the points are those between
  /// stages: none has a larger loss. Of others, points are added after the grid on both sides of the worst
  /// accuracy and the worst loss of each part, twice, so that "worst" depends little on the grid: with 21
  /// points to a unit the spacing there becomes 1/500.
  ///
  /// - Parameters:
  ///   - path: The path.
  ///   - data: The samples.
  ///   - pointsPerUnit: The points of the grid on each unit of t, both ends counted; at least 2.
  ///   - refining: Whether to look for the worst points between those of the grid.
  /// - Throws: `ConnectionError.overflow` if the loss of an end point is not finite, for every figure
  ///   would be relative to it, and what evaluating points throws.
  public func evaluate(
    _ path: any ConnectionPath, on data: EvaluationData, pointsPerUnit: Int = 21,
    refining: Bool = true
  ) throws -> PathEvaluation {
    precondition(pointsPerUnit >= 2, "a grid has two points or more")
    keptProducts?.beginEvaluation()
    let bounds = path.stages.count > 1 ? path.lossBounds : nil
    let grid = path.grid(pointsPerUnit: bounds == nil ? pointsPerUnit : 2)
    var points = try measure(path, at: grid, on: data, isOnGrid: true)
    try requireFiniteEnds(points, path, on: data)
    if refining && bounds == nil {
      for _ in 0..<PathEvaluator.refinements {
        let times = newTimes(around: points)
        points += try measure(path, at: times, on: data, isOnGrid: false)
        points.sort { $0.t < $1.t }
      }
    }
    var result = try summary(of: points, path)
    result.provenStates = bounds?.states
    return result
  }

  /// Evaluates a path at its ends and in its middle alone, ``ConnectionPath/middle``: what merging is judged
  /// by, in three passes over the data. The length is that of the two straight lines between these points.
  /// - Throws: As ``evaluate(_:on:pointsPerUnit:refining:)``.
  public func evaluateMiddle(
    _ path: any ConnectionPath, on data: EvaluationData
  ) throws -> PathEvaluation {
    keptProducts?.beginEvaluation()
    let times = [path.domain.lowerBound, path.middle, path.domain.upperBound]
    let points = try measure(path, at: times, on: data, isOnGrid: true)
    try requireFiniteEnds(points, path, on: data)
    let weights = try times.map { try path.weights(at: $0) }
    let lengths = [weights[0].distance(to: weights[1]), weights[1].distance(to: weights[2])]
    return PathEvaluation(
      points: points, stages: path.stages.count, length: lengths[0] + lengths[1],
      distance: weights[0].distance(to: weights[2]),
      train: points.summary(\.train, grid: points, lengths: lengths),
      test: points.summary(\.test, grid: points, lengths: lengths))
  }

  private func requireFiniteEnds(
    _ points: [PathEvaluation.Point], _ path: any ConnectionPath, on data: EvaluationData
  ) throws {
    let ends = [points.first, points.last].compactMap(\.self)
    guard !ends.allSatisfy(\.isFinite) else { return }
    // A combination's zero times infinity is no number, so that one end spoils the other.
    var exact = self
    exact.strategy = .pointByPoint
    for (end, name) in zip(ends, ["the start", "the end"]) {
      let alone = try exact.measure(path, at: [end.t], on: data, isOnGrid: true)
      guard alone.allSatisfy(\.isFinite) else { throw ConnectionError.overflow(end: name) }
    }
    throw ConnectionError.overflow(end: "an end")
  }

  private func measure(
    _ path: any ConnectionPath, at times: [Double], on data: EvaluationData, isOnGrid: Bool
  ) throws -> [PathEvaluation.Point] {
    guard !times.isEmpty else { return [] }
    let train = try evaluate(path, at: times, on: data.train)
    let test = try evaluate(path, at: times, on: data.test)
    return times.indices.map {
      PathEvaluation.Point(t: times[$0], train: train[$0], test: test[$0], isOnGrid: isOnGrid)
    }
  }

  private func newTimes(around points: [PathEvaluation.Point]) -> [Double] {
    var worst: Set<Int> = []
    for part in [\PathEvaluation.Point.train, \.test] {
      worst.formUnion(points.worstAccuracies(part))
      worst.insert(points.worstLoss(part))
    }
    var times: Set<Double> = []
    for index in worst {
      for gap in [index - 1, index] where gap >= 0 && gap + 1 < points.count {
        let (lower, upper) = (points[gap].t, points[gap + 1].t)
        for part in 1...PathEvaluator.pointsInGap {
          let share = Double(part) / Double(PathEvaluator.pointsInGap + 1)
          times.insert(lower + (upper - lower) * share)
        }
      }
    }
    return times.sorted()
  }

  private func summary(
    of points: [PathEvaluation.Point], _ path: any ConnectionPath
  ) throws -> PathEvaluation {
    let grid = points.filter(\.isOnGrid)
    var lengths: [Double] = []
    let first = try path.weights(at: grid[0].t)
    var previous = first
    for (start, point) in zip(grid, grid.dropFirst()) {
      // A point that only the path can compute may be the solution of a problem over all samples.
      try progress(
        ConnectionProgress("measuring its length", share: start.t / grid[grid.count - 1].t))
      let next = try path.weights(at: point.t)
      let known = path.stages[path.position(of: start.t).stage].length
      lengths.append(known.map { $0 * (point.t - start.t) } ?? previous.distance(to: next))
      previous = next
    }
    return PathEvaluation(
      points: points, stages: path.stages.count, length: lengths.reduce(0, +),
      distance: first.distance(to: previous),
      train: points.summary(\.train, grid: grid, lengths: lengths),
      test: points.summary(\.test, grid: grid, lengths: lengths))
  }
}

extension [PathEvaluation.Point] {
  fileprivate func worstAccuracy(_ part: KeyPath<Element, Metrics>) -> Int {
    indices.min {
      self[$0][keyPath: part].accuracy < self[$1][keyPath: part].accuracy
    } ?? 0
  }

  // Accuracy has few values: of a plateau of equally bad points both edges and the middle are
  // looked around.
  fileprivate func worstAccuracies(_ part: KeyPath<Element, Metrics>) -> [Int] {
    let worst = self[worstAccuracy(part)][keyPath: part].accuracy
    let equal = indices.filter { self[$0][keyPath: part].accuracy == worst }
    return equal.isEmpty ? [] : [equal[0], equal[equal.count / 2], equal[equal.count - 1]]
  }

  // A loss that is not a number is worse than any.
  fileprivate func worstLoss(_ part: KeyPath<Element, Metrics>) -> Int {
    indices.max {
      let (a, b) = (self[$0][keyPath: part].crossEntropy, self[$1][keyPath: part].crossEntropy)
      return (a.isNaN ? .infinity : a) < (b.isNaN ? .infinity : b)
    } ?? 0
  }

  fileprivate func summary(
    _ part: KeyPath<Element, Metrics>, grid: [Element], lengths: [Double]
  ) -> PathEvaluation.Summary {
    let (first, last) = (self[0][keyPath: part], self[count - 1][keyPath: part])
    let duration = self[count - 1].t - self[0].t
    let barrier = map { point in
      let share = (point.t - self[0].t) / duration
      let line = (1 - share) * first.crossEntropy + share * last.crossEntropy
      return point[keyPath: part].crossEntropy - line
    }
    let weighted = lengths.indices.map { index in
      lengths[index]
        * (grid[index][keyPath: part].crossEntropy + grid[index + 1][keyPath: part].crossEntropy)
        / 2
    }
    let length = lengths.reduce(0, +)
    let (accuracy, loss) = (worstAccuracy(part), worstLoss(part))
    return PathEvaluation.Summary(
      worstAccuracy: self[accuracy][keyPath: part].accuracy,
      worstAccuracyTime: self[accuracy].t,
      worstLoss: self[loss][keyPath: part].crossEntropy,
      worstLossTime: self[loss].t,
      barrier: barrier.contains(where: \.isNaN) ? .nan : barrier.max() ?? 0,
      barrierAboveMean: self[loss][keyPath: part].crossEntropy
        - (first.crossEntropy + last.crossEntropy) / 2,
      meanLoss: length > 0 || length.isNaN ? weighted.reduce(0, +) / length : first.crossEntropy,
      endAccuracy: (first.accuracy + last.accuracy) / 2,
      endLoss: (first.crossEntropy + last.crossEntropy) / 2)
  }
}
