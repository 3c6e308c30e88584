// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWPaths

/// A path and what was measured along it: what all tables and charts of paths are made from, whether it was
/// measured just now or read from the result of a step.
public struct MeasuredPath: Sendable {
  /// What a chart has to know of a stage.
  public struct Stage: Sendable, Hashable {
    /// What happens in it.
    public var label: String
    /// Whether it keeps the network's function; older results do not tell, and none does then.
    public var keepsFunction: Bool
  }

  /// The points and their summaries.
  public var evaluation: PathEvaluation
  /// The stages, a unit of t each.
  public var stages: [Stage]
  /// The t of the path's middle; older results do not tell.
  public var middleTime: Double?
  /// The seconds to learn or construct it, if it was made here; older results have but the sum.
  public var constructionSeconds: Double?
  /// The seconds to measure it; older results have but the sum.
  public var measuringSeconds: Double?
  /// Whether the seconds are those since an interruption alone.
  public var isResumed = false
  /// The seconds of all, where their parts are not told.
  private var allSeconds: Double?

  /// A path that was measured just now.
  ///
  /// - Parameters:
  ///   - path: The path.
  ///   - evaluation: What was measured.
  ///   - constructionSeconds: The seconds to learn or construct it, if it was made here.
  ///   - measuringSeconds: The seconds to measure it.
  public init(
    _ path: any ConnectionPath, _ evaluation: PathEvaluation, constructionSeconds: Double?,
    measuringSeconds: Double
  ) {
    self.evaluation = evaluation
    stages = path.stages.map { Stage(label: $0.label, keepsFunction: $0.keepsFunction) }
    middleTime = path.middle
    self.constructionSeconds = constructionSeconds
    self.measuringSeconds = measuringSeconds
  }

  /// All seconds.
  public var seconds: Double {
    allSeconds ?? (constructionSeconds ?? 0) + (measuringSeconds ?? 0)
  }

  /// What was measured in the path's middle, if that is one of the points.
  public var middle: PathEvaluation.Point? {
    middleTime.flatMap { time in evaluation.points.first { abs($0.t - time) < 1e-9 } }
  }
}

extension MeasuredPath {
  /// The fields of a step's result.
  ///
  /// - Parameter learningSeconds: Those seconds of the construction that a step before has told.
  func json(learningSeconds: Double) -> [String: JSONValue] {
    let construction = (constructionSeconds ?? 0) - learningSeconds
    var fields: [String: JSONValue] = [
      "construction_seconds": JSONValue(construction),
      "distance": JSONValue(evaluation.distance),
      "keeps_function": .array(stages.map { .bool($0.keepsFunction) }),
      "learning_seconds": JSONValue(learningSeconds), "length": JSONValue(evaluation.length),
      "measuring_seconds": JSONValue(measuringSeconds ?? 0),
      "points": .array(evaluation.points.map(\.json)), "resumed": .bool(isResumed),
      "stages": .array(stages.map { .string($0.label) }),
      "test": evaluation.test.json, "train": evaluation.train.json,
    ]
    fields["middle"] = middleTime.map(JSONValue.init)
    return fields
  }

  /// The path of a step's result.
  /// - Throws: ``ResultProblem`` if something in it can't be.
  init(_ reader: ResultReader) throws(ResultProblem) {
    stages = try MeasuredPath.stages(reader)
    let end = Double(stages.count)
    evaluation = try PathEvaluation(reader, stages: stages.count)
    if reader.has("middle") { middleTime = try reader.number("middle", in: 0...end) }
    func time(_ key: String) throws(ResultProblem) -> Double {
      try reader.number(key, in: 0...ResultLimits.seconds)
    }
    let learning = reader.has("learning_seconds") ? try time("learning_seconds") : 0
    allSeconds = try time("seconds") + learning
    if reader.has("construction_seconds"), reader.has("measuring_seconds") {
      constructionSeconds = try time("construction_seconds") + learning
      measuringSeconds = try time("measuring_seconds")
    }
    isResumed = try reader.truth("resumed")
  }

  private static func stages(_ reader: ResultReader) throws(ResultProblem) -> [Stage] {
    let values = try reader.list("stages", count: 1...ResultLimits.stages)
    let labels = values.compactMap(\.string)
    guard labels.count == values.count,
      labels.allSatisfy({ $0.utf8.count <= ResultLimits.labelBytes })
    else {
      throw ResultProblem(
        "stages", "a list of texts of at most \(ResultLimits.labelBytes) bytes")
    }
    guard reader.has("keeps_function") else {
      return labels.map { Stage(label: $0, keepsFunction: false) }
    }
    let kept = try reader.list("keeps_function", count: labels.count...labels.count)
      .compactMap(\.bool)
    guard kept.count == labels.count else {
      throw ResultProblem("keeps_function", "a list of true and false")
    }
    return zip(labels, kept).map { Stage(label: $0, keepsFunction: $1) }
  }
}
