// SPDX-License-Identifier: Apache-2.0
public import Foundation
import Synchronization

/// A zip file whose directory has been read and checked; the content of an entry is read, and its
/// checksum compared, when it is asked for.
///
/// Only stored and deflated files are accepted, each name once. Reading the entries in their order
/// is fastest: a step back starts again from the first. Several threads take turns.
public final class ZipFile: Sendable {
  /// The file's path.
  public let path: String
  /// The files in it, in the order of their data. Folders are left out, as they hold nothing.
  public let entries: [ZipEntry]

  private let file: InputFile
  private let cursor = Mutex<ZipCursor?>(nil)

  /// The most files and folders that are accepted.
  public static let entryLimit = 1 << 20
  /// The most bytes that the files together may have when they are unpacked, for each byte of the
  /// zip file: no deflated data is longer (https://zlib.net/zlib_tech.html).
  public static let largestRatio = 1032

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
  /// - Throws: ``ZipError`` if it is damaged, holds what is not accepted, or would unpack to more
  ///   than ``largestRatio`` times its size, and ``FileError`` if it can't be read.
  public init(_ url: URL) throws {
    let file = try InputFile(url)
    self.file = file
    path = file.path
    if try Self.isEmpty(file) {
      entries = []
      return
    }
    var cursor = try ZipCursor.open(file)
    var entries: [ZipEntry] = []
    var names: Set<[UInt8]> = []
    var starts: [Int] = []
    var total = 0
    while let header = try cursor.next() {
      guard cursor.count <= Self.entryLimit else {
        throw ZipError.tooLarge(
          file: file.path, reason: "it has more than \(Self.entryLimit) entries")
      }
      if let problem = Self.problem(withName: header.name) { throw cursor.error(problem) }
      guard names.insert(Array(header.name.utf8)).inserted else {
        throw cursor.error("it stands twice")
      }
      let (sum, overflow) = total.addingReportingOverflow(header.size)
      guard !overflow, sum / Self.largestRatio <= file.size,
        header.isCompressed || header.size <= file.size
      else {
        throw ZipError.tooLarge(
          file: file.path,
          reason: "at ‘\(header.name)’ it claims more content than \(file.size) bytes can hold")
      }
      total = sum
      starts.append(header.dataStart)
      guard !header.isFolder else { continue }
      entries.append(
        ZipEntry(
          name: header.name, size: header.size, isCompressed: header.isCompressed,
          storedBytes: header.size, position: cursor.count))
    }
    for index in entries.indices where entries[index].isCompressed {
      let position = entries[index].position
      let next = position < starts.count ? starts[position] : file.size
      entries[index].storedBytes = max(0, next - starts[position - 1])
    }
    self.entries = entries
  }

  /// Whether a file is a zip without entries and comment, which libarchive does not take for one.
  private static func isEmpty(_ file: InputFile) throws(FileError) -> Bool {
    let start = try file.prefix(22)
    return file.size == 22 && start == emptyMark + [UInt8](repeating: 0, count: 18)
  }

  /// The content of an entry behind its first `offset` bytes, its checksum compared.
  /// - Throws: ``ZipError``.
  public func contents(of entry: ZipEntry, from offset: Int = 0) throws -> [UInt8] {
    try at(entry) { (cursor: inout ZipCursor) throws(ZipError) in
      var skipped = 0
      while skipped < min(offset, entry.size) {
        let part = try cursor.read(min(offset - skipped, 1 << 16))
        guard !part.isEmpty else { throw cursor.error("it ends early") }
        skipped += part.count
      }
      let content = try cursor.read(max(0, entry.size - offset))
      guard content.count == max(0, entry.size - offset), try cursor.read(1).isEmpty else {
        throw cursor.error("it has another size than the \(entry.size) bytes it states")
      }
      return content
    }
  }

  /// The first bytes of an entry, as many as `needed` wants when it is shown those read so far, or
  /// all of it. No checksum is compared.
  /// - Throws: ``ZipError``.
  public func start(of entry: ZipEntry, _ needed: ([UInt8]) -> Int) throws -> [UInt8] {
    try at(entry) { (cursor: inout ZipCursor) throws(ZipError) in
      var start: [UInt8] = []
      while true {
        let count = min(needed(start), entry.size)
        guard start.count < count else { return start }
        let part = try cursor.read(count - start.count)
        guard !part.isEmpty else { throw cursor.error("it ends early") }
        start += part
      }
    }
  }

  /// Calls `body` with the cursor at the start of an entry.
  private func at<Result>(
    _ entry: ZipEntry, _ body: (inout ZipCursor) throws(ZipError) -> Result
  ) throws(ZipError) -> Result {
    var result: Result?
    var failure: ZipError?
    cursor.withLock { current in
      do throws(ZipError) {
        var cursor: ZipCursor
        if let former = current.take(), former.count < entry.position {
          cursor = former
        } else {
          cursor = try ZipCursor.open(file)
        }
        while cursor.count < entry.position {
          guard let header = try cursor.next() else {
            throw .notZip(file: path, reason: "it changed while it was read")
          }
          guard cursor.count < entry.position || header.size == entry.size else {
            throw cursor.error("it changed while it was read")
          }
        }
        result = try body(&cursor)
        current = consume cursor
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    guard let result else { throw .notZip(file: path, reason: "nothing was read") }
    return result
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
  /// The bytes it takes: of a deflated one those up to the content of the next, so that the record
  /// between them counts too.
  public internal(set) var storedBytes: Int
  /// Its place among the entries, folders included, from 1.
  let position: Int
}
