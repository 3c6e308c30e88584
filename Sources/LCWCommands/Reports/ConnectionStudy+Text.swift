// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWReport

extension ConnectionStudy {
  /// The study as text. For people the figures, the best path first, and the grid of a single path; as CSV every
  /// point, as JSON both, in the given order.
  func text(as format: OutputFormat) -> String {
    switch format {
    case .table: sorted.tables
    case .markdown: sorted.markdown
    case .csv: pointTable.csv
    case .json: json.prettyText
    }
  }

  /// The figures of each path and the verdict, for a first look.
  var shortText: String {
    sorted.summaryTable.text + "\n\n" + verdict.joined(separator: " ") + "\n"
  }

  /// The tables that paths have where there is something to show.
  private var furtherTables: [Table] {
    [proofTable, diagnosticsTable, layerTable, foldedStageTable, remarkTable].compactMap(\.self)
  }

  private var tables: String {
    let grid = [shortGridTable].compactMap(\.self)
    return (grid + [summaryTable, costTable] + furtherTables).map(\.text).joined(separator: "\n\n")
      + "\n\n" + verdict.joined(separator: " ")
  }

  private var markdown: String {
    ([summaryTable, costTable] + furtherTables).map(\.markdown).joined(separator: "\n")
  }

  private var json: JSONValue {
    var fields: [String: JSONValue] = [
      "command": .string(command), "dataset": .string(dataset), "network": .string(network),
      "preprocessing": .string(samples?.preprocessing ?? ""),
      "program": .string(LCWVersion.program), "summary": summaryTable.json,
      "costs": costTable.json, "overview": overviewTable.json,
      "proven": proofTable?.json ?? .array([]),
      "stages": stageTable?.json ?? .array([]), "remarks": remarkTable?.json ?? .array([]),
      "points": pointTable.json,
    ]
    fields.merge(samples?.countFields ?? [:]) { $1 }
    if !unmeasured.isEmpty { fields["unmeasured"] = .array(unmeasured.map(JSONValue.string)) }
    if let diagnosticsTable {
      fields["diagnostics"] = diagnosticsTable.json
      fields["predictions"] = predictionTable.json
      fields["layers"] = layerTable?.json ?? .array([])
      fields["layer_points"] = layerPointTable.json
    }
    return .object(fields)
  }
}
