// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LCWCore
import LCWNumerics
import LCWReport

/// `lcw diff`
struct DiffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Tells which tensors of two files differ, and by how much.",
    discussion: "Ends with 1 if anything differs, as diff does; one of the files may be -.")

  @Argument(help: "A file, in any format that is known.")
  var first: String

  @Argument(help: "Another.")
  var second: String

  @Option(help: "How to print: table, csv, json, markdown.")
  var format: OutputFormat = .table

  @Flag(help: "List equal tensors too.")
  var all = false

  func run() throws {
    let session = try Session()
    let (a, b) = (try session.open(first), try session.open(second))
    let differences = try CheckpointDifference.all(a, b)
    let shown = all ? differences : differences.filter { $0.verdict != .equal }
    let differing = differences.count { $0.verdict != .equal }
    if format != .table || !shown.isEmpty { print(table(shown).text(as: format)) }
    if format == .table {
      print("\(differing) of \(differences.count) tensors differ")
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
        .text(difference.name), .text(difference.verdict.text),
        difference.values.map { .integer($0.count) } ?? .empty,
        difference.values.map { .integer($0.differing) } ?? .empty,
        difference.values.map { .number($0.largest, decimals: 6) } ?? .empty,
        difference.values.map { .number($0.relative, decimals: 6) } ?? .empty,
      ])
    }
    return table
  }
}
