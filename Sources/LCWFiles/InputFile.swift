// SPDX-License-Identifier: Apache-2.0
public import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file opened for reading at any position; several threads may read at once.
public final class InputFile: Sendable {
  /// The file's path, or the name that the URL's fragment gives it: what messages call it.
  public let path: String
  /// The file's size in bytes when it was opened.
  public let size: Int
  /// The file descriptor, for libraries that read from one. They move its position, which nothing
  /// here uses; so at most one may at a time.
  public let descriptor: Int32

  /// Opens a regular file.
  /// - Throws: ``FileError``.
  public init(_ file: URL) throws(FileError) {
    path = file.fragment(percentEncoded: false) ?? file.path
    // Without O_NONBLOCK a pipe without a writer would be waited for, before it can be refused.
    descriptor = open(file.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      size = 0
      throw .system("open", file: path, code: errno)
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      size = 0
      throw .system("examine", file: path, code: errno)
    }
    size = Int(status.st_size)
    guard status.st_mode & S_IFMT == S_IFREG else {
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      throw .failed(
        operation: "read", file: path,
        reason: isFolder ? "it is a folder" : "it is not a regular file")
    }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  /// A URL that opens what a descriptor has open, under another name in messages.
  static func url(ofDescriptor descriptor: Int32, named name: String) -> URL {
    #if os(Linux)
      let folder = "/proc/self/fd"
    #else
      let folder = "/dev/fd"
    #endif
    let file = URL(fileURLWithPath: "\(folder)/\(descriptor)")
    var parts = URLComponents(url: file, resolvingAgainstBaseURL: true)
    parts?.fragment = name
    return parts?.url ?? file
  }

  /// The bytes of a range, which must lie in the file.
  /// - Throws: ``FileError/damaged(file:reason:)`` if the file ends before, and system errors.
  public func bytes(in range: Range<Int>) throws(FileError) -> [UInt8] {
    try check(range)
    return try readBytes(from: descriptor, in: range, path: path)
  }

  /// Fills a buffer with the bytes from a position on, which must lie in the file.
  /// - Throws: As ``bytes(in:)``.
  public func read(
    at start: Int, into buffer: UnsafeMutableRawBufferPointer
  ) throws(FileError) {
    try check(start..<start + buffer.count)
    if let failure = readBytes(from: descriptor, at: start, into: buffer, path: path) {
      throw failure
    }
  }

  private func check(_ range: Range<Int>) throws(FileError) {
    guard range.lowerBound >= 0, range.upperBound <= size else {
      throw .damaged(
        file: path, reason: "it has \(size) bytes, but byte \(range.upperBound) is needed")
    }
  }

  /// Up to `count` bytes from the start.
  /// - Throws: ``FileError``.
  public func prefix(_ count: Int) throws(FileError) -> [UInt8] {
    try bytes(in: 0..<min(count, size))
  }

  /// All of a file.
  /// - Throws: ``FileError/tooLarge(file:limit:)`` beyond `limit`, and the other cases.
  public static func contents(
    of file: URL, limit: Int = 1 << 36
  ) throws(FileError) -> [UInt8] {
    let input = try InputFile(file)
    guard input.size <= limit else { throw .tooLarge(file: input.path, limit: limit) }
    return try input.bytes(in: 0..<input.size)
  }
}

/// The bytes of a range of an open file, all of them.
func readBytes(
  from descriptor: Int32, in range: Range<Int>, path: String
) throws(FileError) -> [UInt8] {
  var failure: FileError?
  let result = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
    failure = readBytes(
      from: descriptor, at: range.lowerBound, into: UnsafeMutableRawBufferPointer(buffer),
      path: path)
    if failure == nil { count = range.count }
  }
  if let failure { throw failure }
  return result
}

/// Fills a buffer from an open file, and says why if it can't.
private func readBytes(
  from descriptor: Int32, at start: Int, into buffer: UnsafeMutableRawBufferPointer, path: String
) -> FileError? {
  var count = 0
  while count < buffer.count {
    let got = pread(
      descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count,
      off_t(start + count))
    if got < 0 && errno == EINTR { continue }
    guard got > 0 else {
      return got == 0
        ? .damaged(file: path, reason: "it became shorter while it was read")
        : .system("read", file: path, code: errno)
    }
    count += got
  }
  return nil
}
