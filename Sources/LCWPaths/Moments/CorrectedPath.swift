// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import Synchronization

/// What changes single points of a path by what is measured at them.
protocol PointCorrection: Sendable {
  /// What was found at a point: some numbers for each channel.
  associatedtype Change: Sendable

  /// The parameters that are changed in a stage; none where its points stay what they are.
  func changedParameters(inStage stage: Int) -> Set<Int>
  /// Whether the point at a time stays what it is.
  func leaves(_ t: Double) -> Bool
  /// How many points may be looked at at the same time, each by a thread of its own.
  func simultaneous(_ workers: Workers) -> Int
  /// What is to be changed of the path's point at a time.
  func change(of point: Weights, at t: Double, workers: Workers) throws -> Change
  /// Changes a point.
  func apply(_ change: Change, to point: inout Weights)
}

/// A path whose points are those of another one, corrected.
///
/// What was found at a point is kept, a few numbers for each channel: points are asked for several times.
struct CorrectedPath<Correction: PointCorrection>: ConnectionPath {
  let stages: [PathStage]
  let remarks: [PathRemark]
  private let path: any ConnectionPath
  private let correction: Correction
  private let workers: Workers
  private let progress: @Sendable (ConnectionProgress) throws -> Void
  private let known = ChangeMemory<Correction.Change>()

  init(
    _ path: any ConnectionPath, by correction: Correction, remarks: [PathRemark] = [],
    in context: ConnectionContext
  ) {
    self.path = path
    self.correction = correction
    self.remarks = path.remarks + remarks
    workers = context.workers
    progress = context.progress
    stages = path.stages.enumerated().map { index, stage in
      let changed = correction.changedParameters(inStage: index)
      guard !changed.isEmpty else { return stage }
      var stage = stage
      for parameter in changed { stage.motions[parameter] = .opaque }
      stage.keepsFunction = false
      stage.length = nil
      return stage
    }
  }

  var network: Network { path.network }

  func weights(at t: Double) throws -> Weights {
    var point = try path.weights(at: t)
    let time = time(of: t)
    guard !correction.leaves(time) else { return point }
    for change in try changes(of: [time: point]).values { correction.apply(change, to: &point) }
    return point
  }

  func weights(atEach times: [Double]) throws -> [Weights] {
    var points = try path.weights(atEach: times)
    let clamped = times.map(time)
    let inner = Dictionary(zip(clamped, points).filter { !correction.leaves($0.0) }) { $1 }
    let changes = try changes(of: inner)
    for (index, time) in clamped.enumerated() {
      if let change = changes[time] { correction.apply(change, to: &points[index]) }
    }
    return points
  }

  private func time(of t: Double) -> Double {
    let (stage, time) = position(of: t)
    return Double(stage) + time
  }

  private func changes(of points: [Double: Weights]) throws -> [Double: Correction.Change] {
    var changes = known.changes(at: points.keys)
    let missing = points.filter { changes[$0.key] == nil }.sorted { $0.key < $1.key }
    guard !missing.isEmpty else { return changes }
    let together = min(correction.simultaneous(workers), missing.count)
    let inner = together > 1 ? Workers.serial : workers
    let found = try Workers(together).map(missing.count) { index in
      try progress(
        ConnectionProgress(
          "measuring at \(missing.count.counted("point"))",
          share: Double(index) / Double(missing.count)))
      return try correction.change(
        of: missing[index].value, at: missing[index].key, workers: inner)
    }
    for (point, change) in zip(missing, found) {
      changes[point.key] = change
      known.keep(change, at: point.key)
    }
    return changes
  }
}

/// What was found at points.
private final class ChangeMemory<Change: Sendable>: Sendable {
  private let changes = Mutex<[Double: Change]>([:])
  /// The most points that are kept.
  private let capacity = 4096

  func changes(at times: some Sequence<Double>) -> [Double: Change] {
    changes.withLock { changes in
      Dictionary(uniqueKeysWithValues: times.compactMap { t in changes[t].map { (t, $0) } })
    }
  }

  func keep(_ change: Change, at t: Double) {
    changes.withLock { if $0.count < capacity { $0[t] = change } }
  }
}

/// Which part of a path's time goes by while units move from the first network's to the second's.
struct MovingTime: Sendable {
  /// The stages that neither keep the function nor only restore an order.
  let stages: [Int]

  init(of path: any ConnectionPath) {
    stages = path.stages.indices.filter { path.stages[$0].isOnTheWay }
  }

  /// When the first of them begins and the last of them ends.
  var span: (start: Double, end: Double) {
    (Double(stages.first ?? 0), Double((stages.last ?? -1) + 1))
  }

  /// The share of them that is over.
  func share(at t: Double) -> Double {
    let over = stages.reduce(0.0) { $0 + min(1, max(0, t - Double($1))) }
    return stages.isEmpty ? 0 : over / Double(stages.count)
  }
}
