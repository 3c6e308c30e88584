// SPDX-License-Identifier: Apache-2.0
public import Foundation
import LCWCore
import LCWFiles

extension Findings {
  /// The folder of a record's figures: `Reproduction-figures/mnist-two-layer` beside
  /// `Reproduction.md`.
  public static func figureFolder(of record: URL, experiment: String) -> URL {
    let name = record.deletingPathExtension().lastPathComponent + "-figures"
    return record.deletingLastPathComponent().appendingPathComponent(name)
      .appendingPathComponent(experiment)
  }

  /// Writes this experiment's section of a record, and its figures in a folder beside it.
  ///
  /// A record is a Markdown file of any number of experiments. A section stands between two comments
  /// that name the experiment; what stands elsewhere is left as it is. Where there is no section
  /// yet, it goes to the end.
  /// - Throws: `FileError`, or ``ExperimentError/record(file:reason:)`` if the comments do not match.
  public func writeRecord(to file: URL, command: String) throws {
    let folder = Findings.figureFolder(of: file, experiment: experiment.name)
    let path = "\(folder.deletingLastPathComponent().lastPathComponent)/\(experiment.name)"
    let section = markdown(command: command, figuresFrom: path.linkEscaped)
    let text = try recordText(file, section: section)
    try ResultFolder.make(folder)
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    where name.hasSuffix(".svg") {
      try? FileManager.default.removeItem(at: folder.appendingPathComponent(name))
    }
    for figure in figures {
      try AtomicFile.write(
        Array(figure.picture.svg.utf8), to: folder.appendingPathComponent("\(figure.name).svg"))
    }
    try AtomicFile.write(Array(text.utf8), to: file)
  }

  private func recordText(_ file: URL, section: String) throws -> String {
    let (begin, end) = (
      "<!-- lcw reproduce: begin \(experiment.name) -->",
      "<!-- lcw reproduce: end \(experiment.name) -->"
    )
    let marked = "\(begin)\n\n\(section)\n\(end)"
    guard FileManager.default.fileExists(atPath: file.path) else {
      return "# Reproduction\n\nWritten by `lcw reproduce --record`; what stands outside of the "
        + "sections' comments is kept.\n\n\(marked)\n"
    }
    let bytes = try InputFile.contents(of: file, limit: 1 << 26)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw ExperimentError.record(file: file.path, reason: "it is not UTF-8")
    }
    let (begins, ends) = (text.ranges(of: begin), text.ranges(of: end))
    if begins.isEmpty, ends.isEmpty {
      let space = text.isEmpty || text.hasSuffix("\n\n") ? "" : text.hasSuffix("\n") ? "\n" : "\n\n"
      return text + space + marked + "\n"
    }
    guard begins.count == 1, ends.count == 1, begins[0].upperBound <= ends[0].lowerBound else {
      throw ExperimentError.record(
        file: file.path,
        reason: "there should be one ‘\(begin)’ and behind it one ‘\(end)’, or neither")
    }
    return text.replacingCharacters(in: begins[0].lowerBound..<ends[0].upperBound, with: marked)
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
