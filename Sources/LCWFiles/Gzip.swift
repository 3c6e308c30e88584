// SPDX-License-Identifier: Apache-2.0
import CArchive
public import Foundation

/// Reading files that may be compressed with gzip, through libarchive.
public enum Gzip {
  /// The content of a file: unpacked if it is a gzip file, as it stands otherwise.
  ///
  /// - Parameter limit: The most bytes to accept, so that a small file can't fill the memory.
  /// - Throws: ``FileError``.
  public static func contents(of file: URL, limit: Int = 1 << 32) throws(FileError) -> [UInt8] {
    let start = try InputFile(file).prefix(2)
    guard start == [0x1F, 0x8B] else { return try InputFile.contents(of: file, limit: limit) }
    let content = try unpacked(file, limit: limit)
    try checkTrailer(of: file, content)
    return content
  }

  private static func unpacked(_ file: URL, limit: Int) throws(FileError) -> [UInt8] {
    guard let archive = archive_read_new() else {
      throw .failed(operation: "read", file: file.path, reason: "no memory")
    }
    defer { archive_read_free(archive) }
    func check(_ status: Int32) throws(FileError) {
      guard status == ARCHIVE_OK else {
        throw .damaged(file: file.path, reason: message(of: archive))
      }
    }
    try check(archive_read_support_filter_gzip(archive))
    try check(archive_read_support_format_raw(archive))
    try check(archive_read_support_format_empty(archive))
    try check(archive_read_open_filename(archive, file.path, 1 << 16))
    var entry: OpaquePointer?
    let status = archive_read_next_header(archive, &entry)
    // Of a file that unpacks to nothing there is no entry.
    if status == ARCHIVE_EOF { return [] }
    try check(status)
    var result: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let count = archive_read_data(archive, &buffer, buffer.count)
      if count == 0 { return result }
      guard count > 0 else { throw .damaged(file: file.path, reason: message(of: archive)) }
      guard result.count + count <= limit else { throw .tooLarge(file: file.path, limit: limit) }
      result += buffer[..<count]
    }
  }

  /// Compares the length and the checksum at the end of a file with what was unpacked.
  ///
  /// libarchive does not in all of its versions. The trailer is that of the last member; nearly all
  /// files have but one.
  private static func checkTrailer(of file: URL, _ content: [UInt8]) throws(FileError) {
    let input = try InputFile(file)
    let trailer = try input.bytes(in: max(0, input.size - 8)..<input.size)
    func word(_ bytes: ArraySlice<UInt8>) -> UInt32 {
      bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
    let (checksum, length) = (word(trailer.prefix(4)), word(trailer.dropFirst(4)))
    // The length is kept modulo 2³².
    let last = content.count > Int(UInt32.max) ? content.count : Int(length)
    guard trailer.count == 8, last <= content.count,
      UInt32(truncatingIfNeeded: last) == length,
      CRC32.checksum(of: content[(content.count - last)...]) == checksum
    else {
      throw .damaged(
        file: file.path, reason: "its checksum is not that of what it unpacks to")
    }
  }

  private static func message(of archive: OpaquePointer) -> String {
    archive_error_string(archive).map(String.init(cString:)) ?? "libarchive gives no reason"
  }
}
