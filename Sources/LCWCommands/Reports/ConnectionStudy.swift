// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWExperiments
import LCWNetworks
import LCWNumerics
import LCWPaths
import LCWReport

/// Evaluated paths, to be printed as tables and written as a report.
struct ConnectionStudy {
  /// One path and what was measured along it.
  struct Entry {
    var name: String
    var path: any ConnectionPath
    /// The method's row of the overview; nothing if the path was read and its method is no plugin
    /// here.
    var traits: MethodTraits?
    var measured: MeasuredPath
    /// What the predictions on the test samples are like, if that was asked for.
    var diagnostics: PathDiagnostics?
    /// What the hidden units of each layer are like on training samples, if that was asked for.
    var layers: LayerDiagnostics?
    /// The neurons of both networks as a learned connection sees them.
    var normalised: (a: Tensor, b: Tensor)?

    /// Evaluates a path.
    init(
      name: String, path: any ConnectionPath, traits: MethodTraits?, evaluator: PathEvaluator,
      data: EvaluationData, options: EvaluationOptions, connectSeconds: Double? = nil,
      isDiagnosed: Bool = false
    ) throws {
      let start = ContinuousClock.now
      self.name = name
      self.path = path
      self.traits = traits
      let evaluation = try evaluator.evaluate(
        path, on: data, pointsPerUnit: options.points, refining: options.refine)
      if isDiagnosed {
        let times = evaluation.grid.map(\.t)
        diagnostics = try evaluator.diagnose(path, at: times, on: data.test)
        layers = try evaluator.diagnoseLayers(of: path, at: times, on: data.train)
      }
      measured = MeasuredPath(
        path, evaluation, constructionSeconds: connectSeconds,
        measuringSeconds: (ContinuousClock.now - start).seconds)
    }

    /// The points and their summaries.
    var evaluation: PathEvaluation { measured.evaluation }
  }

  /// The command that made the study, for the record.
  var command: String
  /// What else is needed to repeat it.
  var seedNote: String?
  /// What the paths were evaluated on.
  var samples: SamplePreparation?
  var network = ""
  var entries: [Entry] = []

  /// The paths that an interruption kept from being measured.
  var unmeasured: [String] = []

  init(command: String, seedNote: String?) {
    self.command = command
    self.seedNote = seedNote
  }

  /// The data set's name with its options.
  var dataset: String { samples.map { "\($0.dataset)" } ?? "" }

  /// The end points' figures, if all paths join the same two networks.
  var sharedEnds: (first: PathEvaluation.Point, last: PathEvaluation.Point)? {
    guard let first = entries.first?.evaluation.points.first,
      let last = entries.first?.evaluation.points.last
    else { return nil }
    let isShared = entries.allSatisfy { entry in
      let points = entry.evaluation.points
      return points.first?.agrees(with: first) == true && points.last?.agrees(with: last) == true
    }
    return isShared ? (first, last) : nil
  }

  /// The figures of each path, and of the networks at their ends if they are the same.
  var summaryTable: Table {
    let ends = sharedEnds.map { [("start", $0.first), ("end", $0.last)] } ?? []
    var table = Table(
      names: [.init("path")],
      figures: [
        .worstAccuracy(.train), .worstTime(.train, isRounded: true), .worstAccuracy(.test),
        .worstTime(.test, isRounded: true), .largestLoss(.train), .barrier(.train),
        .barrier(.test), .meanLoss(.train), .meanLoss(.test),
      ],
      rows: rows
        + ends.map { name, point in
          PathRow([.text(name)], .ends([EndPoint(train: point.train, test: point.test)]))
        })
    if let samples { table.notes.append(samples.note) }
    return table
  }

  /// The length of each path and the time it took.
  var costTable: Table {
    Table(
      names: [.init("path")],
      figures: [
        .stages, .length(decimals: 2), .distance("distance of the ends", decimals: 2), .gridPoints,
        .points, .construction("connect s", key: "connect_seconds", decimals: 2),
        .measuring("evaluate s", key: "evaluate_seconds", decimals: 2),
      ], rows: rows)
  }

  private var rows: [PathRow] { entries.map { PathRow([.text($0.name)], .path($0.measured)) } }

  /// Every point of every path, with whether it is on the grid.
  var pointTable: Table {
    pointTable(of: \.points, more: [.init("on grid", key: "on_grid")]) {
      [.text($0.isOnGrid ? "yes" : "no")]
    }
  }

  /// The points of every path's grid.
  var gridTable: Table { pointTable(of: \.grid) }

  /// The points of the only path's grid, evenly spaced ones of many.
  var shortGridTable: Table? {
    guard entries.count == 1 else { return nil }
    let all = entries[0].evaluation.grid
    guard all.count > Self.mostRows else { return gridTable }
    let last = Double(all.count - 1)
    let indices = (0..<Self.mostRows).map {
      Int((Double($0) * last / Double(Self.mostRows - 1)).rounded())
    }
    var table = pointTable { evaluation in indices.map { evaluation.grid[$0] } }
    table.notes.append(
      "\(Self.mostRows) of \(all.count) points; --format csv and json list all of them")
    return table
  }

  /// The rows of a table of points that people read.
  private static let mostRows = 41

  private func pointTable(
    of points: (PathEvaluation) -> [PathEvaluation.Point], more columns: [Table.Column] = [],
    _ cells: (PathEvaluation.Point) -> [Table.Cell] = { _ in [] }
  ) -> Table {
    var table = Table(
      columns: [
        .init("path"), .init("t", alignment: .number),
        .init("train accuracy", key: "train_accuracy", alignment: .number),
        .init("train loss", key: "train_loss", alignment: .number),
        .init("test accuracy", key: "test_accuracy", alignment: .number),
        .init("test loss", key: "test_loss", alignment: .number),
      ] + columns)
    for entry in entries {
      for point in points(entry.evaluation) {
        table.append(
          [
            .text(entry.name), .time(point.t),
            .percent(point.train.accuracy, decimals: 2),
            .number(point.train.crossEntropy, decimals: 5),
            .percent(point.test.accuracy, decimals: 2),
            .number(point.test.crossEntropy, decimals: 5),
          ] + cells(point))
      }
    }
    return table
  }
}

extension PathEvaluation.Point {
  /// Whether both were measured alike, but for the rounding of different ways to compute a point;
  /// losses that are not numbers count as equal.
  fileprivate func agrees(with other: PathEvaluation.Point) -> Bool {
    func same(_ a: Metrics, _ b: Metrics) -> Bool {
      let (x, y) = (a.crossEntropy, b.crossEntropy)
      return abs(a.accuracy - b.accuracy) < 1e-3
        && (abs(x - y) <= 1e-5 * max(abs(x), abs(y)) || x == y || x.isNaN && y.isNaN)
    }
    return same(train, other.train) && same(test, other.test)
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
