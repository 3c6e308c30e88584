// SPDX-License-Identifier: Apache-2.0

extension Table {
  /// The table as LaTeX for the package booktabs, with a line break at the end: the caption above,
  /// the notes below.
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
    lines += rows.map { "    " + Table.latexRow($0.map(Table.latexCell)) }
    lines += ["    \\bottomrule", "  \\end{tabular}"]
    if !allNotes.isEmpty {
      lines += ["", "  \\medskip", "  \\begin{minipage}{\\linewidth}\\footnotesize"]
      lines += allNotes.map { "    \(Table.latexText($0))\\par" }
      lines.append("  \\end{minipage}")
    }
    return (lines + ["\\end{table}"]).joined(separator: "\n") + "\n"
  }

  private static func latexRow(_ cells: [String]) -> String {
    cells.joined(separator: " & ") + " \\\\"
  }

  private static func latexCell(_ cell: Cell) -> String {
    switch cell {
    case .text, .empty: latexText(cell.displayText)
    case .integer, .number, .significant, .percent, .meanDeviation, .percentMeanDeviation:
      // A number's hyphens are minus signs, before it or before its exponent.
      latexText(String(cell.displayText.map { $0 == "-" ? "−" : $0 }))
    }
  }

  private static func latexText(_ text: String) -> String {
    var result = ""
    for character in text.singleLine {
      switch character {
      case "\\": result += "\\textbackslash{}"
      case "~": result += "\\textasciitilde{}"
      case "^": result += "\\textasciicircum{}"
      case "|": result += "\\textbar{}"
      case "\"": result += "''"
      case "&", "%", "$", "#", "_", "{", "}": result += "\\\(character)"
      case "±": result += "$\\pm$"
      case "−": result += "$-$"
      case "×": result += "$\\times$"
      case "→": result += "$\\to$"
      case "≤": result += "$\\le$"
      case "≥": result += "$\\ge$"
      case "–": result += "--"
      case "—": result += "---"
      case "…": result += "\\ldots{}"
      case "·": result += "$\\cdot$"
      case "“": result += "``"
      case "”": result += "''"
      case "‘": result += "`"
      case "’": result += "'"
      case "<", ">": result += "$\(character)$"
      // A bracket at the start of a row would be read as an option of the line break before it.
      case "[", "]": result += "{\(character)}"
      default: result += greek[character].map { "$\\\($0)$" } ?? String(character)
      }
    }
    return result
  }

  // Most fonts for text have none.
  private static let greek: [Character: String] = [
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "θ": "theta",
    "λ": "lambda", "μ": "mu", "ν": "nu", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau",
    "φ": "varphi", "χ": "chi", "ψ": "psi", "ω": "omega", "Δ": "Delta", "Θ": "Theta",
    "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
  ]
}
