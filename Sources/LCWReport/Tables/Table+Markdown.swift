// SPDX-License-Identifier: Apache-2.0

extension Table {
  /// The table in GitHub's Markdown, with a line break at the end.
  public var markdown: String {
    var lines: [String] = []
    if let caption { lines += ["**\(Table.escaped(caption))**", ""] }
    lines.append(Table.row(columns.map { Table.escaped($0.title) }))
    lines.append(Table.row(columns.map { $0.alignment == .text ? ":---" : "---:" }))
    lines += rows.map { row in Table.row(row.map { Table.escaped($0.displayText) }) }
    let notes = allNotes.map { "- \(Table.escaped($0))" }
    if !notes.isEmpty { lines += [""] + notes }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func row(_ cells: [String]) -> String {
    "| " + cells.joined(separator: " | ") + " |"
  }

  package static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.singleLine.unicodeScalars {
      if "\\`*_[]<>|~&".unicodeScalars.contains(scalar) { result += "\\" }
      result.unicodeScalars.append(scalar)
    }
    return result
  }
}
