// SPDX-License-Identifier: Apache-2.0
import CKernels
import LCWNumerics

/// Turns a tensor's bytes into zstd frames and back: chunk by chunk, plane by plane.
struct PlaneCodec: Sendable {
  /// What happens to a chunk before it is compressed.
  let transform: Transform
  /// The bytes of an element.
  let width: Int
  /// The bytes of a chunk; those of the last one may be fewer.
  let chunk: Int

  /// The frames of each chunk.
  var planes: Int { transform == .none ? 1 : width }

  /// The number of chunks of a tensor of that many bytes.
  func chunkCount(of rawBytes: Int) -> Int { (rawBytes + chunk - 1) / chunk }

  /// The bytes of a chunk of a tensor of that many bytes.
  func range(ofChunk index: Int, of rawBytes: Int) -> Range<Int> {
    index * chunk..<min((index + 1) * chunk, rawBytes)
  }

  /// The chunks dealt out in ranges, more than there are workers, so that none waits long for
  /// another; each range has contexts and buffers of its own.
  private func parts(of rawBytes: Int, for workers: Workers) -> [Range<Int>] {
    let chunks = chunkCount(of: rawBytes)
    let parts = workers.count == 1 ? min(chunks, 1) : min(chunks, 4 * workers.count)
    return (0..<parts).map { chunks * $0 / parts..<chunks * ($0 + 1) / parts }
  }
}

// MARK: - Encoding

extension PlaneCodec {
  /// The frames of a tensor's bytes, in order, as pieces to be joined. They do not depend on the
  /// number of workers.
  /// - Throws: ``FrameProblem`` if libzstd fails.
  func encode(_ bytes: [UInt8], effort: Effort, workers: Workers) throws -> [[UInt8]] {
    let methods = effort == .fast ? try sampledMethods(for: bytes) : nil
    let parts = parts(of: bytes.count, for: workers)
    return try workers.map(parts.count) { part in
      try encode(bytes, chunks: parts[part], methods: methods)
    }
  }

  private func encode(
    _ bytes: [UInt8], chunks: Range<Int>, methods: [FrameMethod]?
  ) throws -> [UInt8] {
    var encoder = FrameEncoder()
    var scratch = [UInt8](unsafeUninitializedCapacity: chunk) { $1 = chunk }
    let room = chunks.reduce(0) {
      $0 + planes * FrameEncoder.bound(range(ofChunk: $1, of: bytes.count).count / planes)
    }
    return try [UInt8](unsafeUninitializedCapacity: room) { target, count in
      try bytes.withUnsafeBytes { source in
        try scratch.withUnsafeMutableBytes { scratch in
          for chunk in chunks {
            let words = UnsafeRawBufferPointer(
              rebasing: source[range(ofChunk: chunk, of: source.count)])
            let size = words.count / planes
            let split = split(words, into: scratch, stride: size)
            for plane in 0..<planes {
              let content = UnsafeRawBufferPointer(
                rebasing: split[plane * size..<(plane + 1) * size])
              let rest = UnsafeMutableRawBufferPointer(
                rebasing: UnsafeMutableRawBufferPointer(target)[count...])
              count +=
                try methods.map { try encoder.encode(content, by: $0[plane], into: rest) }
                ?? encodeSmallest(content, by: &encoder, into: rest)
            }
          }
        }
      }
    }
  }

  /// Tries every way and keeps the smallest frame; of equal ones the fastest.
  private func encodeSmallest(
    _ content: UnsafeRawBufferPointer, by encoder: inout FrameEncoder,
    into target: UnsafeMutableRawBufferPointer
  ) throws(FrameProblem) -> Int {
    var best = (method: FrameMethod.store, length: Int.max)
    for method in FrameMethod.allCases {
      let length = try encoder.encode(content, by: method, into: target)
      if length < best.length { best = (method, length) }
    }
    return try encoder.encode(content, by: best.method, into: target)
  }

  /// The words of a chunk as planes; `scratch` unless the transform leaves them as they are.
  private func split(
    _ words: UnsafeRawBufferPointer, into scratch: UnsafeMutableRawBufferPointer, stride: Int
  ) -> UnsafeRawBufferPointer {
    guard transform != .none,
      let source = words.baseAddress?.assumingMemoryBound(to: UInt8.self),
      let target = scratch.baseAddress?.assumingMemoryBound(to: UInt8.self)
    else { return words }
    precondition(stride * (width - 1) + words.count / width <= scratch.count)
    lcw_split_planes(
      target, stride, source, words.count / width, Int32(width),
      transform == .rotatedPlanes ? 1 : 0)
    return UnsafeRawBufferPointer(scratch)
  }
}

// MARK: - Choosing a method per plane

extension PlaneCodec {
  /// The bytes of a plane that each of the three windows of a sample takes.
  private static let window = 4096

  /// For each plane, the method that a sample favours: a slower one has to save a 64th.
  private func sampledMethods(for bytes: [UInt8]) throws(FrameProblem) -> [FrameMethod] {
    guard !bytes.isEmpty else { return [] }
    let (sample, size) = sample(of: bytes)
    var encoder = FrameEncoder()
    var target = [UInt8](repeating: 0, count: FrameEncoder.bound(size))
    var methods: [FrameMethod] = []
    for plane in 0..<planes {
      var best = (method: FrameMethod.store, length: size)
      for method in [FrameMethod.entropy, .match] {
        let result = sample.withUnsafeBytes { sample in
          target.withUnsafeMutableBytes { target in
            let content = UnsafeRawBufferPointer(
              rebasing: sample[plane * size..<(plane + 1) * size])
            return Result { () throws(FrameProblem) in
              try encoder.encode(content, by: method, into: target)
            }
          }
        }
        let length = try result.get()
        if length < best.length - best.length / 64 { best = (method, length) }
      }
      methods.append(best.method)
    }
    return methods
  }

