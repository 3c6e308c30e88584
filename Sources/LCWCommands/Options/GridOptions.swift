// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// How a surface is measured and shown.
struct GridOptions: ParsableArguments {
  @Option(help: "The points of the grid in each direction.")
  var size = 25

  @Option(
    help: "Measure on only this many samples of each part of the data; 0 for all of them.")
  var samples = 10_000

  @Option(help: "Write a report with charts, one HTML file.", completion: .file())
  var report: String?

  @Option(help: "How to print: table, csv, json, markdown.")
  var format: OutputFormat = .table

  @Flag(help: "Show no progress.")
  var quiet = false

  func validate() throws {
    if !(2...1001).contains(size) { throw ValidationError("--size takes a number from 2 to 1001.") }
    if samples < 0 { throw ValidationError("--samples takes a number from 0 on.") }
  }
}
