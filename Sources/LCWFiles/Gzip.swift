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
    try check(archive_read_open_filename(archive, file.path, 1 << 16))
    var entry: OpaquePointer?
    try check(archive_read_next_header(archive, &entry))
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

  private static func message(of archive: OpaquePointer) -> String {
    archive_error_string(archive).map(String.init(cString:)) ?? "libarchive gives no reason"
  }
}
