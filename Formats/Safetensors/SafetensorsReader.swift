// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWNumerics

/// A safetensors file whose header has been read and checked; its tensors are read when they are
/// asked for.
struct SafetensorsReader: CheckpointSource {
  private let file: InputFile
  private let header: SafetensorsHeader
  /// Where the tensors' bytes start in the file.
  private let dataStart: Int
  /// The tensors by the bytes of their names.
  private let indices: [[UInt8]: Int]
  /// The tensors, in the order of their bytes.
  let entries: [TensorEntry]
  let unreadable: [UnreadableTensor]
  let metadata: [String: JSONValue]

  /// - Throws: ``SafetensorsError``, and `FileError` if the file can't be read.
  init(_ url: URL) throws {
    file = try InputFile(url)
    let start = try file.prefix(SafetensorsHeader.lengthBytes)
    guard start.count == SafetensorsHeader.lengthBytes else {
      throw SafetensorsError.notSafetensors(
        file: file.path, reason: "it has only \(start.count) bytes")
    }
    let length = SafetensorsHeader.length(from: start)
    let rest = file.size - start.count
    guard length <= UInt64(SafetensorsHeader.limit), length <= UInt64(rest) else {
      throw SafetensorsError.notSafetensors(
        file: file.path,
        reason: "its first 8 bytes state a header of \(length) bytes, but "
          + (length <= UInt64(rest)
            ? "\(SafetensorsHeader.limit) are the most accepted" : "only \(rest) follow"))
    }
    dataStart = start.count + Int(length)
    let json = try file.bytes(in: start.count..<dataStart)
    guard SafetensorsHeader.startsObject(json[...]) else {
      throw SafetensorsError.notSafetensors(
        file: file.path, reason: "its header does not start with a brace")
    }
    header = try SafetensorsHeader(
      parsing: json, dataBytes: file.size - dataStart, file: file.path)
    indices = Dictionary(
      header.tensors.enumerated().map { (Array($1.name.utf8), $0) },
      uniquingKeysWith: { first, _ in first })
    entries = header.tensors.compactMap { tensor in
      tensor.elementType.map {
        TensorEntry(
          name: tensor.name, elementType: $0, shape: tensor.shape,
          storedBytes: tensor.range.count)
      }
    }
    unreadable = header.tensors.filter { $0.elementType == nil }.map {
      UnreadableTensor(
        name: $0.name, type: $0.typeName, shape: $0.shape, storedBytes: $0.range.count)
    }
    metadata = StructuredMetadata.metadata(of: header.metadata)
  }

  var kind: CheckpointKind { .checkpoint }
  var notes: [String] { header.notes }
  var hasChecksums: Bool? { false }

  func tensor(named name: String) throws -> StoredTensor {
    let (record, elementType) = try record(named: name)
    let bytes = try file.bytes(
      in: dataStart + record.range.lowerBound..<dataStart + record.range.upperBound)
    return try StoredTensor(elementType: elementType, shape: record.shape, bytes: bytes)
  }

  func elementBytes(of name: String, in elements: Range<Int>) throws -> [UInt8]? {
    let (record, elementType) = try record(named: name)
    let start = dataStart + record.range.lowerBound
    return try file.bytes(
      in: start + elements.lowerBound * elementType.width..<start + elements.upperBound
        * elementType.width)
  }

  private func record(
    named name: String
  ) throws -> (SafetensorsHeader.Record, type: ElementType) {
    guard let index = indices[Array(name.utf8)] else {
      throw CheckpointError.missingTensor(
        name, nearest: nearestName(to: name, among: entries.map(\.name)))
    }
    let record = header.tensors[index]
    guard let elementType = record.elementType else {
      throw SafetensorsError.unsupportedType(
        file: file.path, tensor: name, type: record.typeName,
        supported: ElementType.allCases.map(\.safetensorsName))
    }
    return (record, elementType)
  }
}
