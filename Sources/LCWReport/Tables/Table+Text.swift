// SPDX-License-Identifier: Apache-2.0

extension Table {
  /// The table as aligned lines for a terminal, with a line break at the end.
  public var text: String {
    let titles = columns.map(\.title.singleLine)
    let body = rows.map { $0.map(\.displayText) }
    let widths = columns.indices.map { column in
      ([titles] + body).reduce(0) { max($0, $1[column].terminalWidth) }
    }
    var lines: [String] = []
    if let caption { lines += [caption.singleLine, ""] }
    lines.append(line(titles, widths: widths))
    lines.append(widths.map { String(repeating: "─", count: $0) }.joined(separator: "  "))
    lines += body.map { line($0, widths: widths) }
    let notes = allNotes.map(\.singleLine)
    if !notes.isEmpty { lines += [""] + notes }
    return lines.joined(separator: "\n") + "\n"
  }

  private func line(_ cells: [String], widths: [Int]) -> String {
    var line = ""
    for (index, cell) in cells.enumerated() {
      let space = String(repeating: " ", count: widths[index] - cell.terminalWidth)
      if index > 0 { line += "  " }
      line += columns[index].alignment == .text ? cell + space : space + cell
    }
    while line.last == " " { line.removeLast() }
    return line
  }
}
