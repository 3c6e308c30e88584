// SPDX-License-Identifier: Apache-2.0
public import Foundation
import LCWCore
import LCWFiles
import LCWNetworks
public import LCWReport

extension Findings {
  /// Writes tables as Markdown, LaTeX, CSV and JSON, figures as SVG, and all of it as a page.
  ///
  /// - Parameters:
  ///   - folder: The folder, made if it is not there.
  ///   - command: The command that gives these results, for the record.
  /// - Throws: `FileError`.
  public func write(to folder: URL, command: String) throws {
    try ResultFolder.make(folder)
    // Those of a run with more methods would stay beside these.
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    where [".svg", ".csv", ".tex"].contains(where: name.hasSuffix) {
      try? FileManager.default.removeItem(at: folder.appendingPathComponent(name))
    }
    func write(_ text: String, _ name: String) throws {
      try AtomicFile.write(Array(text.utf8), to: folder.appendingPathComponent(name))
    }
    for (name, table) in tables {
      try write(table.csv, "\(name).csv")
      try write(table.latex(label: "\(experiment.name)-\(name)"), "\(name).tex")
    }
    let json = Dictionary(uniqueKeysWithValues: tables.map { ($0.name, $0.table.json) })
    try write(JSONValue.object(json).prettyText + "\n", "results.json")
    for figure in figures { try write(figure.picture.svg, "\(figure.name).svg") }
    try write(markdown(command: command, figuresFrom: "."), "results.md")
    try write(report(command: command).html, "report.html")
  }

  /// Writes the record of this experiment: a Markdown file, and the figures in a folder beside it
  /// that is called as the experiment.
  /// - Throws: `FileError`.
  public func writeRecord(to file: URL, command: String) throws {
    let place = file.deletingLastPathComponent().appendingPathComponent(experiment.name)
    try ResultFolder.make(place)
    for figure in figures {
      try AtomicFile.write(
        Array(figure.picture.svg.utf8), to: place.appendingPathComponent("\(figure.name).svg"))
    }
    try AtomicFile.write(
      Array(markdown(command: command, figuresFrom: experiment.name).utf8), to: file)
  }

  /// What was scaled down, and by how much.
  private var scaleNotes: [String] {
    var notes = experiment.scaledDown
    if let limit = experiment.pairLimit, limit < NetworkPair.all(of: experiment.networks).count {
      notes.append(
        "\(limit) of the \(NetworkPair.all(of: experiment.networks).count) pairs are joined")
    }
    return notes
  }

  private var setUp: String {
    let training = experiment.training
    return "\(experiment.networks) networks \(experiment.architecture) on \(experiment.dataset), "
      + "seeds 1 to \(experiment.networks); \(training.epochs) epochs, batches of "
      + "\(training.batch), rate \(training.rate), schedule \(training.schedule), \(training.rule). "
      + "\(experiment.evaluation.points) points to a unit of t, "
      + (experiment.evaluation.refines ? "refined around the worst." : "none between them.")
  }

  /// The tables, and the figures as links, as Markdown.
  public func markdown(command: String, figuresFrom path: String) -> String {
    var parts = ["## \(experiment.title)", setUp, "```sh\n\(command)\n```"]
    if !scaleNotes.isEmpty {
      parts.append("Scaled down:\n\n" + scaleNotes.map { "- \($0)" }.joined(separator: "\n"))
    }
    parts += tables.filter { $0.name != "pairs" }.map { $0.table.markdown.trimmed }
    parts += figures.map { "![\($0.name)](\(path)/\($0.name).svg)\n\n\($0.note.sentence)" }
    if !missing.isEmpty {
      parts.append("Not done yet: \(missing.map(\.name).joined(separator: "; ")).")
    }
    parts.append(
      "All steps together took \(Int(seconds.rounded())) s, as their workers measured them.")
    return parts.joined(separator: "\n\n") + "\n"
  }

  /// The tables and figures as a page.
  public func report(command: String) -> Report {
    var sections = [
      Report.Section(
        title: "Set-up",
        blocks: [.paragraph(setUp), .commands([command])]
          + (scaleNotes.isEmpty ? [] : [.paragraph("Scaled down:"), .list(scaleNotes)]))
    ]
    sections.append(
      Report.Section(title: "Tables", blocks: tables.map { .table($0.table) }))
    sections.append(
      Report.Section(
        title: "Figures",
        blocks: figures.map { figure in
          switch figure.picture {
          case .lines(let chart): .lineChart(chart, note: figure.note)
          case .points(let chart): .scatterChart(chart, note: figure.note)
          case .plane(let chart): .contourChart(chart, note: figure.note)
          }
        }))
    if !missing.isEmpty {
      sections.append(
        Report.Section(title: "Not done yet", blocks: [.list(missing.map(\.name))]))
    }
    return Report(title: experiment.title, sections: sections, footer: LCWVersion.program)
  }
}

extension String {
  fileprivate var trimmed: String { hasSuffix("\n") ? String(dropLast()) : self }

  /// The text as a sentence: a capital at its start and a full stop at its end.
  fileprivate var sentence: String { prefix(1).uppercased() + dropFirst() + "." }
}
