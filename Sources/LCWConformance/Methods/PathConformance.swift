// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWPaths

/// Looks at one path.
struct PathConformance {
  let path: any ConnectionPath
  let pair: SuitePair
  let connect: MethodConformance.Connect

  init(
    _ path: any ConnectionPath, _ pair: SuitePair,
    again connect: @escaping MethodConformance.Connect
  ) {
    self.path = path
    self.pair = pair
    self.connect = connect
  }

  /// The parts that a stage is divided into.
  private static let steps = 32

  func brokenProperties() -> [BrokenProperty] {
    var broken: [BrokenProperty] = []
    guard !path.stages.isEmpty, path.network == pair.first.network,
      path.stages.allSatisfy({ $0.motions.count == path.network.parameters.count })
    else {
      broken.add(
        .hasPoints, "the path is of another network, or a stage has another number of motions")
      return broken
    }
    do {
      let times = (0...Self.steps * path.stages.count).map { Double($0) / Double(Self.steps) }
      let points = try path.weights(atEach: times)
      guard points.count == times.count else {
        broken.add(.hasPoints, "\(times.count) times give \(points.count) points")
        return broken
      }
      broken.add(.startsAtFirst, difference(try path.weights(at: 0), pair.first))
      broken.add(
        .endsAtSecond, difference(try path.weights(at: path.domain.upperBound), pair.second))
      if let index = points.firstIndex(where: { !$0.isFinite }) {
        broken.add(.isFinite, "the point at t = \(times[index]) is not finite")
        return broken
      }
      broken.add(.isContinuous, try jump(times, points))
      broken.add(.repeats, try unrepeated())
      broken.add(.agreesWithStructure, try disagreement())
      broken.add(.agreesWithStructure, try changedFunction())
      broken.add(.agreesWithStructure, try disagreeingEvaluation())
    } catch {
      broken.add(.hasPoints, "a point could not be computed: \(error)")
    }
    return broken
  }

  private func difference(_ point: Weights, _ end: Weights) -> String? {
    guard !point.isIdentical(to: end) else { return nil }
    let parameter = end.network.parameters.indices.first { !point[$0].isIdentical(to: end[$0]) }
    let name = parameter.map { end.network.parameters[$0].name } ?? "the network"
    return "\(name) differs on ‘\(end.network)’, the distance is \(point.distance(to: end))"
  }

  /// Every interval is halved again and again, and of its halves the one with the larger step is
  /// kept: at a jump that step does not shrink, elsewhere by half each time.
  private func jump(_ times: [Double], _ points: [Weights]) throws -> String? {
    struct Interval {
      var times: (Double, Double)
      var points: (Weights, Weights)
      var step: Double

      init(_ times: (Double, Double), _ points: (Weights, Weights)) {
        self.times = times
        self.points = points
        step = points.0.distance(to: points.1)
      }
    }
    var intervals = times.indices.dropLast().map {
      Interval((times[$0], times[$0 + 1]), (points[$0], points[$0 + 1]))
    }
    let largest = intervals.map(\.step).max() ?? 0
    for halving in 0..<20 {
      let middles = intervals.map { ($0.times.0 + $0.times.1) / 2 }
      let points = try path.weights(atEach: middles)
      intervals = intervals.indices.map { index in
        let whole = intervals[index]
        let left = Interval((whole.times.0, middles[index]), (whole.points.0, points[index]))
        let right = Interval((middles[index], whole.times.1), (points[index], whole.points.1))
        return left.step > right.step ? left : right
      }
      // By now jumps are larger than the steps of what only moves.
      if halving == 3 || halving == 7 {
        let kept = halving == 3 ? (intervals.count + 1) / 2 : 16
        intervals = Array(intervals.sorted { $0.step > $1.step }.prefix(kept))
      }
    }
    // A least-squares solution is steep where a feature appears; its inputs' single precision then
    // leaves steps that shrink no further.
    let size = pair.first.distance(to: Weights(zeros: path.network))
    let limit = max(2e-3 * largest, 1e-5 * (1 + size))
    guard let worst = intervals.max(by: { $0.step < $1.step }), !(worst.step <= limit) else {
      return nil
    }
    return
      "within \(worst.times.1 - worst.times.0) of t = \(worst.times.0) it moves by \(worst.step)"
  }

