// SPDX-License-Identifier: Apache-2.0
import CKernels
import Foundation
import LCWCore
import LCWFormat
import LCWNumerics
import Testing

/// The transform `exp5`: the kernels against the specification's words, and archives that use it.
struct NarrowExponentTests {
  /// A chunk's blocks, as SPEC.md describes them.
  private struct Blocks: Equatable {
    var escapes: [UInt8]
    var planes: [[UInt8]]
    var nibbles: [UInt8]
    var signs: [UInt8]
  }

  /// The blocks of words, made bit by bit.
  private func blocks(of words: [UInt32], width: Int, base: Int) -> Blocks {
    let mantissa = 8 * width - 9
    let half = (words.count + 1) / 2
    let eighth = (words.count + 7) / 8
    var result = Blocks(
      escapes: [UInt8(base)], planes: Array(repeating: [], count: width - 1),
      nibbles: Array(repeating: 0, count: half), signs: Array(repeating: 0, count: eighth))
    for (index, word) in words.enumerated() {
      let exponent = Int(word >> mantissa) & 255
      let fraction = word & ((1 << mantissa) - 1)
      var code = exponent == 0 ? 0 : exponent - base
      if exponent != 0, !(1...30).contains(code) {
        code = 31
        result.escapes.append(UInt8(exponent))
      }
      let bits = UInt32(code) << (mantissa - 4) | fraction >> 4
      for plane in 0..<width - 1 {
        result.planes[plane].append(
          UInt8(truncatingIfNeeded: bits >> UInt32(8 * (width - 2 - plane))))
      }
      result.nibbles[index % half] |= UInt8(fraction & 15) << (index < half ? 0 : 4)
      result.signs[index % eighth] |=
        UInt8(truncatingIfNeeded: word >> UInt32(8 * width - 1)) << UInt8(index / eighth)
    }
    return result
  }

  private func bytes(_ words: [UInt32], _ width: Int) -> [UInt8] {
    words.flatMap { word in (0..<width).map { UInt8(truncatingIfNeeded: word >> (8 * UInt32($0))) }
    }
  }

  /// The blocks by the kernel.
  private func split(_ words: [UInt32], width: Int, base: Int) -> Blocks {
    let count = words.count
    var planes = [UInt8](repeating: 0xAA, count: width * count)
    var nibbles = [UInt8](repeating: 0xAA, count: (count + 1) / 2)
    var signs = [UInt8](repeating: 0xAA, count: (count + 7) / 8)
    var escapes = [UInt8](repeating: 0xAA, count: count + 1)
    let escapeCount = lcw_split_exp5(
      &planes, &nibbles, &signs, &escapes, bytes(words, width), count, Int32(width), Int32(base))
    return Blocks(
      escapes: [UInt8(base)] + escapes[..<escapeCount],
      planes: (0..<width - 1).map { Array(planes[$0 * count..<($0 + 1) * count]) },
      nibbles: nibbles, signs: signs)
  }

  /// The words' bytes by the kernel, or nil if the number of escapes is wrong.
  private func join(_ blocks: Blocks, count: Int, width: Int) -> [UInt8]? {
    var words = [UInt8](repeating: 0xAA, count: width * count)
    let planes = blocks.planes.flatMap(\.self)
    let isJoined = planes.withUnsafeBufferPointer { planes in
      planes.baseAddress.map { start in
        lcw_join_exp5(
          &words, (0..<width - 1).map { start + $0 * count }, blocks.nibbles, blocks.signs,
          Array(blocks.escapes[1...]) + [0], blocks.escapes.count - 1, count, Int32(width),
          Int32(blocks.escapes[0]))
      }
    }
    return isJoined == 1 ? words : nil
  }

