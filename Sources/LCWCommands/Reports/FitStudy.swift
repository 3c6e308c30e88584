// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWReport

/// A fitted model, to be written as a report.
struct FitStudy {
  /// The command that fitted it, for the record.
  var command: String
  var expression: MethodExpression
  var model: Checkpoint
  var seconds: Double

  /// Writes the study as one HTML file.
  func writeReport(to file: String) throws {
    try AtomicFile.write(Array(report.html.utf8), to: URL(fileURLWithPath: file))
    Console.printError("\(file): report of the fit")
  }

  private var report: Report {
    Report(
      title: "A connection fitted by \(expression.method.name)",
      introduction: [
        "\(expression), fitted in \(Duration.seconds(seconds).shortText) to networks "
          + "\(model.metadata["network"]?.string ?? "")."
      ],
      sections: [
        Report.Section(title: "Epoch by epoch", blocks: charts),
        Report.Section(title: "The command", blocks: [.commands([command])]),
      ], footer: LCWVersion.program)
  }

  /// A chart of each layer of the model's `histories`, where `LAYER/FIGURE` is a list of a number
  /// for each epoch.
  private var charts: [Report.Block] {
    var series: [String: [LineChart.Series]] = [:]
    for (name, figures) in (model.metadata["histories"]?.object ?? [:]).sorted(by: {
      $0.key > $1.key
    }) {
      let parts = name.split(separator: "/", maxSplits: 1)
      let points = (figures.array ?? []).enumerated().compactMap { epoch, value in
        value.double.map { ChartPoint(Double(epoch), $0) }
      }
      series[String(parts.first ?? ""), default: []].append(
        LineChart.Series(name: String(parts.last ?? ""), points: points))
    }
    guard !series.isEmpty else { return [.paragraph("The method keeps no figures.")] }
    return series.sorted { $0.key < $1.key }.map { layer, series in
      .lineChart(
        LineChart(
          title: "What the fit of \(layer) came to", xLabel: "epoch",
          yLabel: model.metadata["figure"]?.string ?? "figure", yFormat: .number, series: series))
    }
  }
}
