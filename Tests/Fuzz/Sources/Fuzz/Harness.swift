// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics

/// Gives an input to the readers of all formats that are linked, and ends the process if one does
/// what none may do. What crashes, hangs or takes too much memory, libFuzzer itself notices.
struct Harness: Sendable {
  static let shared = Harness()

  private let formats: [any CheckpointFormat]
  /// Where the input stands, and where what was read of it is written to, since the readers want
  /// files.
  private let input: URL
  private let output: URL

  /// Elements beyond this many bytes are not read, so that an input takes little time.
  private static let readLimit = 32 << 20

  private init() {
    do {
      let registry = try PluginRegistry.linked()
      formats = try registry.plugins(of: .format).map {
        try registry.format(PluginReference(name: $0.name))
      }
      let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("lcw-fuzz-\(getpid())")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      input = folder.appendingPathComponent("input")
      output = folder.appendingPathComponent("output")
    } catch {
      Harness.stop("can't start: \(error)")
    }
  }

  /// Reads the bytes as a file of each format that recognises them, or of all if none does.
  func examine(_ bytes: [UInt8]) {
    write(bytes)
    let start = Array(bytes.prefix(4096))
    let recognising = formats.filter { type(of: $0).recognises(start) }
    for format in recognising.isEmpty ? formats : recognising {
      do {
        let source = try format.open(input)
        guard let checkpoint = try read(source) else { continue }
        if type(of: format).canWrite { try rewrite(checkpoint, by: format) }
      } catch let error as any DescribedError {
        check(error)
      } catch {
        Harness.stop("an error of another kind: \(error)")
      }
    }
  }

  private func write(_ bytes: [UInt8]) {
    let descriptor = open(input.path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    guard descriptor >= 0, Foundation.write(descriptor, bytes, bytes.count) == bytes.count else {
      Harness.stop("can't write the input to \(input.path)")
    }
    close(descriptor)
  }

  /// All of a source, or nothing if it is larger than is read here.
  private func read(_ source: any CheckpointSource) throws -> Checkpoint? {
    var total = 0
    for entry in source.entries {
      let (sum, isTooLarge) = total.addingReportingOverflow(entry.rawBytes)
      guard !isTooLarge, sum <= Harness.readLimit else { return nil }
      total = sum
    }
    let checkpoint = try Checkpoint(reading: source)
    for (entry, named) in zip(source.entries, checkpoint.tensors) {
      guard named.tensor.elementType == entry.elementType, named.tensor.shape == entry.shape else {
        Harness.stop("the tensor ‘\(entry.name)’ is not what the list says of it")
      }
    }
    return checkpoint
  }

  /// What was read is written and read again: it must be the same.
  private func rewrite(_ checkpoint: Checkpoint, by format: any CheckpointFormat) throws {
    do {
      try format.write(checkpoint, to: output)
    } catch CheckpointError.cannotWrite {
      return
    }
    let again = try Checkpoint(reading: try format.open(output))
    // A graph is written with other operators than it had, which its metadata tell.
    guard checkpoint.metadata["onnx"] == nil else { return }
    guard again.kind == checkpoint.kind, again.metadata == checkpoint.metadata,
      Set(again.tensors) == Set(checkpoint.tensors)
    else { Harness.stop("what \(type(of: format).name) writes is not what was read") }
  }

  /// A description is one line for a person, whatever bytes the file has.
  private func check(_ error: any DescribedError) {
    let hasControl = error.description.unicodeScalars.contains {
      $0.properties.generalCategory == .control
    }
    if hasControl { Harness.stop("a control character in: \(error.description.debugDescription)") }
    if error.description.utf8.count > 10_000 { Harness.stop("a long description") }
  }

  private static func stop(_ finding: String) -> Never {
    FileHandle.standardError.write(Data("FINDING: \(finding)\n".utf8))
    abort()
  }
}
