// SPDX-License-Identifier: Apache-2.0
public import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Bytes set aside while a file is prepared that must state their sizes before them.
///
/// The first ones stay in memory; when they are more than a limit, they all go to a file without a
/// name, which vanishes with this value, or with the process.
public struct SpoolFile: ~Copyable {
  /// The bytes appended so far.
  public private(set) var size = 0
  private let target: URL
  private let memoryLimit: Int
  private var memory: [UInt8] = []
  private var file: NamelessFile?

  /// An empty spool for what `file` will hold; its folder has to have room for it.
  /// - Parameter memoryLimit: The most bytes to keep in memory.
  public init(for file: URL, memoryLimit: Int = 1 << 26) {
    target = file
    self.memoryLimit = memoryLimit
  }

  /// Adds bytes behind those added before.
  /// - Throws: ``FileError``.
  public mutating func append(_ bytes: [UInt8]) throws(FileError) {
    if file == nil, size + bytes.count > memoryLimit {
      let new = try NamelessFile(beside: target)
      try new.append(memory)
      file = consume new
      memory = []
    }
    if file == nil {
      memory += bytes
    } else {
      try file?.append(bytes)
    }
    size += bytes.count
  }

  /// The bytes of a range of those added.
  /// - Throws: ``FileError``.
  public borrowing func bytes(in range: Range<Int>) throws(FileError) -> [UInt8] {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= size, "the spool ends before \(range)")
    return try file?.bytes(in: range) ?? Array(memory[range])
  }
}

/// A file whose name is gone as soon as it is open.
private struct NamelessFile: ~Copyable {
  private let descriptor: Int32
  private let path: String

  init(beside target: URL) throws(FileError) {
    path = AtomicFile.temporaryPath(beside: target)
    descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .system("create", file: path, code: errno) }
    unlink(path)
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  borrowing func append(_ bytes: [UInt8]) throws(FileError) {
    try writeBytes(bytes, to: descriptor, path: path)
  }

  borrowing func bytes(in range: Range<Int>) throws(FileError) -> [UInt8] {
    try readBytes(from: descriptor, in: range, path: path)
  }
}
