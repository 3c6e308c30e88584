// SPDX-License-Identifier: Apache-2.0

extension Table {
  /// The table as LaTeX for the package booktabs, with a line break at the end.
  ///
  /// - Parameter label: What `\ref` finds it by.
  public func latex(label: String) -> String {
    let alignment = columns.map { $0.alignment == .text ? "l" : "r" }.joined()
    var lines = ["\\begin{table}", "  \\centering"]
    if let caption { lines.append("  \\caption{\(Table.latexText(caption))}") }
    lines += [
      "  \\label{tab:\(label)}", "  \\begin{tabular}{\(alignment)}", "    \\toprule",
      "    " + Table.latexRow(columns.map { Table.latexText($0.title) }), "    \\midrule",
    ]
    lines += rows.map { row in
      "    " + Table.latexRow(row.map { Table.latexText($0.displayText) })
    }
    lines += ["    \\bottomrule", "  \\end{tabular}", "\\end{table}"]
    return lines.joined(separator: "\n") + "\n"
  }

  private static func latexRow(_ cells: [String]) -> String {
    cells.joined(separator: " & ") + " \\\\"
  }

  private static func latexText(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "\\": result += "\\textbackslash{}"
      case "~": result += "\\textasciitilde{}"
      case "^": result += "\\textasciicircum{}"
      case "&", "%", "$", "#", "_", "{", "}": result += "\\\(character)"
      case "±": result += "$\\pm$"
      case "−": result += "$-$"
      case "–": result += "--"
      case "<", ">": result += "$\(character)$"
      default: result.append(character)
      }
    }
    return result
  }
}
