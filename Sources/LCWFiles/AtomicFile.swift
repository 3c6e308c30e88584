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
  /// What becomes of a file that has the name already.
  public enum Existing: Sendable {
    /// It is replaced.
    case replaced
    /// It stays, and writing ends with ``FileError/exists(file:)``, however late it turned up.
    case kept
  }

  /// What becomes of a link that has the name.
  public enum Links: Sendable {
    /// It is followed: what it points to is replaced or made.
    case followed
    /// It is replaced itself, and what it points to stays as it is.
    case replaced
  }

  /// Writes `bytes` to a temporary name in the same folder, syncs, renames, and syncs the folder.
  /// - Throws: ``FileError``.
  public static func write(
    _ bytes: [UInt8], to file: URL, existing: Existing = .replaced, links: Links = .followed
  ) throws {
    try write(to: file, existing: existing, links: links) { try $0.append(bytes) }
  }

  /// Writes what `body` appends, as ``write(_:to:existing:links:)`` does; if it throws, nothing
  /// changes.
  ///
  /// A file that is replaced keeps its permissions. Anything that is not a regular file, such as a
  /// folder, a pipe or a device, is refused. Temporary files that killed processes left in the
  /// folder are removed.
  /// - Throws: ``FileError``, and what `body` throws.
  public static func write(
    to file: URL, existing: Existing = .replaced, links: Links = .followed,
    _ body: (borrowing OutputFile) throws -> Void
  ) throws {
    let file = links == .followed ? try target(of: file) : file.standardizedFileURL
    let permissions = try permissions(of: file, existing: existing)
    StaleFiles.remove(in: file.deletingLastPathComponent())
    let output = try OutputFile(beside: file)
    var isPublished = false
    defer { if !isPublished { unlink(output.temporary) } }
    try body(output)
    if let permissions { try output.setPermissions(permissions) }
    try output.sync()
    try rename(output.temporary, to: file.path, existing: existing)
    isPublished = true
    try syncFolder(of: file)
  }

  /// Gives a file that lies whole in the same folder the name it is meant for, as
  /// ``write(_:to:existing:links:)`` does with a temporary file.
  ///
  /// For those who can't write through ``write(to:existing:links:_:)``, since they hand a name to
  /// others who write: ``temporaryURL(beside:)`` is such a name.
  /// - Throws: ``FileError``; then the file keeps the name it has.
  public static func publish(_ written: URL, as file: URL, existing: Existing) throws(FileError) {
    let file = try target(of: file)
    let permissions = existing == .replaced ? try permissions(of: file, existing: existing) : nil
    let descriptor = open(written.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("open", file: written.path, code: errno) }
    defer { close(descriptor) }
    if let permissions, fchmod(descriptor, permissions) != 0 {
      throw .system("set the permissions of", file: file.path, code: errno)
    }
    guard fsync(descriptor) == 0 else { throw .system("sync", file: file.path, code: errno) }
    try rename(written.path, to: file.path, existing: existing)
    try syncFolder(of: file)
  }

  /// What a file's name stands for in the end, whether or not there is something.
  /// - Throws: ``FileError`` for links that lead in a circle.
  public static func target(of file: URL) throws(FileError) -> URL {
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

  /// The permissions of the file that is replaced, if there is one.
  static func permissions(
    of file: URL, existing: Existing
  ) throws(FileError) -> mode_t? {
    var status = stat()
    // Of a link that is followed nothing is left but the target's name.
    guard lstat(file.path, &status) == 0 else { return nil }
    if existing == .kept { throw .exists(file: file.path) }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return status.st_mode & 0o777
    case S_IFLNK: return nil
    default:
      throw .failed(
        operation: "write", file: file.path, reason: "it exists and is not a regular file")
    }
  }

  private static func rename(
    _ temporary: String, to name: String, existing: Existing
  ) throws(FileError) {
    if existing == .kept {
      // A rename would replace what turned up meanwhile; a link refuses.
      if link(temporary, name) == 0 {
        unlink(temporary)
        return
      }
      guard [EPERM, EOPNOTSUPP, ENOSYS, EMLINK].contains(errno) else {
        throw errno == EEXIST ? .exists(file: name) : .system("write", file: name, code: errno)
      }
      // The file system has no links: the name is taken by an empty file of this process first.
      let place = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      guard place >= 0 else {
        throw errno == EEXIST ? .exists(file: name) : .system("write", file: name, code: errno)
      }
      close(place)
    }
    guard systemRename(temporary, name) == 0 else {
      let code = errno
      if existing == .kept { unlink(name) }
      throw .system("rename to", file: name, code: code)
    }
  }

  /// A new name in the same folder, so that the rename stays within one file system. Of a long name
  /// only the start is in it, as file systems take 255 bytes.
  static func temporaryPath(beside file: URL) -> String {
    temporaryStart(beside: file, name: file.lastPathComponent)
  }

  /// A new name in the same folder, with the same ending: for a format that looks at the ending.
  /// What lies there is removed by later writers once the process is gone.
  public static func temporaryURL(beside file: URL) -> URL {
    let stem = file.deletingPathExtension().lastPathComponent
    let start = URL(fileURLWithPath: temporaryStart(beside: file, name: stem))
    return file.pathExtension.isEmpty ? start : start.appendingPathExtension(file.pathExtension)
  }

  private static func temporaryStart(beside file: URL, name: String) -> String {
    var name = name
    while name.utf8.count > 180 { name.removeLast() }
    return file.deletingLastPathComponent().path
      + "/.\(name).\(getpid()).\(UInt32.random(in: 0...UInt32.max)).\(StaleFiles.ending)"
  }

  /// Makes sure that a file and its name are on the disk.
  static func sync(_ file: URL) throws(FileError) {
    let descriptor = open(file.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("open", file: file.path, code: errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .system("sync", file: file.path, code: errno) }
    try syncFolder(of: file)
  }

  private static func syncFolder(of file: URL) throws(FileError) {
    let folder = file.deletingLastPathComponent().path
    let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("open", file: folder, code: errno) }
    defer { close(descriptor) }
    // Some file systems can't sync a folder; the rename is still atomic there.
    guard fsync(descriptor) == 0 || errno == EINVAL else {
      throw .system("sync", file: folder, code: errno)
    }
  }
}

// Inside the type here `rename` is a method of its own.
private func systemRename(_ old: String, _ new: String) -> Int32 { rename(old, new) }

/// A file that is being written.
public struct OutputFile: ~Copyable {
  /// The file descriptor, for libraries that write to one.
  public let descriptor: Int32
  /// The name that the file has until it is whole.
  let temporary: String
  private let path: String

  /// A new file beside another, locked as long as it is open: a lock that nobody holds tells that
  /// its writer is gone.
  fileprivate init(beside file: URL) throws(FileError) {
    let (descriptor, temporary) = try OutputFile.create(beside: file)
    self.descriptor = descriptor
    self.temporary = temporary
    path = file.path
  }

  private static func create(
    beside file: URL
  ) throws(FileError) -> (descriptor: Int32, temporary: String) {
    while true {
      let temporary = AtomicFile.temporaryPath(beside: file)
      let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      guard descriptor >= 0 else { throw .system("create", file: file.path, code: errno) }
      // Another process may have taken it for a stale one before it was locked.
      _ = flock(descriptor, LOCK_EX)
      var status = stat()
      if fstat(descriptor, &status) == 0, status.st_nlink > 0 { return (descriptor, temporary) }
      close(descriptor)
    }
  }

  deinit { close(descriptor) }

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
