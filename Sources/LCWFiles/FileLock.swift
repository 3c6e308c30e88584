// SPDX-License-Identifier: Apache-2.0
public import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// One process at a time at a file that is read, changed and written.
public enum FileLock {
  /// Calls `body` while no other process, nor another call in this one, has the lock on a file.
  ///
  /// The lock is on the file itself, so that nothing lies beside it. A file that is written atomically
  /// is another one afterwards: whoever waited for the lock then finds that the name stands for another
  /// file, and asks for that one's. A file that is not there is made, empty, and removed if it is still
  /// empty at the end.
  ///
  /// - Throws: ``FileError``, and what `body` throws.
  public static func withLock<Result>(
    on file: URL, _ body: () throws -> Result
  ) throws -> Result {
    let (descriptor, isNew) = try lockedDescriptor(of: file)
    defer {
      var status = stat()
      if isNew, fstat(descriptor, &status) == 0, status.st_size == 0, isSame(descriptor, file) {
        unlink(file.path)
      }
      close(descriptor)
    }
    return try body()
  }

  private static func lockedDescriptor(
    of file: URL
  ) throws(FileError) -> (descriptor: Int32, isNew: Bool) {
    var isNew = false
    while true {
      var descriptor = open(file.path, O_RDWR | O_CLOEXEC | O_NONBLOCK)
      if descriptor < 0, errno == ENOENT {
        descriptor = open(file.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        isNew = true
      }
      // Whoever may write the folder may replace a file that he may not write.
      if descriptor < 0, errno == EACCES { descriptor = open(file.path, O_RDONLY | O_CLOEXEC) }
      guard descriptor >= 0 else { throw .system("lock", file: file.path, code: errno) }
      while flock(descriptor, LOCK_EX) != 0 {
        guard errno == EINTR else {
          let code = errno
          close(descriptor)
          throw .system("lock", file: file.path, code: code)
        }
      }
      if isSame(descriptor, file) { return (descriptor, isNew) }
      close(descriptor)
    }
  }

  /// Whether a file's name still stands for what a descriptor has open.
  private static func isSame(_ descriptor: Int32, _ file: URL) -> Bool {
    var (opened, named) = (stat(), stat())
    return fstat(descriptor, &opened) == 0 && stat(file.path, &named) == 0
      && opened.st_dev == named.st_dev && opened.st_ino == named.st_ino
  }
}
