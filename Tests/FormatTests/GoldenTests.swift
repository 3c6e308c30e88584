// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWFormat
import Testing

/// Archives that were written once, and must stay readable.
struct GoldenTests {
  static let folder = Bundle.module.bundleURL.appendingPathComponent("Golden")
  private static let writingFolder = ProcessInfo.processInfo.environment["LCW_GOLDEN_FOLDER"]

  /// What `expected.json` says of each archive.
  static func expected() throws -> [String: JSONValue] {
    let text = try InputFile.contents(of: folder.appendingPathComponent("expected.json"))
    return try #require(try JSONValue(parsing: text).object)
  }

  @Test func eachArchiveHoldsWhatItAlwaysHeld() throws {
    let expected = try Self.expected()
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
    #expect(Set(files) == Set(expected.keys).union(["expected.json"]))
    for (name, description) in expected {
      let source = try LCWArchive().open(Self.folder.appendingPathComponent(name))
      let found = GoldenArchives.description(of: try Checkpoint(reading: source))
      #expect(found == description, "\(name)")
    }
    #expect(expected.count >= 16)
  }

  @Test func amongThemIsEveryTypeKindAndTransform() throws {
    var types: Set<String> = []
    var kinds: Set<String> = []
    var manifests = ""
    for (name, description) in try Self.expected() {
      kinds.insert(try #require(description.object?["kind"]?.string))
      for tensor in description.object?["tensors"]?.array ?? [] {
        types.insert(try #require(tensor.object?["dtype"]?.string))
      }
      manifests += try ArchiveParts(bytes(of: Self.folder.appendingPathComponent(name))).manifest
    }
    #expect(
      types == [
        "f64", "f32", "f16", "bf16", "i64", "i32", "i16", "i8", "u8", "bool", "u16", "u32", "u64",
        "f8_e4m3", "f8_e5m2", "c64",
      ])
    #expect(
      kinds == ["checkpoint", "path", "connection-model", "ensemble", "of-the-future"])
    for transform in ["none", "planes", "rotl1", "exp5"] {
      #expect(manifests.contains("\"transform\":\"\(transform)\""))
    }
    #expect(manifests.contains("\"sha256\":") && manifests.contains("\"segment\":2"))
  }

  @Test(.enabled(if: writingFolder != nil, "it writes to the folder that LCW_GOLDEN_FOLDER names"))
  func write() throws {
    let folder = URL(fileURLWithPath: try #require(Self.writingFolder))
    var expected: [String: JSONValue] = [:]
    for (name, checkpoint, format) in try GoldenArchives.all() {
      try format.write(checkpoint, to: folder.appendingPathComponent(name))
      expected[name] = GoldenArchives.description(of: checkpoint)
    }
    let text = JSONValue.object(expected).prettyText + "\n"
    try AtomicFile.write(Array(text.utf8), to: folder.appendingPathComponent("expected.json"))
  }
}
