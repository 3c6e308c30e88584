// SPDX-License-Identifier: Apache-2.0
public import Foundation
import LCWReport
import LCWCore
import LCWFiles

extension Findings {
  /// The folder of a record's figures: `Reproduction-figures/mnist-two-layer` beside
  /// `Reproduction.md`.
  /// - Parameter name: An experiment's ``ResolvedExperiment/scaledName``.
  public static func figureFolder(of record: URL, named name: String) -> URL {
    let all = record.deletingPathExtension().lastPathComponent + "-figures"
    return record.deletingLastPathComponent().appendingPathComponent(all)
      .appendingPathComponent(name)
  }

  /// Writes this experiment's section of a record, and its figures in a folder beside it.
  ///
  /// A record is a Markdown file of any number of experiments. A section stands between two comments
  /// that name the experiment, and its scale unless that is the full one; what stands elsewhere is
  /// left as it is. Where there is no section yet, it goes to the end. Figures that the section showed
  /// before, and does not show now, are removed.
  /// Processes that write one file wait for each other.
  /// - Throws: `FileError`, or ``ExperimentError/record(file:reason:)`` if the comments do not match.
  public func writeRecord(to file: URL, command: String) throws {
    let folder = Findings.figureFolder(of: file, named: experiment.scaledName)
    let place = "\(folder.deletingLastPathComponent().lastPathComponent)/\(experiment.scaledName)"
    let section = markdown(command: command, figuresFrom: place.linkEscaped)
    let pictures = figures.map { (name: $0.name, svg: $0.picture.svg()) }
    // Another process that read the file before, and wrote it later, would take this section away.
    try FileLock.withLock(on: file) {
      let (text, earlier) = try recordText(file, section: section)
      try OwnFolder.make(folder.deletingLastPathComponent())
      try OwnFolder.make(folder)
      for (name, svg) in pictures {
        try OwnFolder.write(svg, to: folder.appendingPathComponent("\(name).svg"))
      }
      try AtomicFile.write(Array(text.utf8), to: file)
      for name in Findings.shownFigures(in: earlier, from: place.linkEscaped)
      where !pictures.contains(where: { $0.name == name }) {
        try? FileManager.default.removeItem(at: folder.appendingPathComponent("\(name).svg"))
      }
    }
  }

  /// The names of the figures that a section shows.
  private static func shownFigures(in section: String, from place: String) -> [String] {
    section.split(separator: "](\(place)/").dropFirst().compactMap { rest in
      guard let end = rest.firstRange(of: ".svg)") else { return nil }
      let name = String(rest[..<end.lowerBound])
      return name.isFileName ? name : nil
    }
  }

  /// The record with this section, and the section that was there.
  private func recordText(_ file: URL, section: String) throws -> (text: String, earlier: String) {
    let (begin, end) = (
      "<!-- lcw reproduce: begin \(experiment.scaledName) -->",
      "<!-- lcw reproduce: end \(experiment.scaledName) -->"
    )
    let marked = "\(begin)\n\n\(section)\n\(end)"
    // The lock makes a file of nothing where there was none.
    let bytes =
      FileManager.default.fileExists(atPath: file.path)
      ? try InputFile.contents(of: file, limit: 1 << 26) : []
    guard !bytes.isEmpty else {
      return (
        "# Reproduction\n\nWritten by `lcw reproduce --record`. Text outside the comments that "
          + "mark the sections is kept.\n\n\(marked)\n", ""
      )
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw ExperimentError.record(file: file.path, reason: "it is not UTF-8")
    }
    let (begins, ends) = (text.ranges(of: begin), text.ranges(of: end))
    if begins.isEmpty, ends.isEmpty {
      let space = text.isEmpty || text.hasSuffix("\n\n") ? "" : text.hasSuffix("\n") ? "\n" : "\n\n"
      return (text + space + marked + "\n", "")
    }
    guard begins.count == 1, ends.count == 1, begins[0].upperBound <= ends[0].lowerBound else {
      throw ExperimentError.record(
        file: file.path,
        reason: "there should be one ‘\(begin)’ and behind it one ‘\(end)’, or neither")
    }
    let place = begins[0].lowerBound..<ends[0].upperBound
    return (text.replacingCharacters(in: place, with: marked), String(text[place]))
  }
}

extension String {
  /// The text as the target of a link in Markdown.
  fileprivate var linkEscaped: String {
    addingPercentEncoding(
      withAllowedCharacters: .urlPathAllowed.subtracting(.init(charactersIn: "()")))
      ?? self
  }
}
