// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWNetworks
import LCWPaths
import LCWReport

/// Ensembles of the same networks with several heads, evaluated for each number of members.
struct EnsembleStudy {
  /// An ensemble and the metrics of its first members.
  struct Entry {
    var ensemble: Ensemble
    var train: [Metrics]
    var test: [Metrics]

    /// The name of the paper's figure: `WA(1)`, or `independent`.
    var name: String {
      ensemble.head == ensemble.network.weightedLayers.count
        ? "independent" : "WA(\(ensemble.head))"
    }
  }

  var command: String
  /// What the ensembles were evaluated on.
  var samples: SamplePreparation
  var entries: [Entry] = []

  init(command: String, samples: SamplePreparation) {
    self.command = command
    self.samples = samples
  }

  /// The table in a format; rows of JSON say what was evaluated on too.
  func text(as format: OutputFormat) -> String {
    table.text(as: format, fields: table.rows.map { _ in samples.json })
  }

  /// A row for each ensemble and number of networks.
  var table: Table {
    var table = Table(columns: [
      .init("ensemble"), .init("networks", alignment: .number),
      .init("train accuracy", key: "train_accuracy", alignment: .number),
      .init("test accuracy", key: "test_accuracy", alignment: .number),
      .init("test loss", key: "test_loss", alignment: .number),
      .init("stored values", key: "stored_values", alignment: .number),
      .init("multiply-adds", key: "multiply_adds", alignment: .number),
      .init("residual", alignment: .number),
    ])
    for entry in entries {
      for index in entry.test.indices {
        let ensemble = entry.ensemble
        let residual =
          index > 0 && ensemble.residuals.indices.contains(index - 1)
          ? Table.Cell.number(ensemble.residuals[index - 1], decimals: 4) : .empty
        table.append([
          .text(entry.name), .integer(index + 1),
          .percent(entry.train[index].accuracy, decimals: 2),
          .percent(entry.test[index].accuracy, decimals: 2),
          .number(entry.test[index].crossEntropy, decimals: 4),
          .integer(ensemble.storedValues(count: index + 1)),
          .integer(ensemble.multiplyAdds(count: index + 1)), residual,
        ])
      }
    }
    table.notes.append(samples.note)
    return table
  }

  /// Writes the figure and the table as one HTML file.
  func writeReport(to file: String) throws {
    let chart = LineChart(
      title: "Test accuracy against the number of networks", xLabel: "networks",
      yLabel: "accuracy", xFormat: .count, yFormat: .percent,
      series: entries.map { entry in
        LineChart.Series(
          name: entry.name,
          points: entry.test.enumerated().map { ChartPoint(Double($0 + 1), $1.accuracy) })
      })
    let report = Report(
      title: "Ensembles on \(samples.dataset)",
      introduction: [
        "Networks whose predicted probabilities are averaged. WA(n) shares all layers but the last "
          + "n, and adjusts the first of those by least squares; the independent ones share none."
      ],
      sections: [
        Report.Section(
          title: "Accuracy", blocks: [.chart(chart), .table(table.captioned("Every ensemble"))]),
        Report.Section(title: "The command", blocks: [.commands([command])]),
      ], footer: LCWVersion.program)
    try AtomicFile.write(Array(report.html.utf8), to: URL(fileURLWithPath: file))
    Console.printError("\(file): report of \(entries.count.counted("ensemble"))")
  }
}
