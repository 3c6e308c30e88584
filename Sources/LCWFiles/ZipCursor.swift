// SPDX-License-Identifier: Apache-2.0
import CArchive

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Walks over the entries of a zip file through libarchive, in the order of their data.
///
/// It may pass from thread to thread, since libarchive keeps no state beside the archive's own, and
/// only one can hold it.
struct ZipCursor: ~Copyable, @unchecked Sendable {
  private let archive: OpaquePointer
  private let path: String
  /// The entries passed, the one at the cursor included.
  private(set) var count = 0
  private var name = ""

  /// What libarchive says of an entry.
  struct Header {
    var name: String
    var size: Int
    var isFolder: Bool
    var isCompressed: Bool
    /// The file's position behind the entry's own header.
    var dataStart: Int
  }

  private init(owning archive: OpaquePointer, path: String) {
    self.archive = archive
    self.path = path
  }

  deinit {
    archive_read_free(archive)
  }

  /// A walk from the first entry. It moves the position of the file's descriptor.
  /// - Throws: ``ZipError``.
  static func open(_ file: InputFile) throws(ZipError) -> ZipCursor {
    guard lseek(file.descriptor, 0, SEEK_SET) == 0, let archive = archive_read_new() else {
      throw .notZip(file: file.path, reason: "the system fails to read it")
    }
    let cursor = ZipCursor(owning: archive, path: file.path)
    // Only the reader that goes by the directory at the end: files without one are cut.
    guard archive_read_support_format_zip_seekable(archive) == ARCHIVE_OK,
      UTF8Locale.use({ archive_read_open_fd(archive, file.descriptor, 1 << 16) }) == ARCHIVE_OK
    else {
      throw .notZip(file: file.path, reason: archive.reason)
    }
    return cursor
  }

  /// Goes to the next entry; nothing behind the last.
  /// - Throws: ``ZipError``.
  mutating func next() throws(ZipError) -> Header? {
    var entry: OpaquePointer?
    let status = UTF8Locale.use { archive_read_next_header(archive, &entry) }
    if status == ARCHIVE_EOF { return nil }
    guard status == ARCHIVE_OK, let entry else {
      throw .notZip(file: path, reason: archive.reason)
    }
    count += 1
    guard let text = archive_entry_pathname(entry), let name = String(validatingCString: text)
    else {
      throw .notZip(file: path, reason: "the name of entry \(count) is not UTF-8")
    }
    self.name = name
    guard archive_entry_is_encrypted(entry) == 0 else { throw error("it is encrypted") }
    let type = archive_entry_filetype(entry)
    guard type == Self.plainFile || type == Self.folder else {
      throw error("it is neither a plain file nor a folder")
    }
    let size = archive_entry_size(entry)
    guard archive_entry_size_is_set(entry) != 0, size >= 0 else {
      throw error("its size is not stated")
    }
    // libarchive tells the method in the name of the format alone.
    let method = archive_format_name(archive).map(String.init(cString:)) ?? ""
    guard method.hasSuffix("(uncompressed)") || method.hasSuffix("(deflation)") else {
      throw error("it is neither stored nor deflated: \(method)")
    }
    return Header(
      name: name, size: Int(size), isFolder: type == Self.folder,
      isCompressed: method.hasSuffix("(deflation)"),
      dataStart: Int(archive_filter_bytes(archive, -1)))
  }

  /// The next `count` bytes of the entry's content, fewer where it ends. At its end libarchive
  /// compares the size and the checksum with those in the file.
  /// - Throws: ``ZipError``.
  mutating func read(_ count: Int) throws(ZipError) -> [UInt8] {
    var failed = false
    let result = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let got = archive_read_data(
          archive, buffer.baseAddress.map { $0 + filled }, count - filled)
        if got == 0 { return }
        guard got > 0 else {
          failed = true
          return
        }
        filled += got
      }
    }
    if failed { throw error(archive.reason) }
    return result
  }

  /// An error about the entry at the cursor.
  func error(_ reason: String) -> ZipError { .entry(file: path, entry: name, reason: reason) }

  /// The file types (`AE_IFREG` and `AE_IFDIR`, macros that Swift does not import).
  private static let plainFile: UInt32 = 0o100000
  private static let folder: UInt32 = 0o040000
}

extension OpaquePointer {
  /// Why the last call on this `struct archive` failed, in one line.
  var reason: String {
    let lines = archive_error_string(self).map(String.init(cString:))?.split(separator: "\n")
    return lines?.joined(separator: " ") ?? "libarchive gives no reason"
  }
}
