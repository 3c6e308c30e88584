// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFormat
import LCWNumerics
import Testing

/// Archives whose tar is damaged or not plain.
struct ContainerTests {
  private let parts: ArchiveParts

  init() throws {
    parts = try ArchiveParts(of: try smallCheckpoint())
  }

  @Test func aTarWrittenOtherwiseIsRead() throws {
    #expect(try readArchive(parts.bytes) == smallCheckpoint())
    #expect(LCWArchive.recognises(parts.bytes))
    #expect(!LCWArchive.recognises(Array(parts.bytes[..<100])))
    #expect(!LCWArchive.recognises(Tar.file([("a", [])])))
  }

  @Test func whatLibarchiveWouldAccept() throws {
    let archive = parts.bytes
    let middle = 512 + (parts.entries[0].data.count + 511) / 512 * 512
    try expectRefusal(archive + [0], saying: "the file has")
    try expectRefusal(archive + [UInt8](repeating: 0, count: 512), saying: "the file has")
    try expectRefusal(archive + archive, saying: "the file has")
    try expectRefusal(Array(archive.dropLast(1024)) + archive, saying: "the file has")
    try expectRefusal(
      archive[..<middle] + [UInt8](repeating: 0, count: 512) + archive[middle...],
      saying: "seg/00000.zst")
    var nonZeroEnd = archive
    nonZeroEnd[archive.count - 1] = 1
    try expectRefusal(nonZeroEnd, saying: "are not zero")
    nonZeroEnd[archive.count - 1] = 0
    nonZeroEnd[archive.count - 1024] = 1
    try expectRefusal(nonZeroEnd, saying: "are not zero")
    var padding = archive
    padding[middle - 1] = 1
    try expectRefusal(padding, saying: "what follows it is not zero")
    // libarchive takes a first header with a wrong checksum for another format.
    var checksum = archive
    checksum[150] ^= 1
    try expectRefusal(checksum, saying: "is not an .lcw archive")
    checksum = archive
    checksum[middle + 150] ^= 1
    try expectRefusal(checksum, saying: "seg/00000.zst")
  }

  @Test func otherEntries() throws {
    let entries = parts.entries
    func file(_ entries: [(name: String, data: [UInt8])]) -> [UInt8] { Tar.file(entries) }
    try expectRefusal(file([entries[1], entries[0]]), saying: "is not an .lcw archive")
    try expectRefusal(file([entries[0]]), saying: "the archive ends before it")
    try expectRefusal(file(entries + [entries[1]]), saying: "the file has")
    try expectRefusal(file(entries + [("seg/00001.zst", [])]), saying: "the file has")
    try expectRefusal(
      file([entries[0], ("seg/00001.zst", entries[1].data)]), saying: "there is ‘seg/00001.zst’")
    try expectRefusal(
      file([entries[0], ("../seg/00000.zst", entries[1].data)]), saying: "in its place")
    try expectRefusal(
      file([entries[0], (entries[1].name, entries[1].data + [0])]), saying: "by the manifest")
    try expectRefusal(
      file([entries[0], (entries[1].name, entries[1].data.dropLast())]), saying: "by the manifest")
  }

  @Test func foreignFiles() throws {
    let safetensors = try bytes(of: fixture("dtypes.safetensors"))
    let zip = Array("PK\u{3}\u{4}".utf8) + [UInt8](repeating: 0, count: 2000)
    let other = Tar.file([("weights.bin", [1, 2, 3])])
    let zeros = [UInt8](repeating: 0, count: 4096)
    let name = Array("manifest.json\0".utf8)
    for file in [[], [0], name, name + zeros, zeros, safetensors, zip, other] {
      #expect(!LCWArchive.recognises(file))
      try expectRefusal(file, saying: "is not an .lcw archive")
    }
  }

  @Test func reorderedSegments() throws {
    let mebibyte = try tensor(.uint8, [1 << 20], [UInt8](repeating: 3, count: 1 << 20))
    let two = try ArchiveParts(
      of: Checkpoint(tensors: [NamedTensor("a", mebibyte), NamedTensor("b", mebibyte)]))
    try #require(two.segments.count == 2)
    let entries = two.entries
    try expectRefusal(
      Tar.file([entries[0], entries[2], entries[1]]), saying: "there is ‘seg/00001.zst’")
    try expectRefusal(
      Tar.file([entries[0], entries[1], entries[1]]), saying: "there is ‘seg/00000.zst’")
    try expectRefusal(Tar.file([entries[0], entries[1]]), saying: "ends before it")
    try expectRefusal(Tar.file(entries + [entries[2]]), saying: "the file has")
  }

