// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWNetworks
import LCWPaths
import LCWReport

/// Loss and accuracy over a plane or along a line of weight space, to be printed and drawn.
struct SurfaceStudy {
  var title: String
  var command: String
  /// Networks at places of the plane.
  var marks: [(name: String, place: WeightPlane.Point)] = []
  /// Lines over the plane, such as a path.
  var lines: [(name: String, places: [WeightPlane.Point])] = []
  /// What runs to the right and upwards.
  var labels = ("x", "y")
  private let samples: SamplePreparation
  private let counts: (train: Int, test: Int)
  /// What was measured anew at each point, if that was asked for.
  private let momentNote: String?
  private let train: LossSurface
  private let test: LossSurface

  /// The most training samples on which running statistics are measured.
  private static let momentSamples = 2000

  /// Measures a plane, or the line at y = 0 where no y is given.
  init(
    title: String, command: String, plane: WeightPlane, x: ClosedRange<Double>,
    y: ClosedRange<Double>?, grid: GridOptions,
    data: (reference: PluginReference, samples: EvaluationData), session: Session
  ) throws {
    self.title = title
    self.command = command
    samples = try session.preparation(of: data.reference)
    let columns = LossSurface.grid(x, count: grid.size)
    let rows = y.map { LossSurface.grid($0, count: grid.size) } ?? [0]
    let joining = PathJoining(session: session, samples: nil, seed: 0, isQuiet: grid.quiet)
    let moments =
      grid.reset
      ? try MeasuredMoments(
        of: plane.origin.network, on: data.samples.train, count: Self.momentSamples) : nil
    momentNote =
      grid.reset
      ? "Running statistics recomputed at each point, on "
        + "\(min(Self.momentSamples, data.samples.train.count)) training samples." : nil
    func surface(_ samples: SampleSet, _ part: String) throws -> LossSurface {
      try LossSurface(
        of: plane, columns: columns, rows: rows, on: samples, measuring: moments,
        by: joining.evaluator(.structured, for: "the \(part) samples"))
    }
    let limit = grid.samples > 0 ? grid.samples : Int.max
    let (train, test) = (data.samples.train.prefix(limit), data.samples.test.prefix(limit))
    counts = (train.count, test.count)
    self.train = try surface(train, "training")
    self.test = try surface(test, "test")
  }

  private var isLine: Bool { train.rows.count == 1 }

  /// Prints the study and writes its report.
  func publish(_ options: GridOptions) throws {
    try StandardOutput.text(text(as: options.format), terminator: options.format.terminator)
    guard let file = options.report else { return }
    try AtomicFile.write(Array(report.html.utf8), to: URL(fileURLWithPath: file))
    Console.printError("\(file): report of \(train.rows.count * train.columns.count) points")
  }

  private func text(as format: OutputFormat) -> String {
    switch format {
    case .table: return summary.text
    case .markdown: return summary.markdown
    case .csv: return points.csv
    case .json:
      return JSONValue.object([
        "command": .string(command), "dataset": .string("\(samples.dataset)"),
        "preprocessing": .string(samples.preprocessing), "program": .string(LCWVersion.program),
        "resets_moments": .bool(momentNote != nil),
        "train_samples": .integer(counts.train), "test_samples": .integer(counts.test),
        "marks": .array(
          marks.map { name, place in
            .object([
              "name": .string(name), "x": JSONValue(place.x), "y": JSONValue(place.y),
            ])
          }),
        "points": points.json,
      ]).prettyText
    }
  }

  private static func columns(_ first: [Table.Column]) -> [Table.Column] {
    first + [
      .init("x", alignment: .number), .init("y", alignment: .number),
      .init("train accuracy", key: "train_accuracy", alignment: .number),
      .init("train loss", key: "train_loss", alignment: .number),
      .init("test accuracy", key: "test_accuracy", alignment: .number),
      .init("test loss", key: "test_loss", alignment: .number),
    ]
  }

