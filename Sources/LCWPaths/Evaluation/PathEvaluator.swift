// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNetworks
public import LCWNumerics

/// Evaluates points of a path on samples.
///
/// The structured way looks at how the weights move. Layers before the first moving one are the
/// same at every point: they run once for each block of samples. The moving layer's weights are
/// Σⱼ cⱼ(t) · Bⱼ, so its pre-activations are Σⱼ cⱼ(t) · (Bⱼ x): each Bⱼ x is computed once, and a
/// point costs an element-wise combination and the rest of the network. For a two-layer network
/// that replaces as many passes as there are points by two. A stage that keeps the function is
/// evaluated at one point. Of a path all of whose stages bound the loss within them, such as a unit exchange,
/// the points between stages go one after the other, each computing what has changed.
public struct PathEvaluator: Sendable {
  /// How points are evaluated.
  public enum Strategy: String, Sendable, CaseIterable {
    /// By the structure of the path, where it tells one.
    case structured
    /// Each point's weights by themselves: slow, and obviously right.
    case pointByPoint = "point-by-point"
  }

  /// How points are evaluated.
  public var strategy: Strategy
  /// The threads; each takes whole blocks of samples.
  public var workers: Workers

  /// Where products of samples with weights are kept for evaluations that need the same; if this is nil, each
  /// evaluation computes them for itself.
  public var keptProducts: KeptProducts?

  /// Is told how far one pass over the samples has come: before each block of them, and between the
  /// points of a block. If it throws, the evaluation ends with that error.
  public var progress: @Sendable (ConnectionProgress) throws -> Void

  /// An evaluator.
  public init(
    strategy: Strategy = .structured, workers: Workers = .available,
    keeping keptProducts: KeptProducts? = nil,
    progress: @escaping @Sendable (ConnectionProgress) throws -> Void = { _ in }
  ) {
    self.strategy = strategy
    self.workers = workers
    self.keptProducts = keptProducts
    self.progress = progress
  }

  /// The cross-entropy and accuracy at each t on the samples.
  ///
  /// Blocks are summed in order, so that the result does not depend on the number of workers.
  ///
  /// - Throws: ``DataError`` if the samples do not fit, and what the path or a layer throws.
  public func evaluate(
    _ path: any ConnectionPath, at times: [Double], on samples: SampleSet
  ) throws -> [Metrics] {
    try samples.check(fits: path.network)
    guard strategy == .structured else {
      let runner = try Runner(path.network)
      return try times.enumerated().map { index, time in
        let tell: @Sendable (Double) throws -> Void = { [progress] share in
          try progress(
            ConnectionProgress(
              "point \(index + 1) of \(times.count)",
              share: (Double(index) + share) / Double(times.count)))
        }
        try tell(0)
        return try runner.evaluate(
          try path.weights(at: time), on: samples, workers: workers, progress: tell)
      }
    }
    var results = [Metrics?](repeating: nil, count: times.count)
    let joints = try jointMetrics(of: path, at: times, on: samples)
    for (index, time) in times.enumerated() { results[index] = joints[time] }
    let work = Dictionary(grouping: times.indices.filter { results[$0] == nil }) {
      path.position(of: times[$0]).stage
    }.sorted { $0.key < $1.key }
    for (done, (stage, indices)) in work.enumerated() {
      let stageTimes = indices.map { times[$0] }
      let distinct = path.stages[stage].keepsFunction ? Array(stageTimes.prefix(1)) : stageTimes
      let metrics = try StagePlan(path, stage: stage, times: distinct)
        .run(on: samples, keeping: keptProducts, workers: workers) { [progress] share in
          try progress(
            ConnectionProgress(
              "\(distinct.count.counted("point")) of ‘\(path.stages[stage].label)’",
              share: (Double(done) + share) / Double(work.count)))
        }
      for (position, index) in indices.enumerated() {
        results[index] = metrics[min(position, metrics.count - 1)]
      }
    }
    return results.compactMap(\.self)
  }

  /// The metrics at whole times of a path of bounded stages; nothing of others, or of few of them.
  private func jointMetrics(
    of path: any ConnectionPath, at times: [Double], on samples: SampleSet
  ) throws -> [Double: Metrics] {
    let joints = Set(times.filter { $0 == $0.rounded() && path.domain.contains($0) }).sorted()
    guard joints.count > 2, let bounds = path.lossBounds else { return [:] }
    // A stage that keeps the function has one loss.
    func representative(_ time: Double) -> Double {
      var time = time
      while time >= 1, bounds[Int(time) - 1] == .constant { time -= 1 }
      return time
    }
    let distinct = Set(joints.map(representative)).sorted()
    let points = try path.weights(atEach: distinct)
    let metrics = try PointSequence(points).run(on: samples, workers: workers) { [progress] share in
      try progress(
        ConnectionProgress("\(distinct.count.counted("point")) between stages", share: share))
    }
    let found = Dictionary(uniqueKeysWithValues: zip(distinct, metrics))
    return joints.reduce(into: [:]) { $0[$1] = found[representative($1)] }
  }
}
