// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import LCWCore
import LCWFiles
import LCWNumerics

/// `lcw extract`
struct ExtractCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "extract", abstract: "Writes selected tensors to a new file.",
    discussion: """
      The other tensors are not read. The output's name sets its format, such as weights.npy; a \
      file that ends in .raw gets the elements of one tensor as little-endian bytes, row by row. - \
      as the output is standard output; --format then sets the format, which may be raw.
      """ + CommandExamples.text(of: "extract"))

  @Argument(help: "The file to read; - is standard input.", completion: .file())
  var file: String

  @Argument(help: "The tensors' names.", completion: .tensors)
  var tensors: [String]

  @Option(
    name: .shortAndLong, help: "The file to write; - is standard output, with --format.",
    completion: .file())
  var output: String

  @Option(
    name: .customLong("format"),
    help: ArgumentHelp(
      "The output's format and its options, such as lcw:effort=best,sha256=true.",
      valueName: "format"), completion: .writableFormats)
  var outputFormat: String?

  @OptionGroup var overwriting: OverwriteOption

  @OptionGroup var reading: ReadingOptions

  /// Whether a tensor's elements alone are written.
  private var isRaw: Bool { output.hasSuffix(".raw") || outputFormat == "raw" }

  func validate() throws {
    if output.hasSuffix(".raw"), outputFormat != nil, outputFormat != "raw" {
      throw ValidationError("A file that ends in .raw has no format; leave out --format.")
    }
  }

  func run() throws {
    let session = try Session(reading)
    let existing = overwriting.overwrite ? ExistingOutput.replaced : .refused
    let output =
      try isRaw
      ? session.reserveBytes(self.output, inputs: [file], existing: existing)
      : session.reserve(
        self.output, inputs: [file], as: outputFormat, isStreamable: true, existing: existing)
    let source = try session.open(file)
    let extracted = Checkpoint(
      kind: .checkpoint,
      tensors: try tensors.map { NamedTensor($0, try source.tensor(named: $0)) })
    if isRaw {
      guard extracted.tensors.count == 1 else {
        throw SessionError.wrongUse("a raw file takes one tensor, not \(extracted.tensors.count)")
      }
      try output.write(extracted.tensors[0].tensor.bytes)
    } else {
      try output.write(extracted)
    }
    for entry in extracted.entries {
      try output.say(
        "\(output.path): \(entry.name) \(entry.shape) \(entry.elementType.rawValue)")
    }
  }
}
