// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWExperiments
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

  private var charts: [Report.Block] {
    let charts = LineChart.histories(of: model.metadata) { "The fit of \($0), by epoch" }
    return charts.isEmpty
      ? [.paragraph("The method records no values.")] : charts.map { .chart($0) }
  }
}
