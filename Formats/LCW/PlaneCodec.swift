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
  var planes: Int {
    switch transform {
    case .none: 1
    case .planes, .rotatedPlanes: width
    case .narrowExponent: width + 2
    }
  }

  /// The number of chunks of a tensor of that many bytes.
  func chunkCount(of rawBytes: Int) -> Int { (rawBytes + chunk - 1) / chunk }

  /// The bytes of a chunk of a tensor of that many bytes.
  func range(ofChunk index: Int, of rawBytes: Int) -> Range<Int> {
    index * chunk..<min((index + 1) * chunk, rawBytes)
  }

  /// How many bytes each plane of a chunk of `size` bytes has.
  func planeSizes(ofChunk size: Int) -> [ClosedRange<Int>] {
    let words = size / width
    switch transform {
    case .none: return [size...size]
    case .planes, .rotatedPlanes: return Array(repeating: words...words, count: width)
    case .narrowExponent:
      return [1...words + 1] + Array(repeating: words...words, count: width - 1)
        + [(words + 1) / 2...(words + 1) / 2, (words + 7) / 8...(words + 7) / 8]
    }
  }

  /// The chunks dealt out in ranges, more than there are workers, so that none waits long for
  /// another.
  func parts(of rawBytes: Int, for workers: Workers) -> [Range<Int>] {
    let chunks = chunkCount(of: rawBytes)
    let parts = workers.count == 1 ? min(chunks, 1) : min(chunks, 4 * workers.count)
    return (0..<parts).map { chunks * $0 / parts..<chunks * ($0 + 1) / parts }
  }

  /// The memory that splitting or joining a chunk needs: its planes, and for the narrow exponent
  /// what is packed besides.
  var scratchBytes: Int { transform == .narrowExponent ? 2 * chunk + 64 : chunk }
}
