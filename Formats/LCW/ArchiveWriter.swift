// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWNumerics

/// Writes archives, a segment at a time: while one is encoded, the one before it is written. The
/// manifest's place is kept free, and filled in when all sizes are known.
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
    var manifest = draft(of: source, entries)
    guard manifest.segments.count <= limits.segments else {
      throw refusal("there are \(manifest.segments.count) segments, more than \(limits.segments)")
    }
    let reserved = manifest.textBytes
    guard reserved <= limits.manifestBytes else {
      throw refusal("its manifest has \(reserved) bytes, more than \(limits.manifestBytes)")
    }
    try AtomicFile.write(to: file) { output in
      let tar = try TarWriter.open(output, file: file.path)
      try tar.begin(TarContainer.manifestName, size: reserved)
      try tar.append([UInt8](repeating: 0, count: reserved)[...])
      try writeSegments(of: source, to: tar, completing: &manifest, file: file)
      try tar.finish()
      try output.replace(
        at: TarContainer.block, with: Array(manifest.text(ofBytes: reserved).utf8))
    }
  }

  /// The manifest with the largest sizes that encoding can lead to.
  private func draft(of source: any CheckpointSource, _ entries: [TensorEntry]) -> Manifest {
    var manifest = Manifest(
      kind: source.kind, chunk: Manifest.writtenChunk, metadata: source.metadata, tensors: [],
      segments: [])
    var openRawBytes = Manifest.segmentTarget
    for entry in entries {
      if openRawBytes >= Manifest.segmentTarget {
        manifest.segments.append(0)
        openRawBytes = 0
      }
      let segment = manifest.segments.count - 1
      let transforms = Transform.candidates(for: entry.elementType, rawBytes: entry.rawBytes)
      let record = TensorRecord(
        name: entry.name, elementType: entry.elementType, shape: entry.shape,
        transform: transforms.max { $0.rawValue.count < $1.rawValue.count } ?? .none,
        segment: segment, offset: manifest.segments[segment],
        stored: EncodedTensor.bound(rawBytes: entry.rawBytes),
        digest: digests ? String(repeating: "0", count: 64) : nil)
      manifest.segments[segment] += record.stored
      openRawBytes += record.rawBytes
      manifest.tensors.append(record)
    }
    return manifest
  }

  /// Encodes all tensors and writes the segments; the manifest gets what came out.
  private func writeSegments(
    of source: any CheckpointSource, to tar: borrowing TarWriter,
    completing manifest: inout Manifest, file: URL
  ) throws {
    let tools = Pool<EncodingTools>()
    var previous: Segment?
    var open = Segment(index: 0)
    for index in manifest.tensors.indices {
      let record = manifest.tensors[index]
      if record.segment != open.index {
        try check(open)
        previous = open
        open = Segment(index: record.segment)
      }
      let tensor = try source.tensor(named: record.name)
      guard tensor.elementType == record.elementType, tensor.shape == record.shape else {
        throw refusal("the tensor ‘\(record.name)’ is not what the source's list says of it")
      }
      let written = previous
      previous = nil
      let encoded: EncodedTensor
      do {
        encoded = try EncodedTensor(tensor, effort: effort, workers: workers, tools: tools) {
          if let written { try tar.append(written) }
        }
      } catch let problem as FrameProblem {
        throw ArchiveError.library(file: file.path, operation: "write", reason: problem.reason)
      }
      manifest.tensors[index].transform = encoded.transform
      manifest.tensors[index].offset = open.size
      manifest.tensors[index].stored = encoded.frames.count
      if digests { manifest.tensors[index].digest = SHA256.hexDigest(of: tensor.bytes) }
      open.append(encoded.frames)
      manifest.segments[open.index] = open.size
    }
    if !manifest.segments.isEmpty {
      try check(open)
      try tar.append(open)
    }
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
        throw refusal(
          "of the tensor ‘\(entry.name)’, \(problem)"
            + (entry.name.isEmpty ? "; --rename =NAME gives it one" : ""))
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

  private func check(_ segment: Segment) throws(CheckpointError) {
    guard segment.size <= limits.segmentBytes else {
      throw refusal(
        "a segment has \(segment.size) bytes, more than a tar of this kind can hold")
    }
  }

  private func refusal(_ reason: String) -> CheckpointError {
    .cannotWrite(format: "an .lcw archive", reason: reason)
  }
}

/// The frames of a segment's tensors.
private struct Segment: Sendable {
  let index: Int
  private(set) var tensors: [EncodedFrames] = []
  private(set) var size = 0

  init(index: Int) { self.index = index }

  mutating func append(_ frames: EncodedFrames) {
    tensors.append(frames)
    size += frames.count
  }
}

extension TarWriter {
  /// Writes a segment's entry.
  /// - Throws: ``ArchiveError/library(file:operation:reason:)``.
  fileprivate borrowing func append(_ segment: Segment) throws(ArchiveError) {
    try begin(TarContainer.segmentName(segment.index), size: segment.size)
    for tensor in segment.tensors {
      for piece in tensor.pieces { try append(piece) }
    }
  }
}
