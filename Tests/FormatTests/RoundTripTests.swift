// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFormat
import LCWNumerics
import SafetensorsFormat
import Testing

/// What is written comes back to the bit.
struct RoundTripTests {
  private static let chunk = 512 << 10

  private func roundTrip(
    _ checkpoint: Checkpoint, by format: any CheckpointFormat = LCWArchive()
  ) throws -> Checkpoint {
    let folder = try TemporaryFolder()
    let file = folder.file("checkpoint")
    try format.write(checkpoint, to: file)
    return try Checkpoint(reading: try format.open(file))
  }

  /// Tensors of a type whose sizes lie around the limits where the layout changes.
  private func tensors(of type: ElementType) throws -> [NamedTensor] {
    let sizes = [0, 1, 1023, 1024, Self.chunk - 1, Self.chunk, Self.chunk + 1]
    let counts = Set(
      sizes.flatMap { [$0 / type.width, ($0 + type.width - 1) / type.width] }
        + [Self.chunk / type.width - 1, Self.chunk / type.width + 1])
    var noise = Noise(UInt64(type.width))
    return try counts.sorted().flatMap { count -> [NamedTensor] in
      let bytes = count * type.width
      let runs = (0..<bytes).map { UInt8(truncatingIfNeeded: $0 / 1000) }
      return [
        NamedTensor("noise\(count)", try tensor(type, [count], noise.bytes(bytes))),
        NamedTensor("runs\(count)", try tensor(type, [count], runs)),
      ]
    }
  }

  @Test(arguments: ElementType.allCases)
  func everySizeOfEveryType(_ type: ElementType) throws {
    let checkpoint = Checkpoint(tensors: try tensors(of: type))
    let found = try roundTrip(checkpoint)
    #expect(found == sorted(checkpoint))
    #expect(
      Set(try roundTrip(checkpoint, by: Safetensors()).tensors) == Set(checkpoint.tensors))
  }

  @Test(arguments: [Effort.fast, .best])
  func specialNumbers(effort: Effort) throws {
    // Quiet and signalling NaN with payloads, infinities, both zeros, the smallest and the largest
    // subnormal, of each floating-point type.
    let patterns: [(ElementType, [UInt64])] = [
      (.float16, [0x7E01, 0x7C01, 0xFE55, 0x7C00, 0xFC00, 0, 0x8000, 1, 0x83FF]),
      (.bfloat16, [0x7FC1, 0x7F81, 0xFFD5, 0x7F80, 0xFF80, 0, 0x8000, 1, 0x807F]),
      (
        .float32,
        [
          0x7FC0_0001, 0x7F80_0001, 0xFFD5_5555, 0x7F80_0000, 0xFF80_0000, 0, 0x8000_0000, 1,
          0x807F_FFFF,
        ]
      ),
      (
        .float64,
        [
          0x7FF8_0000_0000_0001, 0x7FF0_0000_0000_0001, 0xFFFD_5555_5555_5555,
          0x7FF0_0000_0000_0000, 0xFFF0_0000_0000_0000, 0, 0x8000_0000_0000_0000, 1,
          0x800F_FFFF_FFFF_FFFF,
        ]
      ),
    ]
    var checkpoint = Checkpoint()
    for (type, words) in patterns {
      let few = words.flatMap { word in
        withUnsafeBytes(of: word.littleEndian) { Array($0[..<type.width]) }
      }
      let many = (0..<200).flatMap { _ in few }
      checkpoint.tensors += [
        NamedTensor("\(type.rawValue).few", try tensor(type, [9], few)),
        NamedTensor("\(type.rawValue).many", try tensor(type, [200, 3, 3], many)),
      ]
    }
    #expect(try roundTrip(checkpoint, by: LCWArchive(effort: effort)) == sorted(checkpoint))
  }

  @Test func shapesWithoutDimensionsOrElements() throws {
    let checkpoint = Checkpoint(tensors: [
      NamedTensor("empty", try tensor(.float32, [0, 3], [])),
      NamedTensor("manyZeros", try tensor(.int64, [0, 1 << 40, 0], [])),
      NamedTensor("scalar", try tensor(.float32, [], [0, 0, 0x20, 0x40])),
    ])
    #expect(try roundTrip(checkpoint) == checkpoint)
  }

  @Test func nothingAtAll() throws {
    #expect(try roundTrip(Checkpoint()) == Checkpoint())
    let empty = Checkpoint(tensors: [NamedTensor("a", try tensor(.int8, [0], []))])
    #expect(try roundTrip(empty) == empty)
  }

  @Test func metadataAndKind() throws {
    var checkpoint = try smallCheckpoint()
    checkpoint.kind = CheckpointKind(rawValue: "of-the-future")
    checkpoint.metadata["numbers"] = .array([
      .integer((1 << 53) - 1), .integer(1 - (1 << 53)), .number(0.1), .number(-0.0),
      .number(5), .number(1e300), .bool(false), "\u{0}\u{1F}\"\\/\u{7F}\u{1F600}",
    ])
    let found = try roundTrip(checkpoint)
    #expect(found == checkpoint)
    // Equality holds 0 and −0 for one.
    #expect(found.metadata["numbers"]?.array?[3].double?.sign == .minus)
  }

  @Test func namesAreToldApartByTheirBytes() throws {
    let composed = "caf\u{E9}"
    let decomposed = "cafe\u{301}"
    let checkpoint = Checkpoint(tensors: [
      NamedTensor(decomposed, try tensor(.uint8, [1], [1])),
      NamedTensor("../../etc/passwd", try tensor(.uint8, [1], [2])),
      NamedTensor(composed, try tensor(.uint8, [1], [3])),
    ])
    let folder = try TemporaryFolder()
    let file = folder.file("a.lcw")
    try LCWArchive().write(checkpoint, to: file)
    let source = try LCWArchive().open(file)
    #expect(try source.tensor(named: decomposed).bytes == [1])
    #expect(try source.tensor(named: composed).bytes == [3])
    #expect(
      source.entries.map { Array($0.name.utf8) }
        == ["../../etc/passwd", decomposed, composed].map { Array($0.utf8) })
    #expect(throws: CheckpointError.missingTensor("caf", nearest: composed)) {
      try source.tensor(named: "caf")
    }
  }

  @Test func entriesSayWhatTensorsAre() throws {
    let checkpoint = try smallCheckpoint()
    let folder = try TemporaryFolder()
    let file = folder.file("a.lcw")
    try LCWArchive().write(checkpoint, to: file)
    let entries = try LCWArchive().open(file).entries
    #expect(entries.map(\.name) == ["bias", "empty", "ids", "mask", "weight"])
    #expect(entries.map(\.elementType) == [.float32, .float32, .int16, .bool, .float32])
    #expect(entries.map(\.shape) == [[4], [0, 3], [600], [3], [100, 3]])
    // A frame around n stored bytes has 13 to 16 bytes more.
    #expect(entries.map(\.storedBytes)[0..<2] == [29, 0])
  }
}
