// SPDX-License-Identifier: Apache-2.0
import CArchive
import LCWFiles

/// Writes entries to a tar, with nothing in their headers but name and size.
///
/// Threads may use it one after another: libarchive keeps no state of theirs.
struct TarWriter: ~Copyable, @unchecked Sendable {
  private let archive: OpaquePointer
  private let file: String

  private init(owning archive: OpaquePointer, file: String) {
    self.archive = archive
    self.file = file
  }

  /// A tar written to an open file.
  /// - Parameter file: The archive's path, for errors.
  /// - Throws: ``ArchiveError/library(file:operation:reason:)``.
  static func open(
    _ output: borrowing OutputFile, file: String
  ) throws(ArchiveError) -> TarWriter {
    guard let archive = archive_write_new() else {
      throw .library(file: file, operation: "write", reason: "out of memory")
    }
    let writer = TarWriter(owning: archive, file: file)
    try writer.check(archive_write_set_format_ustar(archive))
    try writer.check(archive_write_set_bytes_per_block(archive, 1 << 16))
    // Otherwise the last block would be padded.
    try writer.check(archive_write_set_bytes_in_last_block(archive, 1))
    try writer.check(archive_write_open_fd(archive, output.descriptor))
    return writer
  }

  deinit {
    // Freeing alone would first fill an entry that was left unfinished with zeros.
    archive_write_fail(archive)
    archive_write_free(archive)
  }

  /// Starts an entry; ``append(_:)`` must then give that many bytes.
  /// - Throws: ``ArchiveError/library(file:operation:reason:)``.
  borrowing func begin(_ name: String, size: Int) throws(ArchiveError) {
    guard let entry = archive_entry_new() else {
      throw .library(file: file, operation: "write", reason: "out of memory")
    }
    defer { archive_entry_free(entry) }
    archive_entry_set_pathname(entry, name)
    archive_entry_set_filetype(entry, regularFile)
    archive_entry_set_perm(entry, TarContainer.permissions)
    archive_entry_set_size(entry, la_int64_t(size))
    archive_entry_set_mtime(entry, 0, 0)
    try check(archive_write_header(archive, entry))
  }

  /// Adds bytes to the entry begun last.
  /// - Throws: ``ArchiveError/library(file:operation:reason:)``.
  borrowing func append(_ bytes: ArraySlice<UInt8>) throws(ArchiveError) {
    let written = bytes.withUnsafeBytes { archive_write_data(archive, $0.baseAddress, $0.count) }
    guard written == bytes.count else {
      throw .library(
        file: file, operation: "write",
        reason: written < 0 ? archive.writeReason : "an entry is longer than its header says")
    }
  }

  /// Writes what is left and the end blocks.
  /// - Throws: ``ArchiveError/library(file:operation:reason:)``.
  consuming func finish() throws(ArchiveError) {
    try check(archive_write_close(archive))
  }

  private borrowing func check(_ status: Int32) throws(ArchiveError) {
    guard status == ARCHIVE_OK else {
      throw .library(file: file, operation: "write", reason: archive.writeReason)
    }
  }
}