  private func unrepeated() throws -> String? {
    let again = try connect(pair.first, pair.second, pair.context)
    guard again.stages.count == path.stages.count else {
      return "it has \(path.stages.count) stages and then \(again.stages.count)"
    }
    for index in 0...8 {
      let t = path.domain.upperBound * Double(index) / 8
      guard try path.weights(at: t).isIdentical(to: again.weights(at: t)) else {
        return "the point at t = \(t) is another the second time"
      }
    }
    return nil
  }

  /// The stages' motions against the points, and points together against points one by one.
  private func disagreement() throws -> String? {
    for (index, stage) in path.stages.enumerated() {
      let places = [0, 0.25, 0.5, 0.8, 1]
      let together = try path.weights(atEach: places.map { Double(index) + $0 })
      guard together.count == places.count else {
        return "\(places.count) times give \(together.count) points"
      }
      for (place, other) in zip(places, together) {
        let t = Double(index) + place
        let point = try path.weights(at: t)
        for (parameter, motion) in zip(path.network.parameters.indices, stage.motions) {
          let (name, shape) = (
            path.network.parameters[parameter].name, path.network.parameters[parameter].shape
          )
          // The end of a stage is a point of the next one's, to which rounding may bring it.
          if place < 1, let told = motion.tensor(at: place, shape: shape),
            !isNear(told, point[parameter])
          {
            return "stage \(index + 1) tells another \(name) at t = \(t) than the point has"
          }
          if !isNear(other[parameter], point[parameter]) {
            return "\(name) at t = \(t) is another when several points are asked for"
          }
        }
      }
    }
    return nil
  }

  private func isNear(_ a: Tensor, _ b: Tensor) -> Bool {
    let size = b.elements.reduce(1) { max($0, abs($1)) }
    return a.shape == b.shape
      && zip(a.elements, b.elements).allSatisfy { abs($0 - $1) <= 1e-5 * size }
  }

  /// A stage that says so leaves the network's outputs as they are.
  private func changedFunction() throws -> String? {
    let runner = try Runner(path.network)
    let block = pair.samples.block(0..<pair.samples.count)
    for (index, stage) in path.stages.enumerated() where stage.keepsFunction {
      let outputs = try [0, 0.3, 0.7].map {
        runner.output(of: block, weights: try path.weights(at: Double(index) + $0))
      }
      let size = outputs[0].elements.reduce(1) { max($0, abs($1)) }
      for other in outputs.dropFirst() {
        let largest = zip(other.elements, outputs[0].elements).map { abs($0 - $1) }.max() ?? 0
        guard largest <= 1e-4 * size else {
          return
            "stage \(index + 1) says it keeps the function, but an output changes by \(largest)"
        }
      }
    }
    return nil
  }

  private func disagreeingEvaluation() throws -> String? {
    let times =
      path.stages.indices.flatMap { [Double($0), Double($0) + 0.4] } + [
        path.domain.upperBound
      ]
    let results = try PathEvaluator.Strategy.allCases.map {
      try PathEvaluator(strategy: $0, workers: Workers(2))
        .evaluate(path, at: times, on: pair.samples)
    }
    for (time, (a, b)) in zip(times, zip(results[0], results[1])) {
      guard abs(a.crossEntropy - b.crossEntropy) <= 1e-4 * (1 + abs(b.crossEntropy)) else {
        return "the loss at t = \(time) is \(a.crossEntropy) by the structure and "
          + "\(b.crossEntropy) by the point"
      }
    }
    return nil
  }
}
