// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWNumerics

/// An archive whose manifest and container have been read and checked; its tensors are read when
/// they are asked for.
struct ArchiveReader: CheckpointSource {
  private let file: InputFile
  private let manifest: Manifest
  /// Where each segment starts in the file.
  private let segmentStarts: [Int]
  private let workers: Workers
  private let tools = Pool<DecodingTools>()
  private let buffers = Pool<ReadBuffer>()
  /// The tensors, ascending by the bytes of their names.
  let entries: [TensorEntry]

  /// - Throws: ``ArchiveError``, and `FileError` if the file can't be read.
  init(_ url: URL, limits: Limits, workers: Workers) throws {
    file = try InputFile(url)
    self.workers = workers
    guard TarContainer.recognises(try file.prefix(TarContainer.block)) else {
      throw ArchiveError.notAnArchive(
        file: file.path, reason: "it does not start with a tar header for manifest.json")
    }
    var tar = try TarReader.open(file)
    let range = try tar.next(TarContainer.manifestName)
    guard range.count <= limits.manifestBytes else {
      throw ArchiveError.limit(
        file: file.path, what: "bytes of manifest", found: range.count,
        limit: limits.manifestBytes)
    }
    manifest = try Manifest(
      parsing: try file.bytes(in: range), file: file.path, limits: limits)
    var starts: [Int] = []
    for (index, size) in manifest.segments.enumerated() {
      starts.append(try tar.next(TarContainer.segmentName(index), size: size).lowerBound)
    }
    try tar.finish()
    segmentStarts = starts
    entries = manifest.tensors.map {
      TensorEntry(
        name: $0.name, elementType: $0.elementType, shape: $0.shape, storedBytes: $0.stored)
    }
  }

  var kind: CheckpointKind { manifest.kind }
  var hasChecksums: Bool? { true }
  var metadata: [String: JSONValue] { manifest.metadata }

  func tensor(named name: String) throws -> StoredTensor {
    let record = try record(named: name)
    let start = segmentStarts[record.segment] + record.offset
    let codec = PlaneCodec(
      transform: record.transform, width: record.elementType.width, chunk: manifest.chunk)
    let bytes: [UInt8]
    do {
      bytes = try buffers.with(ReadBuffer()) { buffer in
        let frames = buffer.memory.bytes(record.stored)
        try read(start, into: frames)
        defer { buffer.shrink() }
        return try codec.decode(
          UnsafeRawBufferPointer(frames), rawBytes: record.rawBytes, workers: workers,
          tools: tools)
      }
    } catch let problem as PlaneCodec.Problem {
      throw ArchiveError.frame(
        file: file.path, tensor: name, chunk: problem.chunk, plane: problem.plane,
        reason: problem.reason)
    } catch let problem as FrameProblem {
      throw ArchiveError.library(file: file.path, operation: "read", reason: problem.reason)
    }
    if let digest = record.digest, SHA256.hexDigest(of: bytes) != digest {
      throw ArchiveError.digest(file: file.path, tensor: name)
    }
    return try StoredTensor(elementType: record.elementType, shape: record.shape, bytes: bytes)
  }

  /// Reads bytes of the file, the parts of many at the same time.
  private func read(_ start: Int, into target: UnsafeMutableRawBufferPointer) throws {
    let part = 1 << 20
    nonisolated(unsafe) let target = target
    _ = try workers.map((target.count + part - 1) / part) { index in
      let range = index * part..<min((index + 1) * part, target.count)
      try file.read(
        at: start + range.lowerBound, into: UnsafeMutableRawBufferPointer(rebasing: target[range]))
    }
  }

  /// Finds a tensor by the bytes of its name: Swift's dictionaries would take names for one that
  /// Unicode holds equivalent.
  private func record(named name: String) throws(CheckpointError) -> TensorRecord {
    var range = manifest.tensors.indices
    while !range.isEmpty {
      let middle = range.lowerBound + range.count / 2
      if Manifest.ascends(manifest.tensors[middle].name, name) {
        range = middle + 1..<range.upperBound
      } else {
        range = range.lowerBound..<middle
      }
    }
    guard range.lowerBound < manifest.tensors.count,
      manifest.tensors[range.lowerBound].name.utf8.elementsEqual(name.utf8)
    else {
      throw .missingTensor(name, nearest: nearestName(to: name, among: entries.map(\.name)))
    }
    return manifest.tensors[range.lowerBound]
  }
}

/// Memory for a tensor's frames, kept from tensor to tensor. One thread at a time uses it.
private final class ReadBuffer: @unchecked Sendable {
  /// More than this is given back.
  private static let most = 32 << 20

  private(set) var memory = ScratchMemory()

  func shrink() {
    if memory.count > ReadBuffer.most { memory = ScratchMemory() }
  }
}
