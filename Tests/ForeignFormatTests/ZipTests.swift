// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import Testing

/// Zip files that no honest program writes.
struct ZipTests {
  private func open(_ bytes: [UInt8]) throws -> ZipFile {
    let folder = try TemporaryFolder()
    return try ZipFile(try folder.file("a.zip", bytes))
  }

  @Test func plainFilesAreRead() throws {
    let folder = try TemporaryFolder()
    let file = try folder.file(
      "a.zip",
      HandmadeZip(entries: [
        .init("one", [1, 2, 3]), .init("folder/", [], attributes: 0o040755 << 16),
        .init("folder/zwei λ", [4]), .init("empty", []),
      ]).bytes)
    let zip = try ZipFile(file)
    #expect(zip.entries.map(\.name) == ["one", "folder/zwei λ", "empty"])
    #expect(zip.entries.map(\.size) == [3, 1, 0])
    #expect(try zip.entries.map { try zip.contents(of: $0) } == [[1, 2, 3], [4], []])
    #expect(try zip.contents(of: zip.entries[0], from: 2) == [3])
    #expect(try zip.contents(of: zip.entries[0], from: 9) == [])
    #expect(try zip.start(of: zip.entries[0]) { _ in 2 } == [1, 2])
    #expect(try zip.start(of: zip.entries[0]) { _ in 20 } == [1, 2, 3])
    #expect(ZipFile.firstName(in: try bytes(of: file)) == "one")
    #expect(ZipFile.firstName(in: Array(try bytes(of: file).prefix(32))) == nil)
  }

  /// Entries and what the error must say.
  struct Fault: Sendable, CustomTestStringConvertible {
    var bytes: [UInt8]
    var reason: String
    var testDescription: String { reason }

    init(_ reason: String, _ entries: HandmadeZip.Entry...) {
      bytes = HandmadeZip(entries: entries).bytes
      self.reason = reason
    }
  }

  static let faults: [Fault] = [
    Fault("‘a’: it is repeated", .init("a", [1]), .init("a", [2])),
    Fault("encrypted", .init("a", [UInt8](repeating: 1, count: 20), flags: 0x0801)),
    Fault("absolute", .init("/a", [1])),
    Fault("leads out", .init("a/../../b", [1])),
    Fault("leads out", .init("..", [1])),
    Fault("neither stored nor deflated", .init("a", [1, 2, 3], method: 12)),
    Fault("neither a plain file nor a folder", .init("a", [0x62], attributes: 0o120777 << 16)),
    Fault("claims more content", .init("a", [3, 0], method: 8, statedSize: 1 << 30)),
    Fault("two sizes", .init("a", [1, 2], statedSize: 100_000)),
    Fault("folder with content", .init("a/", [1], attributes: 0)),
  ]

  @Test(arguments: faults)
  func isRefused(_ fault: Fault) throws {
    let error = #expect(throws: ZipError.self) { try open(fault.bytes) }
    #expect(error?.description.contains(fault.reason) == true, "\(error?.description ?? "")")
  }

  @Test func contentThatIsNotAsStated() throws {
    // `3 0` is an empty deflated stream.
    for (entry, _) in [
      (HandmadeZip.Entry("a", [3, 0], method: 8, statedSize: 5), "ends before"),
      (HandmadeZip.Entry("a", [0x4B, 4, 0], method: 8, statedSize: 0), "more than stated"),
      (HandmadeZip.Entry("a", [0xFF, 0xFF], method: 8, statedSize: 2), "no stream"),
      (HandmadeZip.Entry("a", [1, 2, 3], statedSize: 2), "sizes differ"),
    ] {
      #expect(throws: ZipError.self) {
        let folder = try TemporaryFolder()
        let zip = try ZipFile(
          try folder.file("a.zip", HandmadeZip(entries: [entry]).bytes))
        for entry in zip.entries { _ = try zip.contents(of: entry) }
      }
    }
    // One byte of the content changed: the checksum tells.
    let folder = try TemporaryFolder()
    var content = HandmadeZip(entries: [.init("a", [1, 2, 3])]).bytes
    content[32] ^= 1
    let zip = try ZipFile(try folder.file("a.zip", content))
    let error = #expect(throws: ZipError.self) { try zip.contents(of: zip.entries[0]) }
    #expect(error?.description.contains("‘a’") == true)
  }

  @Test func endsAndWideFields() throws {
    let zip = HandmadeZip(entries: [.init("a", [1, 2, 3]), .init("b", [4], isWide: true)])
    let comment = [0x50, 0x4B, 5, 6] + [UInt8](repeating: 7, count: 300)
    for bytes in [zip.bytes, zip.bytes(comment: comment), zip.wideBytes()] {
      let found = try open(bytes)
      #expect(try found.entries.map { try found.contents(of: $0) } == [[1, 2, 3], [4]])
    }
    #expect(try open(ZipFile.emptyMark + [UInt8](repeating: 0, count: 18)).entries.isEmpty)
  }

  @Test func directoriesThatAreNotAsTheyShould() throws {
    func fails(_ bytes: [UInt8], _ reason: String) {
      let error = #expect(throws: ZipError.self) { try open(bytes) }
      #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }
    let zip = HandmadeZip(entries: [.init("a", [1, 2, 3])])
    fails(zip.bytes(gap: [0]), "not where its end says")
    fails([0] + zip.bytes, "not where its end says")
    fails(zip.bytes + [0], "no directory at its end")
    fails(zip.wideBytes(count: 2), "directory is cut")
    fails(zip.wideBytes(count: 0), "something follows its last entry")
    fails(zip.wideBytes(count: 1 << 40), "more than 1048576 entries")
    fails(zip.wideBytes(count: -1), "two ends differ")
    for place in [6, 8, 14, 26, 30] {
      var bytes = zip.bytes
      bytes[place] ^= 2
      fails(bytes, "not what the directory says")
    }
    var bytes = zip.bytes
    bytes[0] ^= 1
    fails(bytes, "it has no header")
    // An entry within the content of another.
    let inner = HandmadeZip.Entry("b", [5, 6], statedOffset: 31)
    let outer = HandmadeZip.Entry("a", zip.header(of: inner) + [5, 6])
    fails(HandmadeZip(entries: [outer, inner]).bytes, "‘b’: it overlaps another entry")
    for offset in [1000, Int(UInt32.max) - 1] {
      fails(
        HandmadeZip(entries: [.init("b", [5, 6], statedOffset: offset)]).bytes,
        "‘b’ claims more content than its bytes can hold")
    }
  }

  @Test func whatIsNoZip() throws {
    for bytes: [UInt8] in [
      [], [1], ZipFile.mark, ZipFile.emptyMark, [UInt8](repeating: 0, count: 99),
    ] {
      #expect(throws: ZipError.self) { try open(bytes) }
    }
  }
}
