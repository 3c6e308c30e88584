// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWReport
import Testing

struct LaTeXTests {
  static var table: Table {
    var table = Table(
      caption: "Worst of a|b & c_d: 5 % \\ {x} ^ ~ #1 “ν” — ‘so’ … \"it\"",
      columns: [
        .init("method"), .init("[Δ] loss", alignment: .number, note: "the excess, < 0 or ≥ 0"),
      ],
      rows: [
        ["flow:model=@a_b", .number(-0.25, decimals: 2)],
        ["[x]", .meanDeviation(mean: -1, deviation: 0.5, decimals: 1)],
        ["a-b", .significant(1.5e-9, digits: 2)], ["c", .empty],
        ["arc", .percentMeanDeviation(mean: 0.9, deviation: 0.01, decimals: 1)],
      ])
    table.notes = ["10 – 20 | of 100 %"]
    return table
  }

  @Test func whatLaTeXWouldMisreadIsEscaped() {
    #expect(
      Self.table.latex(label: "t") == """
        \\begin{table}
          \\centering
          \\caption{Worst of a\\textbar{}b \\& c\\_d: 5 \\% \\textbackslash{} \\{x\\} \
        \\textasciicircum{} \\textasciitilde{} \\#1 ``$\\nu$'' --- `so' \\ldots{} ''it''}
          \\label{tab:t}
          \\begin{tabular}{lr}
            \\toprule
            method & {[}$\\Delta${]} loss \\\\
            \\midrule
            flow:model=@a\\_b & $-$0.25 \\\\
            {[}x{]} & $-$1.0 $\\pm$ 0.5 \\\\
            a-b & 1.5e$-$09 \\\\
            c & -- \\\\
            arc & 90.0 $\\pm$ 1.0\\% \\\\
            \\bottomrule
          \\end{tabular}

          \\medskip
          \\begin{minipage}{\\linewidth}\\footnotesize
            {[}$\\Delta${]} loss: the excess, $<$ 0 or $\\ge$ 0\\par
            10 -- 20 \\textbar{} of 100 \\%\\par
          \\end{minipage}
        \\end{table}

        """)
  }

  private static let compiler = ["/usr/bin/pdflatex", "/usr/local/bin/pdflatex"]
    .first(where: FileManager.default.isExecutableFile)

  @Test(.enabled(if: compiler != nil, "pdflatex is not installed"))
  func aTableCompiles() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lcw-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let document =
      "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n"
      + Self.table.latex(label: "t") + "\\end{document}\n"
    try Data(document.utf8).write(to: folder.appendingPathComponent("t.tex"))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(Self.compiler))
    process.arguments = ["-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    process.currentDirectoryURL = folder
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    let log = String(
      decoding: try Data(contentsOf: folder.appendingPathComponent("t.log")), as: UTF8.self)
    #expect(process.terminationStatus == 0, "\(log.suffix(2000))")
    #expect(!log.contains("Missing character"))
  }
}