  /// The planes of the tensor's first, middle and last words, or of all words if those are few;
  /// and the bytes of each plane.
  private func sample(of bytes: [UInt8]) -> (planes: [UInt8], size: Int) {
    let count = bytes.count / planes
    let window = PlaneCodec.window
    let isWhole = count <= 3 * window
    let starts = isWhole ? [0] : [0, (count - window) / 2, count - window]
    let length = isWhole ? count : window
    let size = starts.count * length
    let sample = [UInt8](unsafeUninitializedCapacity: planes * size) { target, filled in
      bytes.withUnsafeBytes { source in
        for (index, start) in starts.enumerated() {
          let words = UnsafeRawBufferPointer(
            rebasing: source[start * planes..<(start + length) * planes])
          let rest = UnsafeMutableRawBufferPointer(
            rebasing: UnsafeMutableRawBufferPointer(target)[(index * length)...])
          if transform == .none {
            rest.copyMemory(from: words)
          } else {
            _ = split(words, into: rest, stride: size)
          }
        }
      }
      filled = planes * size
    }
    return (sample, size)
  }
}

// MARK: - Decoding

extension PlaneCodec {
  /// Where and why frames are not those of a tensor.
  struct Problem: Error {
    var chunk: Int
    var plane: Int
    var reason: String
  }

  /// The tensor's bytes that frames hold.
  /// - Parameters:
  ///   - frames: The frames of all chunks and planes, and nothing else.
  ///   - rawBytes: The tensor's bytes, which the caller has found to be acceptable.
  /// - Throws: ``Problem``, or ``FrameProblem`` if there is no memory.
  func decode(_ frames: [UInt8], rawBytes: Int, workers: Workers) throws -> [UInt8] {
    let positions = try positions(of: frames, rawBytes: rawBytes)
    let parts = parts(of: rawBytes, for: workers)
    return try [UInt8](unsafeUninitializedCapacity: rawBytes) { target, count in
      // Each part writes to its own chunks of the target.
      nonisolated(unsafe) let target = UnsafeMutableRawBufferPointer(target)
      _ = try workers.map(parts.count) { part in
        try decode(frames, at: positions, chunks: parts[part], into: target, rawBytes: rawBytes)
      }
      count = rawBytes
    }
  }

  /// Where each frame starts, and where the last one ends.
  private func positions(of frames: [UInt8], rawBytes: Int) throws(Problem) -> [Int] {
    let chunks = chunkCount(of: rawBytes)
    var positions = [0]
    positions.reserveCapacity(chunks * planes + 1)
    var position = 0
    for chunk in 0..<chunks {
      let size = range(ofChunk: chunk, of: rawBytes).count / planes
      for plane in 0..<planes {
        let result = frames.withUnsafeBytes { frames in
          Result { () throws(FrameProblem) in
            try ZstdFrame.length(
              of: UnsafeRawBufferPointer(rebasing: frames[position...]), content: size)
          }
        }
        switch result {
        case .success(let length): position += length
        case .failure(let problem):
          throw Problem(chunk: chunk, plane: plane, reason: problem.reason)
        }
        positions.append(position)
      }
    }
    guard position == frames.count else {
      throw Problem(
        chunk: max(chunks, 1) - 1, plane: planes - 1,
        reason: "\(frames.count - position) bytes follow the last frame")
    }
    return positions
  }

  private func decode(
    _ frames: [UInt8], at positions: [Int], chunks: Range<Int>,
    into target: UnsafeMutableRawBufferPointer, rawBytes: Int
  ) throws {
    func problem(_ chunk: Int, _ plane: Int, _ error: FrameProblem) -> Problem {
      Problem(chunk: chunk, plane: plane, reason: error.reason)
    }
    let decoder = try FrameDecoder()
    var scratch = [UInt8](unsafeUninitializedCapacity: transform == .none ? 0 : chunk) {
      $1 = $0.count
    }
    try frames.withUnsafeBytes { frames in
      try scratch.withUnsafeMutableBytes { scratch in
        for chunk in chunks {
          let words = UnsafeMutableRawBufferPointer(
            rebasing: target[range(ofChunk: chunk, of: rawBytes)])
          let size = words.count / planes
          let split = transform == .none ? words : scratch
          for plane in 0..<planes {
            let frame = chunk * planes + plane
            do throws(FrameProblem) {
              try decoder.decode(
                UnsafeRawBufferPointer(rebasing: frames[positions[frame]..<positions[frame + 1]]),
                into: UnsafeMutableRawBufferPointer(
                  rebasing: split[plane * size..<(plane + 1) * size]))
            } catch {
              throw problem(chunk, plane, error)
            }
          }
          join(UnsafeRawBufferPointer(split), stride: size, into: words)
        }
      }
    }
  }

  private func join(
    _ planes: UnsafeRawBufferPointer, stride: Int, into words: UnsafeMutableRawBufferPointer
  ) {
    guard transform != .none,
      let source = planes.baseAddress?.assumingMemoryBound(to: UInt8.self),
      let target = words.baseAddress?.assumingMemoryBound(to: UInt8.self)
    else { return }
    lcw_join_planes(
      target, source, stride, words.count / width, Int32(width),
      transform == .rotatedPlanes ? 1 : 0)
  }
}
