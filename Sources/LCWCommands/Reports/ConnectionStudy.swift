// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWPaths
import LCWReport

/// Evaluated paths, to be printed as tables and written as a report.
struct ConnectionStudy {
  /// One path and what was measured along it.
  struct Entry {
    var name: String
    var path: any ConnectionPath
    var evaluation: PathEvaluation
    /// The time to construct the path, where it was constructed here.
    var connectSeconds: Double?
    var evaluateSeconds: Double

    /// Evaluates a path.
    init(
      name: String, path: any ConnectionPath, evaluator: PathEvaluator, data: EvaluationData,
      options: EvaluationOptions, connectSeconds: Double? = nil
    ) throws {
      let start = ContinuousClock.now
      self.name = name
      self.path = path
      self.connectSeconds = connectSeconds
      evaluation = try evaluator.evaluate(
        path, on: data, pointsPerUnit: options.points, refining: options.refine)
      evaluateSeconds = (ContinuousClock.now - start).seconds
    }
  }

  /// The command that made the study, for the record.
  var command: String
  /// What else is needed to repeat it.
  var seedNote: String?
  var dataset = ""
  var network = ""
  var entries: [Entry] = []

  init(command: String, seedNote: String?) {
    self.command = command
    self.seedNote = seedNote
  }

  /// The figures of each path.
  var summaryTable: Table {
    var table = Table(
      columns: [
        .init("path"),
        .init("worst train", key: "worst_train_accuracy", alignment: .number),
        .init("at t", key: "worst_train_t", alignment: .number),
        .init("worst test", key: "worst_test_accuracy", alignment: .number),
        .init("at t", key: "worst_test_t", alignment: .number),
        .init("barrier train", key: "train_barrier", alignment: .number),
        .init("barrier test", key: "test_barrier", alignment: .number),
        .init("mean loss train", key: "train_mean_loss", alignment: .number),
        .init("mean loss test", key: "test_mean_loss", alignment: .number),
        .init("length", alignment: .number),
        .init("connect s", key: "connect_seconds", alignment: .number),
        .init("evaluate s", key: "evaluate_seconds", alignment: .number),
      ])
    for entry in entries {
      let (train, test) = (entry.evaluation.train, entry.evaluation.test)
      table.append([
        .text(entry.name), .percent(train.worstAccuracy, decimals: 2),
        .number(train.worstAccuracyTime, decimals: 3), .percent(test.worstAccuracy, decimals: 2),
        .number(test.worstAccuracyTime, decimals: 3), .number(train.barrier, decimals: 4),
        .number(test.barrier, decimals: 4), .number(train.meanLoss, decimals: 4),
        .number(test.meanLoss, decimals: 4), .number(entry.evaluation.length, decimals: 2),
        entry.connectSeconds.map { .number($0, decimals: 2) } ?? .empty,
        .number(entry.evaluateSeconds, decimals: 2),
      ])
    }
    if let first = entries.first?.evaluation {
      table.append([
        "end points", .percent(first.train.endAccuracy, decimals: 2), .empty,
        .percent(first.test.endAccuracy, decimals: 2), .empty, .empty, .empty,
        .number(first.train.endLoss, decimals: 4), .number(first.test.endLoss, decimals: 4),
        .number(first.distance, decimals: 2), .empty, .empty,
      ])
    }
    return table
  }

  /// Every point of every path.
  func pointTable(gridOnly: Bool) -> Table {
    var table = Table(columns: [
      .init("path"), .init("t", alignment: .number),
      .init("train accuracy", key: "train_accuracy", alignment: .number),
      .init("train loss", key: "train_loss", alignment: .number),
      .init("test accuracy", key: "test_accuracy", alignment: .number),
      .init("test loss", key: "test_loss", alignment: .number),
      .init("on grid", key: "on_grid"),
    ])
    for entry in entries {
      for point in gridOnly ? entry.evaluation.grid : entry.evaluation.points {
        table.append([
          .text(entry.name), .number(point.t, decimals: 3),
          .percent(point.train.accuracy, decimals: 2),
          .number(point.train.crossEntropy, decimals: 5),
          .percent(point.test.accuracy, decimals: 2),
          .number(point.test.crossEntropy, decimals: 5),
          .text(point.isOnGrid ? "yes" : "no"),
        ])
      }
    }
    return table
  }

  /// The study as text: for people the figures, and the grid of a single path; as CSV every point;
  /// as JSON both.
  func text(as format: OutputFormat) -> String {
    switch format {
    case .table:
      let grid = entries.count == 1 ? pointTable(gridOnly: true).text + "\n\n" : ""
      return grid + summaryTable.text
    case .markdown: return summaryTable.markdown
    case .csv: return pointTable(gridOnly: false).csv
    case .json:
      return JSONValue.object([
        "command": .string(command), "dataset": .string(dataset), "network": .string(network),
        "program": .string(LCWVersion.program), "summary": summaryTable.json,
        "points": pointTable(gridOnly: false).json,
      ]).prettyText
    }
  }
}

extension Table {
  /// The table in a format.
  func text(as format: OutputFormat) -> String {
    switch format {
    case .table: text
    case .csv: csv
    case .markdown: markdown
    case .json: json.prettyText
    }
  }
}
