// SPDX-License-Identifier: Apache-2.0
public import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The right to write a file, which one process has at a time and as long as this value lives.
///
/// It is a lock on a hidden file beside the one to write, which the system takes back however the
/// process ends. It is advisory: it tells processes that take leases of each other, and stops no
/// other. Where the file system has no locks, every process gets its lease.
public final class FileLease: Sendable {
  private let descriptor: Int32
  private let path: String

  /// Takes the right to write a file; links are followed, so that two names of one file are one.
  /// - Throws: ``FileError/inUse(file:process:)`` if another process has it, and ``FileError`` if
  ///   nothing can be written in the file's folder.
  public init(for file: URL) throws(FileError) {
    (descriptor, path) = try FileLease.take(file)
  }

  private static func take(_ file: URL) throws(FileError) -> (descriptor: Int32, path: String) {
    let target = try AtomicFile.target(of: file)
    var name = target.lastPathComponent
    while name.utf8.count > 200 { name.removeLast() }
    let path =
      target.deletingLastPathComponent().path + "/.\(name).\(StaleFiles.lockEnding)"
    while true {
      var descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o666)
      // One that another user's killed process left behind can be locked all the same.
      if descriptor < 0, errno == EACCES {
        descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        if descriptor < 0 { errno = EACCES }
      }
      guard descriptor >= 0 else { throw .system("write", file: file.path, code: errno) }
      if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
        let holder = holder(of: descriptor)
        close(descriptor)
        throw .inUse(file: file.path, process: holder)
      }
      // Whoever had it before may have removed the file since it was opened here.
      var (own, named) = (stat(), stat())
      if fstat(descriptor, &own) == 0, lstat(path, &named) == 0, own.st_ino == named.st_ino {
        return (descriptor, path)
      }
      close(descriptor)
    }
  }

  deinit {
    // While it is still locked: whoever opened the file meanwhile finds that it is gone.
    unlink(path)
    close(descriptor)
  }

  /// The process that has locked an open file, where the system tells.
  private static func holder(of descriptor: Int32) -> Int? {
    var status = stat()
    guard fstat(descriptor, &status) == 0,
      let locks = try? String(contentsOfFile: "/proc/locks", encoding: .utf8)
    else { return nil }
    // 1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF
    for line in locks.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count >= 6, fields[1] == "FLOCK",
        fields[5].split(separator: ":").last == "\(status.st_ino)", let process = Int(fields[4]),
        process > 0
      else { continue }
      return process
    }
    return nil
  }
}
