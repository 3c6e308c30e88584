// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LCWCore

/// `lcw verify`
struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Reads whole files of weights and checks them.",
    discussion: """
      Archives are checked to the last byte: layout, manifest, and every checksum. In a file \
      without checksums the layout is checked and every element read, and the output says so. All \
      files are checked; the exit code is 65 if one is damaged. - is standard input.
      """ + CommandExamples.text(of: "verify"))

  @Argument(help: "The files, in any known format.", completion: .file())
  var files: [String]

  @Flag(help: "Continue in a damaged file, and name every damaged tensor.")
  var all = false

  @OptionGroup var reading: ReadingOptions

  func run() throws {
    try StandardInput.check(files)
    let session = try Session(reading)
    var firstError: (any Error)?
    for file in files {
      let (problems, summary) = verify(file, session)
      for line in summary { try StandardOutput.line(line) }
      for problem in problems { Console.printError("error: \(problem)") }
      firstError = firstError ?? problems.first
    }
    if let firstError {
      throw ExitCode((firstError as? any DescribedError)?.category.rawValue ?? 1)
    }
  }

  /// What is wrong with a file; or, if nothing is, the lines that say what it is.
  private func verify(
    _ file: String, _ session: Session
  ) -> (problems: [any Error], summary: [String]) {
    var problems: [any Error] = []
    do {
      let source = try session.open(file)
      for name in source.entries.map(\.name) + source.unreadable.map(\.name) {
        do {
          _ = try source.tensor(named: name)
        } catch {
          problems.append(error)
          guard all else { return (problems, []) }
        }
      }
      if problems.isEmpty {
        let bytes = source.entries.reduce(0) { $0 + $1.rawBytes }
        return (
          [],
          [
            "\(file): \(source.kind.rawValue), \(source.entries.count) tensors, \(bytes) bytes, "
              + (source.hasChecksums == false
                ? "complete, but without checksums, so that changed elements go unnoticed"
                : "intact")
          ] + source.notes.map { "  note: \($0)".asOneLine }
        )
      }
    } catch {
      problems.append(error)
    }
    return (problems, [])
  }
}