  @Test func otherHeaders() throws {
    let manifest = Tar.entry("manifest.json", parts.entries[0].data)
    let (name, data) = parts.entries[1]
    let end = [UInt8](repeating: 0, count: 1024)
    func refuses(
      _ reason: String, type: Character = "0", sourceLocation: SourceLocation = #_sourceLocation,
      _ change: (inout [UInt8]) -> Void = { _ in }
    ) throws {
      let entry = Tar.entry(name, data, type: type, change: change)
      try expectRefusal(manifest + entry + end, saying: reason, sourceLocation: sourceLocation)
    }
    func text(_ text: String, at start: Int) -> (inout [UInt8]) -> Void {
      { $0.replaceSubrange(start..<start + text.utf8.count, with: Array(text.utf8)) }
    }
    for type in "123456" { try refuses("seg/00000.zst", type: type) }
    // A contiguous file and the type of ancient tars are plain files to libarchive.
    try refuses("not a plain file", type: "7")
    try refuses("not a plain file") { $0[156] = 0 }
    try refuses("another mode", text("0000755", at: 100))
    try refuses("an owner", text("0000001", at: 108))
    try refuses("an owner", text("0000001", at: 116))
    try refuses("a time", text("00000000001", at: 136))
    try refuses("should be empty", text("root", at: 265))
    try refuses("should be empty", text("root", at: 297))
    try refuses("should be empty", text("a", at: 157))
    try refuses("in its place", text("dir", at: 345))
    try refuses("should be empty") { $0[511] = 1 }
    try refuses("should be empty", text("0000001", at: 329))
    try refuses("plain ustar") { $0[257] = 0 }
    try refuses("not POSIX ustar", text("  ", at: 263))
    // The size in base 256, and a negative one.
    try refuses("not octal") { header in
      header.replaceSubrange(124..<136, with: [UInt8](repeating: 0, count: 12))
      header[124] = 0x80
      header[134] = UInt8(data.count >> 8)
      header[135] = UInt8(data.count & 0xFF)
    }
    try refuses("seg/00000.zst") { header in
      header.replaceSubrange(124..<136, with: [UInt8](repeating: 0xFF, count: 12))
    }
    try refuses("seg/00000.zst", text("77777777777", at: 124))
  }

  @Test func extendedHeaders() throws {
    let (name, data) = parts.entries[1]
    let manifest = Tar.entry("manifest.json", parts.entries[0].data)
    let end = [UInt8](repeating: 0, count: 1024)
    let pax = Tar.entry("pax", Array("13 mtime=1.5\n".utf8), type: "x")
    let global = Tar.entry("pax", Array("13 mtime=1.5\n".utf8), type: "g")
    let longName = Tar.entry("././@LongLink", Array(name.utf8) + [0], type: "L")
    let longLink = Tar.entry("././@LongLink", Array(name.utf8) + [0], type: "K")
    let sparse = Tar.entry("seg/00000.zst", data, type: "S")
    for extra in [pax, global, longName, longLink, sparse] {
      try expectRefusal(manifest + extra + Tar.entry(name, data) + end, saying: "seg/00000.zst")
      try expectRefusal(extra + parts.bytes, saying: "is not an .lcw archive")
    }
    try expectRefusal(manifest + sparse + end, saying: "seg/00000.zst")
    let compressed = Tar.file([("manifest.json", [0x1F, 0x8B])])
    try expectRefusal(compressed, saying: "manifest")
  }

  private static let tar = "/usr/bin/tar"
  private static let zstd = "/usr/bin/zstd"

  private func run(_ program: String, _ arguments: [String]) throws -> [UInt8] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return [UInt8](output)
  }

  @Test(
    .enabled(
      if: FileManager.default.isExecutableFile(atPath: Self.tar)
        && FileManager.default.isExecutableFile(atPath: Self.zstd), "tar and zstd are not there"))
  func otherProgramsReadIt() throws {
    let folder = try TemporaryFolder()
    let file = folder.file("a.lcw")
    try LCWArchive().write(try smallCheckpoint(), to: file)
    let list = String(decoding: try run(Self.tar, ["tf", file.path]), as: UTF8.self)
    #expect(list == "manifest.json\nseg/00000.zst\n")
    _ = try run(Self.tar, ["xf", file.path, "-C", folder.url.path])
    let content = try run(Self.zstd, ["-dc", folder.file("seg/00000.zst").path])
    let checkpoint = try smallCheckpoint()
    let raw = checkpoint.tensors.map(\.tensor.bytes)
    #expect(content.count == raw.reduce(0) { $0 + $1.count })
    #expect(content.starts(with: raw[0]))
    // The second tensor with elements is of 16-bit integers: high bytes, then low ones.
    let ids = content[raw[0].count...].prefix(1200)
    #expect(Array(ids.prefix(600)) == stride(from: 1, to: 1200, by: 2).map { raw[2][$0] })
    #expect(Array(ids.dropFirst(600)) == stride(from: 0, to: 1200, by: 2).map { raw[2][$0] })
    // The last is of single-precision numbers: rotated, the first byte is the exponent.
    let weights = checkpoint.tensors[4].tensor.floats.elements
    let exponents = weights.map { UInt8(truncatingIfNeeded: $0.bitPattern >> 23) }
    #expect(Array(content.suffix(1200).prefix(300)) == exponents)
  }
}
