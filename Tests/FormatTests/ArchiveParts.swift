// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWFormat
import Testing

/// An archive taken apart, to be put together again with a fault. It writes its tar by itself, so
/// that what the library writes and reads is held against a second reading of the specification.
struct ArchiveParts {
  /// The manifest without its last member, the digest, and without the closing brace.
  var manifest: String
  var segments: [[UInt8]]
  /// The bytes of the digest's member and of what follows it.
  static let sealBytes = 78

  /// The parts of an archive's bytes.
  init(_ archive: [UInt8]) throws {
    var entries: [[UInt8]] = []
    var position = 0
    while position < archive.count - 1024 {
      let digits = String(decoding: archive[position + 124..<position + 135], as: UTF8.self)
      let size = try #require(Int(digits, radix: 8))
      entries.append(Array(archive[position + 512..<position + 512 + size]))
      position += 512 + (size + 511) / 512 * 512
    }
    let text = try #require(entries.first)
    manifest = String(decoding: text.dropLast(ArchiveParts.sealBytes), as: UTF8.self)
    try #require(Array(ArchiveParts.sealed(manifest).utf8) == text)
    segments = Array(entries.dropFirst())
  }

  /// The parts of the archive of a checkpoint.
  init(of checkpoint: Checkpoint, by format: LCWArchive = LCWArchive()) throws {
    let folder = try TemporaryFolder()
    let file = folder.file("a.lcw")
    try format.write(checkpoint, to: file)
    try self.init(try FormatTests.bytes(of: file))
  }

  /// A manifest's text with the digest behind it.
  static func sealed(_ manifest: String) -> String {
    manifest + ",\"sha256\":\"\(SHA256.hexDigest(of: Array(manifest.utf8)))\"}\n"
  }

  /// The parts with a text of the manifest replaced, which must be there; the digest will fit.
  func replacing(_ text: String, by other: String) throws -> ArchiveParts {
    try #require(manifest.contains(text), "the manifest has no \(text)")
    var result = self
    result.manifest = manifest.replacingOccurrences(of: text, with: other)
    return result
  }

  /// The entries with their names.
  var entries: [(name: String, data: [UInt8])] {
    [("manifest.json", Array(ArchiveParts.sealed(manifest).utf8))]
      + segments.enumerated().map { index, data in
        let digits = String(index)
        return ("seg/\(String(repeating: "0", count: 5 - digits.count))\(digits).zst", data)
      }
  }

  /// The archive.
  var bytes: [UInt8] { Tar.file(entries) }
}

/// A tar, written without a library.
enum Tar {
  static func header(
    _ name: String, size: Int, type: Character = "0", change: (inout [UInt8]) -> Void = { _ in }
  ) -> [UInt8] {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at start: Int) {
      header.replaceSubrange(start..<start + text.utf8.count, with: Array(text.utf8))
    }
    func octal(_ value: Int, _ digits: Int) -> String {
      let text = String(value, radix: 8)
      return String(repeating: "0", count: digits - text.utf8.count) + text
    }
    put(name, at: 0)
    put(octal(0o644, 7), at: 100)
    put(octal(0, 7), at: 108)
    put(octal(0, 7), at: 116)
    put(octal(size, 11), at: 124)
    put(octal(0, 11), at: 136)
    put(String(type), at: 156)
    put("ustar", at: 257)
    put("00", at: 263)
    change(&header)
    put("        ", at: 148)
    put(octal(header.reduce(0) { $0 + Int($1) }, 6), at: 148)
    header[154] = 0
    return header
  }

  static func entry(
    _ name: String, _ data: [UInt8], type: Character = "0",
    change: (inout [UInt8]) -> Void = { _ in }
  ) -> [UInt8] {
    header(name, size: data.count, type: type, change: change) + data
      + [UInt8](repeating: 0, count: (512 - data.count % 512) % 512)
  }

  static func file(_ entries: [(name: String, data: [UInt8])]) -> [UInt8] {
    entries.flatMap { entry($0.name, $0.data) } + [UInt8](repeating: 0, count: 1024)
  }
}

/// Opens an archive's bytes and reads all of it.
func readArchive(_ bytes: [UInt8], by format: LCWArchive = LCWArchive()) throws -> Checkpoint {
  let folder = try TemporaryFolder()
  return try Checkpoint(reading: try format.open(try folder.file("a.lcw", bytes)))
}

/// Expects that reading an archive's bytes fails with an error that says a certain thing.
func expectRefusal(
  _ bytes: [UInt8], saying text: String, by format: LCWArchive = LCWArchive(),
  _ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let error = #expect(throws: ArchiveError.self, comment, sourceLocation: sourceLocation) {
    try readArchive(bytes, by: format)
  }
  let description = error?.description ?? ""
  #expect(
    description.contains(text), "\(comment.map { "\($0): " } ?? "")\(description)",
    sourceLocation: sourceLocation)
}
