// SPDX-License-Identifier: Apache-2.0
public import Foundation

/// A zip file whose directory has been read and checked; the content of an entry is read, and its
/// checksum compared, when it is asked for. Several threads may read at once.
///
/// Only stored and deflated files are accepted, each name once, and none that share bytes.
public struct ZipFile: Sendable {
  /// The files in it, in the order of its directory. Folders are left out, as they hold nothing.
  public let entries: [ZipEntry]

  private let file: InputFile
  private let acceptsMissingChecksums: Bool

  /// The most files and folders that are accepted.
  public static let entryLimit = 1 << 20
  /// The most bytes of content for each byte in the file: no deflated data is longer
  /// (https://zlib.net/zlib_tech.html).
  public static let largestRatio = 1032

  /// The file's path.
  public var path: String { file.path }

  /// What a zip file with entries starts with.
  public static let mark: [UInt8] = [0x50, 0x4B, 0x03, 0x04]
  /// What a zip file without entries starts with.
  public static let emptyMark: [UInt8] = [0x50, 0x4B, 0x05, 0x06]

  /// The name of the first entry of a zip file that starts with these bytes; nothing if they are
  /// not the start of one, or too few.
  public static func firstName(in start: [UInt8]) -> String? {
    guard start.starts(with: mark), start.count >= 30 else { return nil }
    let end = 30 + (Int(start[26]) | Int(start[27]) << 8)
    guard start.count >= end else { return nil }
    return String(validating: start[30..<end], as: UTF8.self)
  }

  /// Opens a file and reads its directory.
  /// - Parameter acceptsMissingChecksums: Whether an entry may state the checksum 0 whatever it holds,
  ///   as a writer does that computes none; see ``ZipEntry/hasChecksum``.
  /// - Throws: ``ZipError`` if it is damaged, holds what is not accepted, or an entry claims more
  ///   than ``largestRatio`` times its bytes, and ``FileError`` if it can't be read.
  public init(_ url: URL, acceptsMissingChecksums: Bool = false) throws {
    file = try InputFile(url)
    self.acceptsMissingChecksums = acceptsMissingChecksums
    entries = try ZipDirectory(of: file).entries
  }

  /// The content of an entry behind its first `offset` bytes, its checksum compared.
  /// - Throws: ``ZipError`` and ``FileError``.
  public func contents(of entry: ZipEntry, from offset: Int = 0) throws -> [UInt8] {
    let split = min(max(offset, 0), entry.size)
    var checksum: UInt32 = 0
    var content: [UInt8]
    if entry.isCompressed {
      content = try unpacked(entry, count: entry.size, packedBytes: entry.storedBytes)
      checksum = CRC32.checksum(of: content)
      if split > 0 { content.removeFirst(split) }
    } else {
      let start = entry.dataStart
      let skipped = try file.bytes(in: start..<start + split)
      content = try file.bytes(in: start + split..<start + entry.size)
      checksum = CRC32.checksum(of: content, behind: CRC32.checksum(of: skipped))
    }
    guard checksum == entry.checksum || acceptsMissingChecksums && !entry.hasChecksum else {
      throw error(entry, "its checksum is not that of its content")
    }
    return content
  }

  /// The first bytes of an entry, as many as `needed` wants when it is shown those read so far, or
  /// all of it. No checksum is compared.
  /// - Throws: ``ZipError`` and ``FileError``.
  public func start(of entry: ZipEntry, _ needed: ([UInt8]) -> Int) throws -> [UInt8] {
    var start: [UInt8] = []
    while true {
      let count = min(needed(start), entry.size)
      guard start.count < count else { return start }
      if entry.isCompressed {
        // Deflated data are hardly longer than the content, and are unpacked in blocks of 64 KiB.
        start = try unpacked(
          entry, count: count, packedBytes: min(entry.storedBytes, count + 1 << 17))
      } else {
        start = try file.bytes(in: entry.dataStart..<entry.dataStart + count)
      }
    }
  }

  /// The first `count` bytes of what an entry's first bytes unpack to.
  private func unpacked(_ entry: ZipEntry, count: Int, packedBytes: Int) throws -> [UInt8] {
    let packed = try file.bytes(in: entry.dataStart..<entry.dataStart + packedBytes)
    do {
      // One byte more shows content that is longer than stated.
      let more = count == entry.size ? 1 : 0
      let content = try Deflate.unpacked(packed, count: count + more)
      guard content.count == count else {
        throw error(entry, "it has another size than the \(entry.size) bytes it states")
      }
      return content
    } catch let failure as Inflater.Failure {
      throw error(entry, failure.reason)
    }
  }

  private func error(_ entry: ZipEntry, _ reason: String) -> ZipError {
    .entry(file: path, entry: entry.name, reason: reason)
  }

  /// Why a name is not accepted.
  static func problem(withName name: String) -> String? {
    if name.isEmpty { return "the name is empty" }
    if name.hasPrefix("/") || name.hasPrefix("\\") { return "the name is absolute" }
    let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    if parts.contains(where: { $0.elementsEqual("..".utf8) }) {
      return "the name leads out of the file"
    }
    return nil
  }
}

/// A file in a zip file.
public struct ZipEntry: Sendable, Hashable {
  /// Its name.
  public let name: String
  /// The bytes of its content.
  public let size: Int
  /// Whether it is deflated.
  public let isCompressed: Bool
  /// The bytes it takes in the zip file, as stored or deflated.
  public let storedBytes: Int
  /// Where these start.
  let dataStart: Int
  /// The checksum of its content.
  let checksum: UInt32

  /// Whether a checksum is stated: 0 stands for none, but of nothing, whose checksum it is.
  public var hasChecksum: Bool { checksum != 0 || size == 0 }
}
