// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

/// Points of a path for which something was solved, with the solutions: an archive may keep them, so that
/// nothing is solved for these points again.
///
/// Only parameters whose motion the path alone knows are kept; the others follow from the path. Whole t,
/// where stages meet, and stages that restore an order are left to the path: they cost it little, and
/// the ends stay what they are.
public struct KeptPoints: Sendable {
  /// The solutions of a point, by the parameter's index.
  typealias Solution = [Int: Tensor]

  let solutions: [Double: Solution]

  /// The times of the points, in order.
  public var times: [Double] { solutions.keys.sorted() }

  /// The bytes of all solutions.
  public var bytes: Int {
    solutions.values.reduce(0) { $0 + $1.values.reduce(0) { $0 + 4 * $1.count } }
  }

  init(_ solutions: [Double: Solution]) { self.solutions = solutions }

  /// The points of a path at those of several times where something is solved for.
  /// - Throws: What computing a point throws.
  public init(of path: any ConnectionPath, at times: [Double]) throws {
    let solved = times.compactMap { t in
      let parameters = path.solvedParameters(at: t)
      return parameters.isEmpty ? nil : (t, parameters)
    }
    let points = try path.weights(atEach: solved.map(\.0))
    solutions = Dictionary(
      zip(solved, points).map { place, weights in
        (place.0, Dictionary(uniqueKeysWithValues: place.1.map { ($0, weights[$0]) }))
      }
    ) { first, _ in first }
  }

  /// A path that takes these points from here, and all others from the path given.
  func resumed(by path: any ConnectionPath) -> any ConnectionPath {
    KeptPath(path: path, kept: self)
  }
}

extension ConnectionPath {
  /// The parameters that the path solves for at t.
  fileprivate func solvedParameters(at t: Double) -> [Int] {
    let (number, time) = position(of: t)
    let stage = stages[number]
    guard time > 0, time < 1, !stage.restoresOrder else { return [] }
    return stage.motions.indices.filter { stage.motions[$0].isOpaque }
  }

  /// The times of a grid with so many points on each stage, both ends counted.
  public func grid(pointsPerUnit: Int) -> [Double] {
    let steps = max(1, pointsPerUnit - 1)
    return (0...stages.count * steps).map { Double($0) / Double(steps) }
  }
}

/// A path some of whose points are kept.
private struct KeptPath: ConnectionPath {
  let path: any ConnectionPath
  let kept: KeptPoints

  var network: Network { path.network }
  var stages: [PathStage] { path.stages }
  var remarks: [PathRemark] {
    path.remarks + [
      PathRemark("points whose solutions the archive keeps", Double(kept.times.count))
    ]
  }

  func weights(at t: Double) throws -> Weights { try weights(atEach: [t])[0] }

  func weights(atEach times: [Double]) throws -> [Weights] {
    // What is kept must be all that the path would solve for.
    let known = times.map { t in
      kept.solutions[t].flatMap { solution in
        let solved = path.solvedParameters(at: t)
        return !solved.isEmpty && solved.allSatisfy { solution[$0] != nil } ? solution : nil
      }
    }
    var others = try path.weights(
      atEach: zip(times, known).compactMap { $1 == nil ? $0 : nil }
    )[...]
    return try zip(times, known).map { t, solution in
      guard let solution else { return others.removeFirst() }
      return try weights(at: t, opaque: solution)
    }
  }
}
