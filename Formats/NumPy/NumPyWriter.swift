// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWNumerics

/// Writes NumPy's files, an array at a time.
struct NumPyWriter {
  /// Whether to deflate the arrays of an npz.
  var compress: Bool

  /// Writes an `.npz`.
  /// - Throws: `CheckpointError.cannotWrite` for what the format can't hold, what the source
  ///   throws, and `ZipError` and `FileError` if the system fails.
  func writeArchive(_ source: any CheckpointSource, to file: URL) throws {
    let headers = try headers(of: source)
    try AtomicFile.write(to: file) { output in
      var archive = try ZipWriter.open(output, compress: compress, path: file.path)
      for (entry, header) in zip(source.entries, headers) {
        let tensor = try checkedTensor(entry, of: source)
        try archive.add(entry.name + NumPyHeader.nameEnding, [header, tensor.bytes])
      }
      try archive.finish()
    }
  }

  /// Writes an `.npy`.
  /// - Throws: As ``writeArchive(_:to:)``.
  func writeArray(_ source: any CheckpointSource, to file: URL) throws {
    let headers = try headers(of: source)
    guard let entry = source.entries.first, source.entries.count == 1 else {
      throw refusal(
        "an .npy file holds one array, but there are \(source.entries.count) tensors; "
          + "write an .npz file")
    }
    try AtomicFile.write(to: file) { output in
      for header in headers { try output.append(header) }
      try output.append(try checkedTensor(entry, of: source).bytes)
    }
  }

  /// The header of each of the source's tensors.
  private func headers(of source: any CheckpointSource) throws(CheckpointError) -> [[UInt8]] {
    guard source.kind == .checkpoint else {
      throw refusal(
        "such files hold only a network's weights, and this is of kind ‘\(source.kind.rawValue)’; "
          + "write an .lcw archive")
    }
    var names: Set<[UInt8]> = []
    var headers: [[UInt8]] = []
    for entry in source.entries {
      let problem = ZipWriter.problem(withName: entry.name + NumPyHeader.nameEnding)
      if let problem {
        throw refusal("a tensor can't be called ‘\(entry.name)’: \(problem)")
      }
      guard names.insert(Array(entry.name.utf8)).inserted else {
        throw refusal("there are two tensors ‘\(entry.name)’")
      }
      guard entry.elementType.numPyDescription != nil else {
        throw refusal(
          "the tensor ‘\(entry.name)’ is \(entry.elementType.rawValue), which NumPy does not have; "
            + (entry.elementType.isFloatingPoint
              ? "convert it with --dtype f32" : "write an .lcw or .safetensors file"))
      }
      let header = NumPyHeader(elementType: entry.elementType, shape: entry.shape)
      guard let bytes = header.bytes else {
        throw refusal(
          "the tensor ‘\(entry.name)’ has \(entry.shape.rank) dimensions, "
            + "of which NumPy accepts \(NumPyHeader.rankLimit)")
      }
      headers.append(bytes)
    }
    return headers
  }

  private func checkedTensor(
    _ entry: TensorEntry, of source: any CheckpointSource
  ) throws -> StoredTensor {
    let tensor = try source.tensor(named: entry.name)
    guard tensor.elementType == entry.elementType, tensor.shape == entry.shape else {
      throw refusal("the tensor ‘\(entry.name)’ is not what the source's list says of it")
    }
    return tensor
  }

  private func refusal(_ reason: String) -> CheckpointError {
    .cannotWrite(format: "a file of NumPy", reason: reason)
  }
}
