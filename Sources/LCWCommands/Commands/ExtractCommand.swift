// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import LCWCore
import LCWFiles
import LCWNumerics

/// `lcw extract`
struct ExtractCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "extract", abstract: "Writes single tensors to a file of their own.",
    discussion: """
      The other tensors are not read. The output's format is told from its name, such as \
      weights.npy; a name that ends in .raw takes the elements of one tensor as little-endian \
      bytes, row by row.
      """)

  @Argument(help: "The file to read; - is standard input.")
  var file: String

  @Argument(help: "The tensors' names.")
  var tensors: [String]

  @Option(name: .shortAndLong, help: "The file to write.")
  var output: String

  @Option(
    name: .customLong("format"),
    help: ArgumentHelp(
      "The output's format and its options, such as lcw:effort=best,sha256=true.",
      valueName: "format"))
  var outputFormat: String?

  @OptionGroup var overwriting: OverwriteOption

  @OptionGroup var reading: ReadingOptions

  func validate() throws {
    if output.hasSuffix(".raw"), outputFormat != nil {
      throw ValidationError("A file that ends in .raw has no format; leave out --format.")
    }
  }

  func run() throws {
    let session = try Session(reading)
    if output.hasSuffix(".raw") {
      try OutputCheck.check(output, inputs: [file])
      if !overwriting.overwrite, FileManager.default.fileExists(atPath: output) {
        throw SessionError.outputExists(file: output)
      }
    } else {
      try session.checkOutput(
        output, inputs: [file], as: outputFormat,
        existing: overwriting.overwrite ? .replaced : .refused)
    }
    let source = try session.open(file)
    let extracted = Checkpoint(
      kind: .checkpoint,
      tensors: try tensors.map { NamedTensor($0, try source.tensor(named: $0)) })
    if output.hasSuffix(".raw") {
      guard extracted.tensors.count == 1 else {
        throw SessionError.wrongUse("a raw file takes one tensor, not \(extracted.tensors.count)")
      }
      try AtomicFile.write(extracted.tensors[0].tensor.bytes, to: URL(fileURLWithPath: output))
    } else {
      try session.write(extracted, to: output, as: outputFormat)
    }
    for entry in extracted.entries {
      print("\(output): \(entry.name.asOneLine) \(entry.shape) \(entry.elementType.rawValue)")
    }
  }
}
