// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LCWCore
import LCWNumerics
import LCWReport

/// `lcw diff`
struct DiffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Shows which tensors of two files differ, and by how much.",
    discussion: """
      The exit code is 0 if nothing differs, 1 if anything does, and 2 on a system error, as with \
      diff. One of the files may be -.

      Elements are compared exactly. The column differing counts elements with different bits or, \
      if the types differ, with different values. If one of two elements is not finite, their \
      distance is inf.
      """ + CommandExamples.text(of: "diff"))

  @Argument(help: "A file, in any known format.", completion: .file())
  var first: String

  @Argument(help: "Another.", completion: .file())
  var second: String

  @Option(help: "Output format.")
  var format: OutputFormat = .table

  @Flag(help: "List equal tensors too.")
  var all = false

  @OptionGroup var reading: ReadingOptions

  func run() throws {
    try StandardInput.check([first, second])
    let session = try Session(reading)
    let (a, b) = (try session.open(first), try session.open(second))
    try a.requireReadable()
    try b.requireReadable()
    try show(try CheckpointDifference.all(a, b))
  }

  /// The exit status where the system fails; 1 would say that the files differ.
  static let failureStatus: Int32 = 2

  private func show(_ differences: [CheckpointDifference]) throws {
    let shown = all ? differences : differences.filter { $0.verdict != .equal }
    let differing = differences.count { $0.verdict != .equal }
    if format != .table || !shown.isEmpty {
      try StandardOutput.text(table(shown).text(as: format), terminator: format.terminator)
    }
    if format == .table {
      try StandardOutput.line("\(differing) of \(differences.count) tensors differ")
    }
    if differing > 0 { throw ExitCode(1) }
  }

  private func table(_ differences: [CheckpointDifference]) -> Table {
    var table = Table(columns: [
      .init("tensor"), .init("difference"), .init("elements", alignment: .number),
      .init("differing", alignment: .number),
      .init("largest", key: "largest_difference", alignment: .number),
      .init("relative", key: "relative_difference", alignment: .number),
    ])
    for difference in differences {
      table.append([
        .text(format == .json ? difference.name : difference.name.asOneLine),
        .text(difference.verdict.text),
        difference.values.map { .integer($0.count) } ?? .empty,
        difference.values.map { .integer($0.differing) } ?? .empty,
        difference.values.map { .significant($0.largest, digits: 6) } ?? .empty,
        difference.values.map { .significant($0.relative, digits: 6) } ?? .empty,
      ])
    }
    return table
  }
}
