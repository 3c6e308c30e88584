// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFormat
import Testing

/// The worked example of the specification.
struct SpecificationTests {
  private let text: String

  init() throws {
    text = String(
      decoding: try bytes(of: root.appendingPathComponent("Formats/LCW/SPEC.md")), as: UTF8.self)
  }

  /// The bytes of a dump as `hexdump -C` prints it.
  private func parse(_ dump: Substring) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var isRepeating = false
    for line in dump.split(separator: "\n") {
      if line == "*" {
        isRepeating = true
        continue
      }
      let offset = try #require(Int(line.prefix(8), radix: 16))
      if isRepeating {
        let last = bytes.suffix(16)
        while bytes.count < offset { bytes += last }
        isRepeating = false
      }
      try #require(bytes.count == offset, "\(line)")
      let digits = line.dropFirst(8).prefix { $0 != "|" }.split(separator: " ")
      bytes += try digits.map { try #require(UInt8($0, radix: 16)) }
    }
    return bytes
  }

  @Test func theExampleIsWhatTheWriterWrites() throws {
    let start = try #require(text.firstRange(of: "```hexdump\n")).upperBound
    let end = try #require(text[start...].firstRange(of: "```")).lowerBound
    let shown = try parse(text[start..<end])
    let folder = try TemporaryFolder()
    let file = folder.file("example.lcw")
    try LCWArchive().write(try GoldenArchives.example(), to: file)
    #expect(try bytes(of: file) == shown)
    #expect(try readArchive(shown) == GoldenArchives.example())
  }

  @Test func theLimitsAreThoseOfTheReader() {
    let limits = Limits()
    for row in [
      "| manifest | \(limits.manifestBytes >> 20) MiB |",
      "| tensors | \(limits.tensors / 1000),\(limits.tensors % 1000) |",
      "| segments | \(limits.segments / 1000),\(limits.segments % 1000) |",
      "| members in the metadata, nested ones too | \(limits.metadataMembers) |",
      "| metadata as compact JSON | \(limits.metadataBytes >> 20) MiB |",
      "| all tensors' elements | \(limits.rawBytes >> 30) GiB |",
      "| depth of the JSON, the outermost object being 1 | \(limits.jsonDepth) |",
      "`stored` ÷ \(limits.frameBytes)", "\(limits.ratio / 1000),\(limits.ratio % 1000) × `stored`",
      "1 to \(limits.nameBytes) bytes", "at most \(limits.rank) integers",
    ] {
      #expect(text.contains(row), "\(row)")
    }
  }

  @Test func whatContentMayAskForIsThatOfTheReader() {
    let (small, recipe, ratio) = (
      DescriptionLimits.smallBytes >> 20, DescriptionLimits.smallWorkBytes >> 20,
      DescriptionLimits.bytesForStoredByte
    )
    #expect(ratio == Limits().ratio)
    #expect(DescriptionLimits.smallSampleWork == 1 << 32)
    #expect(Network.largestSampleWork == 0x1p42)
    for row in [
      "weights in single precision | the greater of \(small) MiB and \(ratio / 1000),\(ratio % 1000) × *S* |",
      "behind any layer | the greater of \(small) MiB and",
      "lie beside each other in one image | the greater of \(recipe) MiB and",
      "units of two layers | the greater of \(recipe) MiB and",
      "| layers | \(Network.largestLayerCount) |",
      "later ones still read | twice the greater of \(small) MiB and",
      "counted twice | \(Network.largestInputCount / 1000),\(Network.largestInputCount % 1000) |",
    ] {
      #expect(text.contains(row), "\(row)")
    }
  }
}
