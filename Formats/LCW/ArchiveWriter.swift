// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWNumerics

/// Writes archives: a tensor at a time is in memory, and its frames are set aside until all sizes
/// are known.
struct ArchiveWriter {
  /// What the archive may hold at most, so that it can be read.
  var limits: Limits
  /// The threads to encode with.
  var workers: Workers
  /// How hard to try for a small file.
  var effort: Effort
  /// Whether the manifest states a SHA-256 for each tensor.
  var digests: Bool

  /// - Throws: `CheckpointError.cannotWrite` for what the format can't hold, what the source
  ///   throws, and ``ArchiveError`` and `FileError` if the system fails.
  func write(_ source: any CheckpointSource, to file: URL) throws {
    let entries = source.entries.sorted { Manifest.ascends($0.name, $1.name) }
    try check(entries, of: source)
    var spool = SpoolFile(for: file)
    let tools = Pool<EncodingTools>()
    var manifest = Manifest(
      kind: source.kind, chunk: Manifest.writtenChunk, metadata: source.metadata, tensors: [],
      segments: [])
    var isOpen = false
    var openRawBytes = 0
    for entry in entries {
      if !isOpen || openRawBytes >= Manifest.segmentTarget {
        manifest.segments.append(0)
        isOpen = true
        openRawBytes = 0
      }
      let segment = manifest.segments.count - 1
      let record = try encode(
        entry, of: source, segment: segment, offset: manifest.segments[segment], tools: tools,
        into: &spool, file: file)
      manifest.segments[segment] += record.stored
      openRawBytes += record.rawBytes
      manifest.tensors.append(record)
    }
    try check(manifest)
    let text = Array(manifest.text.utf8)
    guard text.count <= limits.manifestBytes else {
      throw refusal("its manifest has \(text.count) bytes, more than \(limits.manifestBytes)")
    }
    try AtomicFile.write(to: file) { output in
      let tar = try TarWriter.open(output, file: file.path)
      try tar.begin(TarContainer.manifestName, size: text.count)
      try tar.append(text[...])
      var start = 0
      for (index, size) in manifest.segments.enumerated() {
        try tar.begin(TarContainer.segmentName(index), size: size)
        try spool.read(start..<start + size) { try tar.append($0) }
        start += size
      }
      try tar.finish()
    }
  }

  private func encode(
    _ entry: TensorEntry, of source: any CheckpointSource, segment: Int, offset: Int,
    tools: Pool<EncodingTools>, into spool: inout SpoolFile, file: URL
  ) throws -> TensorRecord {
    let tensor = try source.tensor(named: entry.name)
    guard tensor.elementType == entry.elementType, tensor.shape == entry.shape else {
      throw refusal("the tensor ‘\(entry.name)’ is not what the source's list says of it")
    }
    let encoded: EncodedTensor
    do {
      encoded = try EncodedTensor(tensor, effort: effort, workers: workers, tools: tools)
    } catch let problem as FrameProblem {
      throw ArchiveError.library(file: file.path, operation: "write", reason: problem.reason)
    }
    let start = spool.size
    for piece in encoded.frames.pieces { try spool.append(piece) }
    return TensorRecord(
      name: entry.name, elementType: entry.elementType, shape: entry.shape,
      transform: encoded.transform,
      segment: segment, offset: offset, stored: spool.size - start,
      digest: digests ? SHA256.hexDigest(of: tensor.bytes) : nil)
  }

  /// Checks before anything is encoded what can be.
  private func check(
    _ entries: [TensorEntry], of source: any CheckpointSource
  ) throws(CheckpointError) {
    if let problem = Manifest.problem(withKind: source.kind.rawValue) {
      throw refusal("‘\(source.kind.rawValue)’ is no kind: \(problem)")
    }
    if let problem = Manifest.problem(withMetadata: source.metadata, limits: limits) {
      throw refusal("of the metadata: \(problem)")
    }
    guard entries.count <= limits.tensors else {
      throw refusal("there are \(entries.count) tensors, more than \(limits.tensors)")
    }
    var total = 0
    for (index, entry) in entries.enumerated() {
      if let problem = Manifest.problem(withName: entry.name, limits: limits) {
        throw refusal("of the tensor ‘\(entry.name)’, \(problem)")
      }
      if index > 0, entries[index - 1].name.utf8.elementsEqual(entry.name.utf8) {
        throw refusal("there are two tensors ‘\(entry.name)’")
      }
      guard entry.shape.rank <= limits.rank else {
        throw refusal(
          "the tensor ‘\(entry.name)’ has \(entry.shape.rank) dimensions, more than \(limits.rank)")
      }
      if let size = entry.shape.dimensions.first(where: { $0 > limits.integer }) {
        throw refusal("the tensor ‘\(entry.name)’ has a dimension of \(size), more than 2⁵³ − 1")
      }
      let (sum, isTooLarge) = total.addingReportingOverflow(entry.rawBytes)
      guard !isTooLarge, sum <= limits.rawBytes else {
        throw refusal("the tensors have more than \(limits.rawBytes) bytes")
      }
      total = sum
    }
  }

  private func check(_ manifest: Manifest) throws(CheckpointError) {
    guard manifest.segments.count <= limits.segments else {
      throw refusal("there are \(manifest.segments.count) segments, more than \(limits.segments)")
    }
    if let size = manifest.segments.max(), size > limits.segmentBytes {
      throw refusal("a segment has \(size) bytes, more than a tar of this kind can hold")
    }
  }

  private func refusal(_ reason: String) -> CheckpointError {
    .cannotWrite(format: "an .lcw archive", reason: reason)
  }
}