  private func check(
    _ words: [UInt32], width: Int, base: Int, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let expected = blocks(of: words, width: width, base: base)
    let label: Comment = "\(words.count) words of \(width) bytes, base \(base)"
    #expect(
      split(words, width: width, base: base) == expected, label, sourceLocation: sourceLocation)
    #expect(
      join(expected, count: words.count, width: width) == bytes(words, width), label,
      sourceLocation: sourceLocation)
  }

  @Test(arguments: [0, 1, 96, 111, 224, 225])
  func everyPatternOfTwoBytes(base: Int) {
    check((0...0xFFFF).map { UInt32($0) }, width: 2, base: base)
  }

  @Test(arguments: [2, 4])
  func everyCount(width: Int) {
    var noise = Noise(UInt64(width))
    for count in Array(1...200) + [1023, 1024, 1025, 4099] {
      let words = (0..<count).map { _ in
        UInt32(truncatingIfNeeded: noise.next()) >> (width == 2 ? 16 : 0)
      }
      check(words, width: width, base: Int(noise.next() % 226))
    }
  }

  @Test func theWindowsEdges() {
    // Zeros, subnormals, infinities, NaN with payloads, and the exponents at both ends.
    for base in [0, 1, 100, 224, 225] {
      let exponents = [
        0, 1, 2, base, base + 1, base + 2, base + 29, base + 30, base + 31, 254, 255,
      ]
      let fractions: [UInt32] = [0, 1, 0x40_0000, 0x7F_FFFF, 0x12_3456]
      var words: [UInt32] = []
      for exponent in exponents where exponent <= 255 {
        for fraction in fractions {
          let word = UInt32(exponent) << 23 | fraction
          words += [word, word | 0x8000_0000]
        }
      }
      check(words, width: 4, base: base)
    }
  }

  @Test(arguments: [2, 4])
  func nothingButEscapes(width: Int) {
    let words = (0..<5000).map { (index: UInt32) -> UInt32 in
      (200 + index % 50) << UInt32(8 * width - 9) | index % 100
    }
    #expect(split(words, width: width, base: 3).escapes.count == 5001)
    check(words, width: width, base: 3)
  }

  @Test func anotherNumberOfEscapesIsRefused() {
    let words = (0..<1000).map { UInt32($0 % 7 == 0 ? 250 : 120) << 23 }
    for count in [1, 63, 64, 500, 1000] {
      let right = blocks(of: Array(words[..<count]), width: 4, base: 110)
      var more = right
      more.escapes.append(9)
      var fewer = right
      fewer.escapes.removeLast()
      #expect(join(right, count: count, width: 4) != nil)
      #expect(join(more, count: count, width: 4) == nil)
      #expect(join(fewer, count: count, width: 4) == nil)
    }
  }

  // MARK: archives

  private func weights(_ type: ElementType, _ count: Int) throws -> StoredTensor {
    var noise = Noise(11)
    let words = noise.weights(count).map { value -> UInt32 in
      type == .float32 ? value.bitPattern : value.bitPattern >> 16
    }
    return try tensor(type, [count], bytes(words, type.width))
  }

  @Test(arguments: [ElementType.float32, .bfloat16])
  func theWriterUsesItForWeights(type: ElementType) throws {
    let checkpoint = Checkpoint(tensors: [NamedTensor("w", try weights(type, 400_000))])
    for effort in [Effort.fast, .best] {
      let parts = try ArchiveParts(of: checkpoint, by: LCWArchive(effort: effort))
      #expect(parts.manifest.contains("\"transform\":\"exp5\""))
      #expect(try readArchive(parts.bytes) == checkpoint)
    }
  }

  @Test(arguments: [ElementType.float32, .bfloat16])
  func theWriterDoesNotUseItForNoise(type: ElementType) throws {
    var noise = Noise(12)
    let bytes = noise.bytes(400_000 * type.width)
    let checkpoint = Checkpoint(tensors: [NamedTensor("w", try tensor(type, [400_000], bytes))])
    for effort in [Effort.fast, .best] {
      let parts = try ArchiveParts(of: checkpoint, by: LCWArchive(effort: effort))
      #expect(parts.manifest.contains("\"transform\":\"rotl1\""))
      #expect(try readArchive(parts.bytes) == checkpoint)
    }
  }

  /// Weights among which a few are anything, which the sample does not see.
  @Test(arguments: [ElementType.float32, .bfloat16])
  func rareNumbersComeBack(type: ElementType) throws {
    let plain = try weights(type, 400_000)
    var noise = Noise(13)
    var bytes = plain.bytes
    for _ in 0..<3000 {
      let index = Int(noise.next() % 190_000 + 5000) * type.width
      bytes.replaceSubrange(index..<index + type.width, with: noise.bytes(type.width))
    }
    let checkpoint = Checkpoint(tensors: [NamedTensor("w", try tensor(type, [400_000], bytes))])
    let parts = try ArchiveParts(of: checkpoint)
    #expect(parts.manifest.contains("\"transform\":\"exp5\""))
    #expect(try readArchive(parts.bytes) == checkpoint)
  }

  @Test func aWrongBaseOrNumberOfEscapesIsRefused() throws {
    let checkpoint = Checkpoint(tensors: [NamedTensor("w", try weights(.float32, 20_000))])
    var parts = try ArchiveParts(of: checkpoint)
    let segment = parts.segments[0]
    try #require(parts.manifest.contains("\"transform\":\"exp5\""))
    // The first frame is stored: 4 + 1 + 1 bytes of header, 3 of the block's, the content, 4 of the
    // checksum. Its content becomes one byte longer or another base.
    let count = Int(segment[5])
    try #require(segment[4] == 0x24 && segment.count > 13 + count)
    let content = Array(segment[9..<9 + count])
    func with(_ content: [UInt8]) throws -> [UInt8] {
      let frame = storedFrame(content)
      var other = try parts.replacing(
        "\"stored\":\(segment.count)", by: "\"stored\":\(segment.count - 13 - count + frame.count)")
      other = try other.replacing(
        "\"segments\":[\(segment.count)]",
        by: "\"segments\":[\(segment.count - 13 - count + frame.count)]")
      other.segments = [frame + segment[(13 + count)...]]
      return other.bytes
    }
    #expect(try readArchive(try with(content)) == checkpoint)
    try expectRefusal(try with(content + [9]), saying: "not as many escapes")
    try expectRefusal(try with([226] + content.dropFirst()), saying: "base is 226")
    parts.segments[0][9] ^= 1
    try expectRefusal(parts.bytes, saying: "checksum")
  }

  private func storedFrame(_ content: [UInt8]) -> [UInt8] {
    var frame = [UInt8](repeating: 0, count: lcw_stored_frame_length(content.count))
    lcw_write_stored_frame(&frame, content, content.count, checksum(of: content))
    return frame
  }
}
