// SPDX-License-Identifier: Apache-2.0
import CKernels
import LCWNumerics

/// The frames of a tensor, in order, as pieces of one buffer.
struct EncodedFrames: Sendable {
  private let buffer: [UInt8]
  private let ranges: [Range<Int>]

  fileprivate init(buffer: [UInt8], ranges: [Range<Int>]) {
    self.buffer = buffer
    self.ranges = ranges
  }

  /// The bytes of all frames.
  var count: Int { ranges.reduce(0) { $0 + $1.count } }

  /// The pieces, to be joined.
  var pieces: [ArraySlice<UInt8>] { ranges.map { buffer[$0] } }
}

/// What one worker needs for encoding, kept from chunk to chunk and from tensor to tensor.
///
/// Workers take it from a ``Pool``, so one at a time uses it.
final class EncodingTools: @unchecked Sendable {
  /// The contexts of libzstd.
  var encoder = FrameEncoder()
  /// Memory for a chunk's planes.
  let scratch = ScratchMemory()
  /// Memory for a frame that is only measured.
  let trial = ScratchMemory()
}

extension PlaneCodec {
  // Their planes fit in a second cache, and are enough to compute checksums side by side.
  private static let chunksTogether = 2

  /// The frames of a tensor's bytes. They do not depend on the number of workers.
  /// - Parameters:
  ///   - plan: How; its transform has to be this codec's.
  ///   - alongside: Other work, which one of the workers does first.
  /// - Throws: ``FrameProblem`` if libzstd fails, and what `alongside` throws.
  func encode(
    _ bytes: [UInt8], plan: EncodingPlan, workers: Workers, tools: Pool<EncodingTools>,
    alongside: @Sendable () throws -> Void
  ) throws -> EncodedFrames {
    let parts = parts(of: bytes.count, for: workers)
    let rooms = parts.map { chunks in
      chunks.reduce(0) { room, chunk in
        planeSizes(ofChunk: range(ofChunk: chunk, of: bytes.count).count)
          .reduce(room) { $0 + FrameEncoder.bound($1.upperBound) }
      }
    }
    let starts = rooms.indices.map { rooms[..<$0].reduce(0, +) }
    var lengths: [Int] = []
    let buffer = try [UInt8](unsafeUninitializedCapacity: rooms.reduce(0, +)) { buffer, count in
      // Each part writes to its own room in the buffer.
      nonisolated(unsafe) let buffer = UnsafeMutableRawBufferPointer(buffer)
      ScratchMemory.adviseLargePages(buffer)
      let results = try workers.map(parts.count + 1) { index in
        guard index > 0 else {
          try alongside()
          return 0
        }
        let part = index - 1
        let room = UnsafeMutableRawBufferPointer(
          rebasing: buffer[starts[part]..<starts[part] + rooms[part]])
        return try tools.with(EncodingTools()) {
          try encode(bytes, chunks: parts[part], plan: plan, tools: $0, into: room)
        }
      }
      lengths = Array(results.dropFirst())
      count = buffer.count
    }
    return EncodedFrames(
      buffer: buffer, ranges: zip(starts, lengths).map { $0..<$0 + $1 })
  }

  /// Writes the frames of some chunks to the start of `target`, and gives their length.
  private func encode(
    _ bytes: [UInt8], chunks: Range<Int>, plan: EncodingPlan, tools: EncodingTools,
    into target: UnsafeMutableRawBufferPointer
  ) throws -> Int {
    var length = 0
    try bytes.withUnsafeBytes { source in
      for first in stride(from: chunks.lowerBound, to: chunks.upperBound, by: Self.chunksTogether) {
        let contents = contents(
          first..<min(first + Self.chunksTogether, chunks.upperBound), of: source,
          base: plan.base, tools: tools)
        for (index, sum) in ZstdFrame.checksums(of: contents).enumerated() {
          let (content, plane) = (contents[index], index % planes)
          let rest = UnsafeMutableRawBufferPointer(rebasing: target[length...])
          length +=
            try plan.methods.map { methods in
              // How many escapes there are is not the same in every chunk.
              let isEscapes = transform == .narrowExponent && plane == 0
              let method = isEscapes ? EncodingPlan.method(forEscapes: content) : methods[plane]
              return try tools.encoder.encode(content, checksum: sum, by: method, into: rest)
            } ?? tools.encoder.encodeSmallest(content, checksum: sum, into: rest)
        }
      }
    }
    return length
  }

  /// The planes of some chunks, one chunk's behind the other's. Checksums are computed for all together.
  private func contents(
    _ chunks: Range<Int>, of bytes: UnsafeRawBufferPointer, base: Int, tools: EncodingTools
  ) -> [UnsafeRawBufferPointer] {
    let scratch = tools.scratch.bytes(chunks.count * scratchBytes)
    return chunks.flatMap { chunk in
      let start = (chunk - chunks.lowerBound) * scratchBytes
      return split(
        UnsafeRawBufferPointer(rebasing: bytes[range(ofChunk: chunk, of: bytes.count)]),
        base: base,
        into: UnsafeMutableRawBufferPointer(rebasing: scratch[start..<start + scratchBytes]))
    }
  }

  /// The planes of a chunk, in `scratch` unless the transform leaves the bytes as they are.
  /// - Parameter base: The exponent below those that have codes, for the narrow exponent.
  func split(
    _ words: UnsafeRawBufferPointer, base: Int, into scratch: UnsafeMutableRawBufferPointer
  ) -> [UnsafeRawBufferPointer] {
    guard transform != .none,
      let source = words.baseAddress?.assumingMemoryBound(to: UInt8.self),
      let target = scratch.baseAddress?.assumingMemoryBound(to: UInt8.self)
    else { return [words] }
    let count = words.count / width
    func plane(_ start: Int, _ size: Int) -> UnsafeRawBufferPointer {
      UnsafeRawBufferPointer(rebasing: scratch[start..<start + size])
    }
    let bytePlanes = (0..<width).map { plane($0 * count, count) }
    guard transform == .narrowExponent else {
      precondition(width * count <= scratch.count)
      lcw_split_planes(
        target, count, source, count, Int32(width), transform == .rotatedPlanes ? 1 : 0)
      return bytePlanes
    }
    let nibbles = width * count
    let signs = nibbles + (count + 1) / 2
    let escapes = signs + (count + 7) / 8
    precondition(escapes + count + 2 <= scratch.count)
    scratch[escapes] = UInt8(base)
    let escapeCount = lcw_split_exp5(
      target, target + nibbles, target + signs, target + escapes + 1, source, count,
      Int32(width), Int32(base))
    return [plane(escapes, 1 + escapeCount)] + bytePlanes.dropLast()
      + [plane(nibbles, signs - nibbles), plane(signs, escapes - signs)]
  }
}
