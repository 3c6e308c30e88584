// SPDX-License-Identifier: Apache-2.0
public import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Writing a file so that its name stands for the old content or the new, never for a part.
public enum AtomicFile {
  /// Writes `bytes` to a temporary name in the same folder, syncs, renames, and syncs the folder.
  /// - Throws: ``FileError``.
  public static func write(_ bytes: [UInt8], to file: URL) throws {
    try write(to: file) { try $0.append(bytes) }
  }

  /// Writes what `body` appends, as ``write(_:to:)`` does; if it throws, nothing changes.
  /// - Throws: ``FileError``, and what `body` throws.
  ///
  /// A link is followed, also where it points to nothing yet: what it points to is replaced or made.
  /// A file that is replaced keeps its permissions. Anything that is no regular file, such as a
  /// folder, a pipe or a device, is refused.
  public static func write(
    to file: URL, _ body: (borrowing OutputFile) throws -> Void
  ) throws {
    let file = try target(of: file)
    var status = stat()
    let isThere = stat(file.path, &status) == 0
    if isThere, status.st_mode & S_IFMT != S_IFREG {
      throw FileError.failed(
        operation: "write", file: file.path, reason: "it is there and is no regular file")
    }
    let temporary = temporaryPath(beside: file)
    var isRenamed = false
    let output = try OutputFile(creating: temporary, for: file.path)
    defer { if !isRenamed { unlink(temporary) } }
    try body(output)
    if isThere { try output.setPermissions(status.st_mode & 0o777) }
    try output.sync()
    guard rename(temporary, file.path) == 0 else {
      throw FileError.system("rename to", file: file.path, code: errno)
    }
    isRenamed = true
    try syncFolder(of: file)
  }

  /// What a file's name stands for in the end, whether or not there is something.
  private static func target(of file: URL) throws(FileError) -> URL {
    // As many links as Linux follows.
    var file = file
    for _ in 0...40 {
      file = file.resolvingSymlinksInPath()
      var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
      let count = readlink(file.path, &buffer, buffer.count)
      guard count > 0 else { return file }
      let link = String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
      file = URL(fileURLWithPath: link, relativeTo: file.deletingLastPathComponent()).absoluteURL
    }
    throw .system("write", file: file.path, code: ELOOP)
  }

  /// A new name in the same folder, so that the rename stays within one file system. Of a long name
  /// only the start is in it, as file systems take 255 bytes.
  static func temporaryPath(beside file: URL) -> String {
    var name = file.lastPathComponent
    while name.utf8.count > 200 { name.removeLast() }
    return file.deletingLastPathComponent().path
      + "/.\(name).\(getpid()).\(UInt32.random(in: 0...UInt32.max))"
  }

  private static func syncFolder(of file: URL) throws(FileError) {
    let folder = file.deletingLastPathComponent().path
    let descriptor = open(folder, O_RDONLY)
    guard descriptor >= 0 else { throw .system("open", file: folder, code: errno) }
    defer { close(descriptor) }
    // Some file systems can't sync a folder; the rename is still atomic there.
    guard fsync(descriptor) == 0 || errno == EINVAL else {
      throw .system("sync", file: folder, code: errno)
    }
  }
}

/// A file that is being written.
public struct OutputFile: ~Copyable {
  /// The file descriptor, for libraries that write to one.
  public let descriptor: Int32
  private let path: String

  fileprivate init(creating temporary: String, for path: String) throws(FileError) {
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    self.path = path
    guard descriptor >= 0 else { throw .system("create", file: path, code: errno) }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  /// Writes bytes behind those written before.
  /// - Throws: ``FileError``.
  public borrowing func append(_ bytes: [UInt8]) throws(FileError) {
    try writeBytes(bytes, to: descriptor, path: path)
  }

  /// Writes bytes over those written at a position; what is appended later is not affected.
  /// - Throws: ``FileError``.
  public borrowing func replace(at position: Int, with bytes: [UInt8]) throws(FileError) {
    var count = 0
    while count < bytes.count {
      let written = bytes.withUnsafeBytes {
        pwrite(
          descriptor, $0.baseAddress.map { $0 + count }, bytes.count - count,
          off_t(position + count))
      }
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else { throw .system("write", file: path, code: errno) }
      count += written
    }
  }

  fileprivate borrowing func setPermissions(_ mode: mode_t) throws(FileError) {
    guard fchmod(descriptor, mode) == 0 else {
      throw .system("set the permissions of", file: path, code: errno)
    }
  }

  fileprivate borrowing func sync() throws(FileError) {
    guard fsync(descriptor) == 0 else { throw .system("sync", file: path, code: errno) }
  }
}

/// Writes bytes at an open file's position, all of them.
func writeBytes(
  _ bytes: [UInt8], to descriptor: Int32, path: String
) throws(FileError) {
  var start = 0
  while start < bytes.count {
    let written = bytes.withUnsafeBytes {
      write(descriptor, $0.baseAddress.map { $0 + start }, bytes.count - start)
    }
    if written < 0 && errno == EINTR { continue }
    guard written > 0 else { throw .system("write", file: path, code: errno) }
    start += written
  }
}