  private func cells(row: Int, column: Int) -> [Table.Cell] {
    let (train, test) = (train.metrics[row][column], test.metrics[row][column])
    return [
      .number(self.train.columns[column], decimals: 4), .number(self.train.rows[row], decimals: 4),
      .percent(train.accuracy, decimals: 2), .number(train.crossEntropy, decimals: 4),
      .percent(test.accuracy, decimals: 2), .number(test.crossEntropy, decimals: 4),
    ]
  }

  /// Every point of the grid.
  private var points: Table {
    var table = Table(columns: Self.columns([]))
    for row in train.rows.indices {
      for column in train.columns.indices { table.append(cells(row: row, column: column)) }
    }
    return table
  }

  /// The grid's best and worst points, and those nearest to the networks.
  private var summary: Table {
    var table = Table(columns: Self.columns([.init("point")]))
    for (name, place) in marks {
      let row = Self.nearest(to: place.y, of: train.rows)
      let column = Self.nearest(to: place.x, of: train.columns)
      table.append([.text("nearest to \(name)".asOneLine)] + cells(row: row, column: column))
    }
    for (part, surface) in [("train", train), ("test", test)] {
      let places = surface.rows.indices.flatMap { row in
        surface.columns.indices.map { (row: row, column: $0) }
      }
      func loss(_ place: (row: Int, column: Int)) -> Double {
        let loss = surface.metrics[place.row][place.column].crossEntropy
        return loss.isNaN ? .infinity : loss
      }
      for (word, place) in [
        ("lowest", places.min { loss($0) < loss($1) }),
        ("highest", places.max { loss($0) < loss($1) }),
      ] {
        guard let place else { continue }
        table.append(
          [.text("\(word) \(part) loss")] + cells(row: place.row, column: place.column))
      }
    }
    table.notes.append(
      "\(train.columns.count * train.rows.count) points; measured on \(counts.train) training and "
        + "\(counts.test) test samples.")
    if let momentNote { table.notes.append(momentNote) }
    table.notes.append(samples.note)
    return table
  }

  private static func nearest(to value: Double, of places: [Double]) -> Int {
    places.indices.min { abs(places[$0] - value) < abs(places[$1] - value) } ?? 0
  }

  private var report: Report {
    Report(
      title: "\(title), on \(samples.dataset)",
      introduction: [
        isLine
          ? "Loss and accuracy along a line in weight space."
          : "Loss and accuracy over a plane in weight space. Contours are dense near the lowest value."
      ],
      sections: [
        Report.Section(title: "Loss", blocks: [chart(.loss, on: .train), chart(.loss, on: .test)]),
        Report.Section(
          title: "Error", blocks: [chart(.error, on: .train), chart(.error, on: .test)]),
        Report.Section(
          title: "Points", blocks: [.table(summary.captioned("Networks and extremes"))]),
        Report.Section(title: "The command", blocks: [.commands([command])]),
      ], footer: LCWVersion.program)
  }

  private enum Part: String {
    case train = "training"
    case test
  }

  private enum Quantity {
    case loss, error

    func value(_ metrics: Metrics) -> Double {
      self == .loss ? metrics.crossEntropy : 1 - metrics.accuracy
    }
  }

  private func chart(_ quantity: Quantity, on part: Part) -> Report.Block {
    let surface = part == .train ? train : test
    let values = surface.metrics.map { $0.map(quantity.value) }
    let title = "\(quantity == .loss ? "Loss" : "Error") on the \(part.rawValue) samples"
    if isLine {
      return .chart(
        LineChart(
          title: title, xLabel: labels.0, yLabel: quantity == .loss ? "loss" : "error",
          yFormat: quantity == .loss ? .number : .percent,
          series: [
            LineChart.Series(
              name: "\(part.rawValue) samples",
              points: zip(surface.columns, values[0]).map { ChartPoint($0, $1) })
          ]))
    }
    return .chart(
      ContourChart(
        title: title, xLabel: labels.0, yLabel: labels.1, values: values,
        xRange: surface.columns[0]...surface.columns[surface.columns.count - 1],
        yRange: surface.rows[0]...surface.rows[surface.rows.count - 1],
        lines: (marks.map { ($0.name, [$0.place]) } + lines).map { name, places in
          ContourChart.Line(name: name, points: places.map { ChartPoint($0.x, $0.y) })
        }))
  }
}
