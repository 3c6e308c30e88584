// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWNumerics

/// Writes safetensors files, a tensor at a time.
struct SafetensorsWriter {
  /// - Throws: `CheckpointError.cannotWrite` for what the format can't hold, what the source
  ///   throws, and `FileError` if the system fails.
  func write(_ source: any CheckpointSource, to file: URL) throws {
    guard source.kind == .checkpoint else {
      throw refusal(
        "such files hold only a network's weights, and this is of kind ‘\(source.kind.rawValue)’; "
          + "write an .lcw archive")
    }
    // Wide elements first, so that each tensor starts at a multiple of its elements' width.
    let entries = source.entries.sorted {
      $0.elementType.width != $1.elementType.width
        ? $0.elementType.width > $1.elementType.width
        : $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
    }
    let header = try header(of: entries, metadata: source.metadata)
    try AtomicFile.write(to: file) { output in
      try output.append(header.bytes)
      for entry in entries {
        let tensor = try source.tensor(named: entry.name)
        guard tensor.elementType == entry.elementType, tensor.shape == entry.shape else {
          throw refusal("the tensor ‘\(entry.name)’ is not what the source's list says of it")
        }
        try output.append(tensor.bytes)
      }
    }
  }

  private func header(
    of entries: [TensorEntry], metadata: [String: JSONValue]
  ) throws(CheckpointError) -> SafetensorsHeader {
    guard metadata.allSatisfy({ $0.isStreamSafe && $1.string?.isStreamSafe != false }) else {
      throw refusal("the metadata have more than 30 combining marks in a row")
    }
    guard let texts = StructuredMetadata.texts(of: metadata) else {
      throw refusal(
        "the metadata have a field ‘\(StructuredMetadata.key)’, which is reserved, "
          + "or nest too deeply")
    }
    var header = SafetensorsHeader(metadata: texts, tensors: [])
    var end = 0
    // By bytes: names that Unicode holds equivalent are two.
    var names: Set<[UInt8]> = []
    for entry in entries {
      guard entry.name != SafetensorsHeader.metadataKey else {
        throw refusal("a tensor can't be called ‘\(entry.name)’")
      }
      guard entry.name.isStreamSafe else {
        throw refusal("a name has more than 30 combining marks in a row")
      }
      guard names.insert(Array(entry.name.utf8)).inserted else {
        throw refusal("there are two tensors ‘\(entry.name)’")
      }
      let (sum, isTooLarge) = end.addingReportingOverflow(entry.rawBytes)
      guard !isTooLarge else { throw refusal("the tensors are too large") }
      header.tensors.append(
        SafetensorsHeader.Record(
          name: entry.name, typeName: entry.elementType.safetensorsName,
          elementType: entry.elementType, shape: entry.shape, range: end..<sum))
      end = sum
    }
    guard header.bytes.count - SafetensorsHeader.lengthBytes <= SafetensorsHeader.limit else {
      throw refusal("its header would have more than \(SafetensorsHeader.limit) bytes")
    }
    return header
  }

  private func refusal(_ reason: String) -> CheckpointError {
    .cannotWrite(format: "a safetensors file", reason: reason)
  }
}
