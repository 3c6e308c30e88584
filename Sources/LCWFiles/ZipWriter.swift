// SPDX-License-Identifier: Apache-2.0
import CArchive

/// Writes a zip file through libarchive: the same bytes for the same content, without times.
public struct ZipWriter: ~Copyable {
  private let archive: OpaquePointer
  private let path: String

  private init(owning archive: OpaquePointer, path: String) {
    self.archive = archive
    self.path = path
  }

  /// Starts a zip file in an open file.
  /// - Parameters:
  ///   - compress: Whether to deflate the entries instead of storing them as they stand.
  ///   - path: The name for errors.
  /// - Throws: ``ZipError/writing(file:reason:)``.
  public static func open(
    _ output: borrowing OutputFile, compress: Bool = false, path: String
  ) throws(ZipError) -> ZipWriter {
    guard let archive = archive_write_new() else {
      throw .writing(file: path, reason: "out of memory")
    }
    let writer = ZipWriter(owning: archive, path: path)
    let method =
      compress ? archive_write_zip_set_compression_deflate : archive_write_zip_set_compression_store
    guard archive_write_set_format_zip(archive) == ARCHIVE_OK, method(archive) == ARCHIVE_OK,
      archive_write_open_fd(archive, output.descriptor) == ARCHIVE_OK
    else { throw .writing(file: path, reason: archive.writeReason) }
    return writer
  }

  deinit {
    archive_write_free(archive)
  }

  /// Adds an entry whose content is these pieces one behind the other.
  /// - Throws: ``ZipError/entry(file:entry:reason:)`` for a name that ``ZipFile`` would not accept,
  ///   and ``ZipError/writing(file:reason:)`` if the system fails.
  public mutating func add(_ name: String, _ pieces: [[UInt8]]) throws(ZipError) {
    if let problem = ZipWriter.problem(withName: name) {
      throw .entry(file: path, entry: name, reason: problem)
    }
    guard let entry = archive_entry_new() else {
      throw .writing(file: path, reason: "out of memory")
    }
    defer { archive_entry_free(entry) }
    archive_entry_set_pathname(entry, name)
    archive_entry_set_filetype(entry, 0o100000)
    archive_entry_set_perm(entry, 0o644)
    archive_entry_set_size(entry, Int64(pieces.reduce(0) { $0 + $1.count }))
    // A time before 1980 is written as the first that zip has, whatever the time zone.
    archive_entry_set_mtime(entry, 0, 0)
    guard UTF8Locale.use({ archive_write_header(archive, entry) }) == ARCHIVE_OK else {
      throw .writing(file: path, reason: archive.writeReason)
    }
    for piece in pieces {
      var start = 0
      while start < piece.count {
        let written = piece.withUnsafeBytes {
          archive_write_data(archive, $0.baseAddress.map { $0 + start }, piece.count - start)
        }
        guard written > 0 else { throw .writing(file: path, reason: archive.writeReason) }
        start += written
      }
    }
    guard archive_write_finish_entry(archive) == ARCHIVE_OK else {
      throw .writing(file: path, reason: archive.writeReason)
    }
  }

  /// Writes the directory; nothing can be added behind it.
  /// - Throws: ``ZipError/writing(file:reason:)``.
  public consuming func finish() throws(ZipError) {
    guard archive_write_close(archive) == ARCHIVE_OK else {
      throw .writing(file: path, reason: archive.writeReason)
    }
  }

  /// Why an entry can't have a name.
  public static func problem(withName name: String) -> String? {
    if name.utf8.count > Int(UInt16.max) { return "the name is longer than \(UInt16.max) bytes" }
    if name.utf8.contains(0) { return "the name has a zero byte" }
    if name.hasSuffix("/") { return "the name is that of a folder" }
    return ZipFile.problem(withName: name)
  }
}
