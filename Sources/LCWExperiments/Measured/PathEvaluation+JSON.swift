// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWPaths

extension Metrics {
  /// `[accuracy, mean cross-entropy]`.
  var json: JSONValue { .array([JSONValue(accuracy), JSONValue(crossEntropy)]) }

  init?(_ json: JSONValue?) {
    guard let numbers = json?.array?.compactMap(\.double), numbers.count == 2 else { return nil }
    self.init(crossEntropy: numbers[1], accuracy: numbers[0])
  }
}

extension PathEvaluation {
  /// The measurements of a step's result. What a summary of an older version lacks follows from the points.
  /// - Throws: ``ResultProblem`` if something in it can't be.
  init(_ reader: ResultReader, stages: Int) throws(ResultProblem) {
    let end = Double(stages)
    var points: [Point] = []
    for json in try reader.list("points", count: 2...ResultLimits.points) {
      let point = try ResultReader(json, "points")
      points.append(
        Point(
          t: try point.number("t", in: (points.last?.t ?? 0)...end),
          train: try point.metrics("train"), test: try point.metrics("test"),
          isOnGrid: try point.truth("grid")))
    }
    guard points.count(where: \.isOnGrid) > 1 else {
      throw ResultProblem("points", "a list of points, two or more of which are of the grid")
    }
    self.init(
      points: points, stages: stages, length: try reader.measure("length"),
      distance: try reader.measure("distance"),
      train: try Summary(try reader.object("train"), of: points.map { ($0.t, $0.train) }, end: end),
      test: try Summary(try reader.object("test"), of: points.map { ($0.t, $0.test) }, end: end))
  }
}

extension PathEvaluation.Point {
  /// The fields of a step's result.
  var json: JSONValue {
    .object([
      "grid": .bool(isOnGrid), "t": JSONValue(t), "test": test.json, "train": train.json,
    ])
  }
}

extension PathEvaluation.Summary {
  /// The fields of a step's result; the rest follows from the points.
  var json: JSONValue {
    .object([
      "barrier": JSONValue(barrier), "mean_loss": JSONValue(meanLoss),
      "worst_accuracy": JSONValue(worstAccuracy), "worst_accuracy_t": JSONValue(worstAccuracyTime),
      "worst_loss": JSONValue(worstLoss),
    ])
  }

  /// - Parameter points: The times and what was measured there, ascending; two or more.
  fileprivate init(
    _ reader: ResultReader, of points: [(t: Double, metrics: Metrics)], end: Double
  ) throws(ResultProblem) {
    func order(_ loss: Double) -> Double { loss.isNaN ? .infinity : loss }
    let worst = points.max { order($0.metrics.crossEntropy) < order($1.metrics.crossEntropy) }
    let largest =
      reader.has("worst_loss")
      ? try reader.measure("worst_loss") : worst?.metrics.crossEntropy ?? .nan
    let ends = [points.first, points.last].compactMap { $0?.metrics }
    let endLoss = ends.reduce(0) { $0 + $1.crossEntropy } / 2
    self.init(
      worstAccuracy: try reader.number("worst_accuracy", in: 0...1),
      worstAccuracyTime: try reader.number("worst_accuracy_t", in: 0...end), worstLoss: largest,
      worstLossTime: worst?.t ?? 0, barrier: try reader.measure("barrier", isSigned: true),
      barrierAboveMean: largest - endLoss, meanLoss: try reader.measure("mean_loss"),
      endAccuracy: ends.reduce(0) { $0 + $1.accuracy } / 2, endLoss: endLoss)
  }
}
