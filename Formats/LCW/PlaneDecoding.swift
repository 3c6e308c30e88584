// SPDX-License-Identifier: Apache-2.0
import CKernels
import LCWNumerics

/// What one worker needs for decoding, kept from chunk to chunk and from tensor to tensor.
///
/// Workers take it from a ``Pool``, so one at a time uses it.
final class DecodingTools: @unchecked Sendable {
  fileprivate let decoder: FrameDecoder
  fileprivate let scratch = ScratchMemory()

  /// - Throws: ``FrameProblem`` if out of memory.
  init() throws(FrameProblem) {
    decoder = try FrameDecoder()
  }
}

extension PlaneCodec {
  /// Where and why frames are not those of a tensor.
  struct Problem: Error {
    var chunk: Int
    var plane: Int
    var reason: String
  }

  // Enough contents of one size to compute their checksums side by side, and few enough that the frames are still
  // in a second cache when they are joined.
  private static let chunksTogether = 4

  /// A frame: its place among all, and the bytes of its content.
  private struct Frame {
    var range: Range<Int>
    var content: Int
  }

  /// The tensor's bytes that frames hold.
  /// - Parameters:
  ///   - frames: The frames of all chunks and planes, and nothing else.
  ///   - rawBytes: The tensor's bytes, which the caller has found to be acceptable.
  /// - Throws: ``Problem``, or ``FrameProblem`` if out of memory.
  func decode(
    _ frames: UnsafeRawBufferPointer, rawBytes: Int, workers: Workers,
    tools: Pool<DecodingTools>
  ) throws -> [UInt8] {
    let places = try places(in: frames, rawBytes: rawBytes)
    let parts = parts(of: rawBytes, for: workers)
    return try [UInt8](unsafeUninitializedCapacity: rawBytes) { target, count in
      // Each part writes to its own chunks of the target, and the frames are only read.
      nonisolated(unsafe) let target = UnsafeMutableRawBufferPointer(target)
      nonisolated(unsafe) let frames = frames
      ScratchMemory.adviseLargePages(target)
      _ = try workers.map(parts.count) { part in
        try tools.with(DecodingTools()) { tools in
          for first in stride(
            from: parts[part].lowerBound, to: parts[part].upperBound, by: Self.chunksTogether)
          {
            let chunks = first..<min(first + Self.chunksTogether, parts[part].upperBound)
            try decode(chunks, of: frames, at: places, tools: tools, into: target)
          }
        }
      }
      count = rawBytes
    }
  }

  /// Where each frame is.
  private func places(
    in frames: UnsafeRawBufferPointer, rawBytes: Int
  ) throws(Problem) -> [Frame] {
    let chunks = chunkCount(of: rawBytes)
    var places: [Frame] = []
    places.reserveCapacity(chunks * planes)
    var position = 0
    for chunk in 0..<chunks {
      let sizes = planeSizes(ofChunk: range(ofChunk: chunk, of: rawBytes).count)
      for (plane, size) in sizes.enumerated() {
        do throws(FrameProblem) {
          let (length, content) = try ZstdFrame.measures(
            of: UnsafeRawBufferPointer(rebasing: frames[position...]), content: size)
          places.append(Frame(range: position..<position + length, content: content))
          position += length
        } catch {
          throw Problem(chunk: chunk, plane: plane, reason: error.reason)
        }
      }
    }
    guard position == frames.count else {
      throw Problem(
        chunk: max(chunks, 1) - 1, plane: planes - 1,
        reason: "\(frames.count - position) bytes follow the last frame")
    }
    return places
  }

  /// Decodes some chunks of the tensor `target`. Their checksums are computed together.
  private func decode(
    _ chunks: Range<Int>, of frames: UnsafeRawBufferPointer, at places: [Frame],
    tools: DecodingTools, into target: UnsafeMutableRawBufferPointer
  ) throws(Problem) {
    let indices = chunks.lowerBound * planes..<chunks.upperBound * planes
    let scratch = tools.scratch.bytes(places[indices].reduce(0) { $0 + $1.content })
    func words(_ chunk: Int) -> UnsafeMutableRawBufferPointer {
      UnsafeMutableRawBufferPointer(rebasing: target[range(ofChunk: chunk, of: target.count)])
    }
    var start = 0
    var contents: [UnsafeRawBufferPointer] = []
    contents.reserveCapacity(indices.count)
    for index in indices {
      let place = places[index]
      let room =
        transform == .none
        ? words(index)
        : UnsafeMutableRawBufferPointer(rebasing: scratch[start..<start + place.content])
      do throws(FrameProblem) {
        contents.append(
          try tools.decoder.content(
            of: UnsafeRawBufferPointer(rebasing: frames[place.range]), count: place.content,
            room: room))
      } catch {
        throw Problem(chunk: index / planes, plane: index % planes, reason: error.reason)
      }
      start += place.content
    }
    for (index, sum) in zip(indices, ZstdFrame.checksums(of: contents)) {
      let frame = UnsafeRawBufferPointer(rebasing: frames[places[index].range])
      guard sum == ZstdFrame.checksum(statedBy: frame) else {
        throw Problem(
          chunk: index / planes, plane: index % planes,
          reason: "the content does not have the frame's checksum")
      }
    }
    for chunk in chunks {
      let first = (chunk - chunks.lowerBound) * planes
      if let reason = join(contents[first..<first + planes], into: words(chunk)) {
        throw Problem(chunk: chunk, plane: 0, reason: reason)
      }
    }
  }

  /// Puts a chunk together, and says why that can't be if it can't.
  private func join(
    _ contents: ArraySlice<UnsafeRawBufferPointer>, into words: UnsafeMutableRawBufferPointer
  ) -> String? {
    let contents = Array(contents)
    let planes = contents.compactMap { $0.baseAddress?.assumingMemoryBound(to: UInt8.self) }
    guard planes.count == contents.count,
      let target = words.baseAddress?.assumingMemoryBound(to: UInt8.self)
    else { return nil }
    let count = words.count / width
    switch transform {
    case .none:
      if planes[0] != UnsafePointer(target) {
        words.copyMemory(from: contents[0])
      }
    case .planes, .rotatedPlanes:
      lcw_join_planes(target, planes, count, Int32(width), transform == .rotatedPlanes ? 1 : 0)
    case .narrowExponent:
      let base = planes[0][0]
      guard base <= 225 else { return "the exponents' base is \(base), more than 225" }
      let isJoined = lcw_join_exp5(
        target, Array(planes[1...]), planes[width], planes[width + 1], planes[0] + 1,
        contents[0].count - 1, count, Int32(width), Int32(base))
      if isJoined == 0 { return "there are not as many escapes as are needed" }
    }
    return nil
  }
}
