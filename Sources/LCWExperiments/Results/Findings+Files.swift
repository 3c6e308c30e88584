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
    try OwnFolder.make(folder)
    let list = folder.appendingPathComponent(".lcw-files")
    try OwnFolder.removeLink(list)
    // Two at once would each remove what the other has listed.
    try FileLock.withLock(on: list) { try write(to: folder, listedIn: list, command: command) }
  }

  private func write(to folder: URL, listedIn list: URL, command: String) throws {
    // Those of a run with more methods would stay beside these; what others put here stays.
    let earlier = ((try? String(contentsOf: list, encoding: .utf8)) ?? "").split(separator: "\n")
    var names: [String] = []
    func write(_ text: String, _ name: String) throws {
      try OwnFolder.write(text, to: folder.appendingPathComponent(name))
      names.append(name)
    }
    for (name, table) in tables {
      try write(table.csv, "\(name).csv")
      try write(table.latex(label: "\(experiment.scaledName)-\(name)"), "\(name).tex")
    }
    var json = Dictionary(uniqueKeysWithValues: tables.map { ($0.name, $0.table.json) })
    json["command"] = .string(command)
    json["threads"] = .array(threads.sorted().map(JSONValue.integer))
    json["experiment"] = .string(experiment.name)
    json["machines"] = .object(machines.mapValues(JSONValue.integer))
    json["program"] = .string(LCWVersion.program)
    json["scale"] = .string(experiment.scale)
    json["scaled_down"] = .array(experiment.scaledDown.map(JSONValue.string))
    try write(JSONValue.object(json).prettyText + "\n", "results.json")
    for figure in figures { try write(figure.picture.svg(), "\(figure.name).svg") }
    try write(markdown(command: command, figuresFrom: "."), "results.md")
    try write(report(command: command).html, "report.html")
    for name in earlier.map(String.init) where !names.contains(name) && name.isFileName {
      try? FileManager.default.removeItem(at: folder.appendingPathComponent(name))
    }
    try OwnFolder.write(names.joined(separator: "\n") + "\n", to: list)
  }

  private static let scaleHeading = "Scaled down or changed:"

  private var setUp: String {
    let possible = NetworkPair.all(of: experiment.joined.count).count
    let others = experiment.trained.count - experiment.networks
    let fitted = others > 0 ? " and \(others) others that models are fitted to" : ""
    let left = (1...experiment.networks).filter { !experiment.joined.contains($0) }
    let apart =
      left.isEmpty
      ? ""
      : " Not joined, since models are fitted to them: "
        + left.map(String.init).joined(separator: ", ") + "."
    let origin =
      experiment.files.isEmpty
      ? "seeds 1 to \(experiment.networks)\(fitted); "
        + experiment.training.settings.filter(\.isWritten).map { "\($0.name) \($0.text)" }
        .joined(separator: ", ") + ". "
      : "read from files, which the table of networks names. "
    return "\(experiment.networks) networks \(experiment.architecture) on \(experiment.dataset), "
      + origin
      + (experiment.evaluation.isMiddleAlone
        ? "Measured at the ends and in the middle only, on "
        : "\(experiment.evaluation.points) points per unit of t, "
          + (experiment.evaluation.refines ? "refined around the worst" : "none between them")
          + ", on ")
      + (experiment.evaluation.samples.map { "\($0) samples of each set." } ?? "all samples.")
      + " \(experiment.pairs.count) of \(possible) pairs." + apart
  }

  /// How long it took, where, and with what.
  private var provenance: String {
    let places = machines.sorted { $0.value == $1.value ? $0.key < $1.key : $0.value > $1.value }
      .map { "\($0.key) (\($0.value) \($0.value == 1 ? "step" : "steps"))" }
    let resumed =
      resumedCount == 0
      ? ""
      : " (of \(resumedCount) \(resumedCount == 1 ? "step" : "steps") only since an interruption)"
    let several =
      threads.count > 1
      ? "Steps had \(threads.sorted().map(String.init).joined(separator: " or ")) threads. " : ""
    return
      "All steps together took \(String(seconds, decimals: 0)) s\(resumed), as their workers measured "
      + "them; other work may have run as well. \(several)Machine: \(places.joined(separator: "; ")). "
      + "Written by \(LCWVersion.program)."
  }

  /// The tables, and the figures as links, as Markdown.
  public func markdown(command: String, figuresFrom path: String) -> String {
    var parts = [
      "## \(Table.escaped(experiment.scaledTitle))", Table.escaped(setUp), "```sh\n\(command)\n```",
    ]
    if !experiment.scaledDown.isEmpty {
      parts.append(
        "\(Findings.scaleHeading)\n\n"
          + experiment.scaledDown.map { "- \(Table.escaped($0))" }.joined(separator: "\n"))
    }
    parts += tables.filter { $0.name != "pairs" }.map { _, table in
      // They stand above, once.
      var table = table
      table.notes.removeAll { scaleNotes.contains($0) }
      return table.markdown.trimmed
    }
    parts += figures.map {
      "![\($0.name)](\(path)/\($0.name).svg)\n\n\(Table.escaped($0.note.sentence))"
    }
    if !missing.isEmpty {
      parts.append(Table.escaped("Not done yet: \(missing.map(\.name).joined(separator: "; "))."))
    }
    parts.append(Table.escaped(provenance))
    return parts.joined(separator: "\n\n") + "\n"
  }

  /// The tables and figures as a page.
  public func report(command: String) -> Report {
    var sections = [
      Report.Section(
        title: "Set-up",
        blocks: [.paragraph(setUp), .commands([command])]
          + (experiment.scaledDown.isEmpty
            ? [] : [.paragraph(Findings.scaleHeading), .list(experiment.scaledDown)]))
    ]
    sections.append(
      Report.Section(title: "Tables", blocks: tables.map { .table($0.table) }))
    sections.append(
      Report.Section(
        title: "Figures",
        blocks: figures.map { .chart($0.picture, note: $0.note) }))
    if !missing.isEmpty {
      sections.append(
        Report.Section(title: "Not done yet", blocks: [.list(missing.map(\.name))]))
    }
    sections.append(Report.Section(title: "Where it was done", blocks: [.paragraph(provenance)]))
    return Report(title: experiment.scaledTitle, sections: sections, footer: LCWVersion.program)
  }
}

extension String {
  /// Whether it is the name of a file in a folder, not a way out of it.
  var isFileName: Bool { !isEmpty && !contains("/") && self != "." && self != ".." }

  fileprivate var trimmed: String { hasSuffix("\n") ? String(dropLast()) : self }

  /// The text as a sentence: a capital at its start and a full stop at its end.
  fileprivate var sentence: String { prefix(1).uppercased() + dropFirst() + "." }
}
