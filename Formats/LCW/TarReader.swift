// SPDX-License-Identifier: Apache-2.0
import CArchive
import LCWFiles

/// Walks over the headers of a tar, in order, and accepts only what the format allows.
struct TarReader: ~Copyable {
  private let archive: OpaquePointer
  private let file: InputFile
  /// Where the next header must be.
  private(set) var position = 0

  private init(owning archive: OpaquePointer, file: InputFile) {
    self.archive = archive
    self.file = file
  }

  /// A walk from the file's start. It moves the position of the file's descriptor.
  /// - Throws: ``ArchiveError``.
  static func open(_ file: InputFile) throws(ArchiveError) -> TarReader {
    guard let archive = archive_read_new() else {
      throw .library(file: file.path, operation: "read", reason: "out of memory")
    }
    let reader = TarReader(owning: archive, file: file)
    guard archive_read_support_format_tar(archive) == ARCHIVE_OK,
      archive_read_open_fd(archive, file.descriptor, 1 << 16) == ARCHIVE_OK
    else {
      throw .notAnArchive(file: file.path, reason: archive.reason)
    }
    return reader
  }

  deinit {
    archive_read_free(archive)
  }

  /// The position of the data of the next entry, which must have that name, and its size.
  /// - Parameter size: The size it must have, if that is known.
  /// - Throws: ``ArchiveError``.
  mutating func next(_ name: String, size: Int? = nil) throws -> Range<Int> {
    func error(_ reason: String) -> ArchiveError {
      .container(file: file.path, entry: name, reason: reason)
    }
    var header: OpaquePointer?
    let status = archive_read_next_header(archive, &header)
    guard status != ARCHIVE_EOF else { throw error("the archive ends before it") }
    guard status == ARCHIVE_OK, let header else { throw error(archive.reason) }
    guard archive_format(archive) == ARCHIVE_FORMAT_TAR_USTAR,
      archive_read_header_position(archive) == position
    else { throw error("its header is not a plain ustar header at byte \(position)") }
    let found = archive_entry_pathname(header).map(String.init(cString:)) ?? ""
    guard found == name else { throw error("there is ‘\(found)’ in its place") }
    guard archive_entry_filetype(header) == regularFile, archive_entry_hardlink(header) == nil
    else { throw error("it is not a plain file") }
    guard archive_entry_perm(header) == TarContainer.permissions, archive_entry_uid(header) == 0,
      archive_entry_gid(header) == 0, archive_entry_mtime(header) == 0
    else { throw error("it has another mode than 0644, an owner, a group or a time") }
    let count = Int(archive_entry_size(header))
    guard count >= 0, size == nil || count == size else {
      throw error("it has \(count) bytes, but \(size ?? 0) by the manifest")
    }
    let start = position + TarContainer.block
    guard count <= file.size - start else { throw error("the file ends in it") }
    let block = try file.bytes(in: position..<start)
    if let problem = TarHeader.problem(in: block[...], name: name) { throw error(problem) }
    guard start + TarContainer.padded(count) <= file.size else {
      throw error("the file ends in it")
    }
    position = start + TarContainer.padded(count)
    guard TarHeader.isZero(try file.bytes(in: start + count..<position)[...]) else {
      throw error("what follows it is not zero")
    }
    return start..<start + count
  }

  /// Makes sure that the archive ends here.
  /// - Throws: ``ArchiveError``.
  mutating func finish() throws {
    func error(_ reason: String) -> ArchiveError {
      .container(file: file.path, entry: "its end", reason: reason)
    }
    let size = position + TarContainer.endBytes
    guard file.size == size else {
      throw error("the file has \(file.size) bytes, but its entries need \(size)")
    }
    guard TarHeader.isZero(try file.bytes(in: position..<size)[...]) else {
      throw error("its last \(TarContainer.endBytes) bytes are not zero")
    }
    var header: OpaquePointer?
    let status = archive_read_next_header(archive, &header)
    guard status == ARCHIVE_EOF else {
      throw error(status == ARCHIVE_OK ? "there are more entries" : archive.reason)
    }
  }
}

/// The file type of plain files (`AE_IFREG`, a macro that Swift does not import).
let regularFile: UInt32 = 0o100000

extension OpaquePointer {
  /// Why the last call on this `struct archive` failed.
  var reason: String {
    archive_error_string(self).map(String.init(cString:)) ?? "libarchive gives no reason"
  }
}
