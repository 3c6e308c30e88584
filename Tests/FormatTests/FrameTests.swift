// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFormat
import LCWNumerics
import Testing

/// Archives whose zstd frames are not what the format allows.
struct FrameTests {
  /// One tensor of three bytes: its frame is the whole segment. Its last four bytes are the
  /// checksum; before them stands one block of three bytes behind a header of three.
  private let parts: ArchiveParts
  private let frame: [UInt8]

  init() throws {
    parts = try ArchiveParts(
      of: Checkpoint(tensors: [NamedTensor("x", try tensor(.uint8, [3], [7, 8, 9]))]))
    frame = parts.segments[0]
  }

  /// The archive with another frame, and the manifest adapted to its length.
  private func archive(_ frame: [UInt8]) throws -> [UInt8] {
    var other = try parts.replacing("\"stored\":16", by: "\"stored\":\(frame.count)")
      .replacing("\"segments\":[16]", by: "\"segments\":[\(frame.count)]")
    other.segments = [frame]
    return other.bytes
  }

  @Test func theFrameIsAsTheSpecificationSays() throws {
    #expect(
      frame[..<12].elementsEqual(
        [0x28, 0xB5, 0x2F, 0xFD, 0x24, 3] + [0x19, 0, 0] + [7, 8, 9]))
    #expect(try readArchive(try archive(frame)).tensors[0].tensor.bytes == [7, 8, 9])
  }

  @Test func otherFramesAreRefused() throws {
    func refuses(
      _ frame: [UInt8], _ reason: String, isFrame: Bool = true,
      sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      if isFrame {
        try expectRefusal(
          try archive(frame), saying: "‘x’, chunk 0, plane 0: ", sourceLocation: sourceLocation)
      }
      try expectRefusal(try archive(frame), saying: reason, sourceLocation: sourceLocation)
    }
    func with(_ byte: UInt8, at index: Int) -> [UInt8] {
      var other = frame
      other[index] = byte
      return other
    }
    let skippable: [UInt8] = [0x50, 0x2A, 0x4D, 0x18, 0, 0, 0, 0]
    try refuses(
      Array(with(0x20, at: 4).dropLast(4)), "12 stored bytes can't hold", isFrame: false)
    try refuses(with(0x20, at: 4), "a sort that the format does not allow")
    try refuses(with(0x25, at: 4), "a sort that the format does not allow")
    try refuses(with(0x2C, at: 4), "a sort that the format does not allow")
    // Not a single segment: a window descriptor follows.
    try refuses(frame[..<4] + [0x04, 0x58] + frame[6...], "a sort that the format does not allow")
    try refuses(frame[..<4] + [0xE4, 3, 0, 0, 0, 0, 0, 0, 0] + frame[6...], "does not allow")
    try refuses(skippable + frame, "no zstd frame starts here")
    try refuses(frame + skippable, "8 bytes follow the last frame")
    try refuses(frame + frame, "16 bytes follow the last frame")
    try refuses(frame + [0], "1 bytes follow the last frame")
    // A frame of nothing, with the checksum of nothing.
    try refuses(
      Array(frame[..<5]) + [0, 1, 0, 0, 0x99, 0xE9, 0xD8, 0x51], "can't hold", isFrame: false)
    try refuses(
      Array(frame[..<5]) + [0, 1, 0, 0, 0x99, 0xE9, 0xD8, 0x51, 0], "holds 0 bytes")
    try refuses(Array(frame[..<5]), "can't hold", isFrame: false)
    try refuses(Array(frame.dropLast()), "Src size is incorrect")
    try refuses(with(4, at: 5), "holds 4 bytes, but 3 are needed")
    try refuses(with(6, at: 9), "checksum")
    try refuses(with(frame[12] ^ 1, at: 12), "checksum")
    // The same content, its size in four bytes: another spelling that the format allows.
    let long = frame[..<4] + [0xA4, 3, 0, 0, 0] + frame[6...]
    #expect(try readArchive(try archive(Array(long))).tensors[0].tensor.bytes == [7, 8, 9])
    try refuses(Array(long[..<8]), "can't hold", isFrame: false)
  }

  @Test func aFrameWithoutItsChecksumIsRefused() throws {
    var parts = try ArchiveParts(
      of: Checkpoint(tensors: [NamedTensor("x", try tensor(.uint8, [20], [UInt8](1...20)))]))
    try #require(parts.segments[0].count == 33)
    parts = try parts.replacing("33", by: "29")
    parts.segments[0][4] = 0x20
    parts.segments[0].removeLast(4)
    try expectRefusal(parts.bytes, saying: "‘x’, chunk 0, plane 0: the frame is of a sort")
    // With the flag set again, the last bytes of the content stand where the checksum should.
    parts.segments[0][4] = 0x24
    try expectRefusal(parts.bytes, saying: "‘x’, chunk 0, plane 0: Src size is incorrect")
  }

  @Test func aMissingFrameIsRefused() throws {
    // An array of 600 words has two frames of 600 bytes; the second one goes.
    var noise = Noise(1)
    var parts = try ArchiveParts(
      of: Checkpoint(tensors: [NamedTensor("x", try tensor(.int16, [600], noise.bytes(1200)))]))
    try #require(parts.segments[0].count == 1228)
    parts = try parts.replacing("1228", by: "614")
    parts.segments[0] = Array(parts.segments[0][..<614])
    try expectRefusal(parts.bytes, saying: "‘x’, chunk 0, plane 1: the frame is missing")
    // Of the second, only the start is there.
    parts = try parts.replacing("614", by: "622")
    parts.segments[0] += [0x28, 0xB5, 0x2F, 0xFD, 0xA4, 0x58, 2, 0]
    try expectRefusal(parts.bytes, saying: "‘x’, chunk 0, plane 1: the frame is cut")
  }

  @Test func swappedPlanesNeedADigestToBeSeen() throws {
    var noise = Noise(2)
    let checkpoint = Checkpoint(tensors: [
      NamedTensor("x", try tensor(.int16, [600], noise.bytes(1200)))
    ])
    func swapped(_ format: LCWArchive) throws -> [UInt8] {
      var parts = try ArchiveParts(of: checkpoint, by: format)
      parts.segments[0] = Array(parts.segments[0][614...] + parts.segments[0][..<614])
      return parts.bytes
    }
    #expect(try readArchive(try swapped(LCWArchive())) != checkpoint)
    try expectRefusal(try swapped(LCWArchive(digests: true)), saying: "SHA-256")
  }

  @Test func aBombIsRefusedBeforeItGoesOff() throws {
    // 16 stored bytes can be 512 KiB at most by the bound; what they are is found out later.
    let over = try parts.replacing("[3]", by: "[\(16 * 32_768 + 1)]")
    try expectRefusal(over.bytes, saying: "16 stored bytes can't hold its 524289")
    let under = try parts.replacing("[3]", by: "[\(16 * 32_768)]")
    try expectRefusal(under.bytes, saying: "holds 3 bytes, but 524288 are needed")
  }

  @Test func framesNeedTheirBytes() throws {
    // In chunks of 1024 bytes, 16 stored bytes hold one frame, not two.
    let small = try parts.replacing("524288", by: "1024")
    let over = try small.replacing("[3]", by: "[1025]")
    try expectRefusal(over.bytes, saying: "16 stored bytes can't hold its 2 frames")
    let under = try small.replacing("[3]", by: "[1024]")
    try expectRefusal(under.bytes, saying: "holds 3 bytes, but 1024 are needed")
    try expectRefusal(
      try parts.replacing("\"stored\":16", by: "\"stored\":0")
        .replacing("\"segments\":[16]", by: "\"segments\":[0]").bytes,
      saying: "0 stored bytes can't hold its 3")
  }

  @Test func anErrorNamesTheChunk() throws {
    let bytes = [UInt8](repeating: 1, count: 3 << 19)
    var parts = try ArchiveParts(
      of: Checkpoint(tensors: [NamedTensor("x", try tensor(.uint8, [3 << 19], bytes))]))
    // The last byte is of the third frame's checksum.
    parts.segments[0][parts.segments[0].count - 1] ^= 1
    try expectRefusal(parts.bytes, saying: "‘x’, chunk 2, plane 0: ")
  }
}
