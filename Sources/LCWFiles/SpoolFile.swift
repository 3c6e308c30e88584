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
/// The first ones stay in memory as they were given; when they are more than a limit, they all go
/// to a file without a name, which vanishes with this value, or with the process.
public struct SpoolFile: ~Copyable {
  /// The bytes appended so far.
  public private(set) var size = 0
  private let target: URL
  private let memoryLimit: Int
  /// The pieces in memory, each with the position of its first byte.
  private var pieces: [(start: Int, bytes: ArraySlice<UInt8>)] = []
  private var file: NamelessFile?

  /// The most bytes that are read from the file at a time.
  private static let readSize = 1 << 20

  /// An empty spool for what `file` will hold; its folder has to have room for it.
  /// - Parameter memoryLimit: The most bytes to keep in memory.
  public init(for file: URL, memoryLimit: Int = 1 << 28) {
    target = file
    self.memoryLimit = memoryLimit
  }

  /// Adds bytes behind those added before.
  /// - Throws: ``FileError``.
  public mutating func append(_ bytes: ArraySlice<UInt8>) throws(FileError) {
    if file == nil, size + bytes.count > memoryLimit {
      let new = try NamelessFile(beside: target)
      for piece in pieces { try new.append(piece.bytes) }
      file = consume new
      pieces = []
    }
    if file == nil {
      if !bytes.isEmpty { pieces.append((size, bytes)) }
    } else {
      try file?.append(bytes)
    }
    size += bytes.count
  }

  /// Calls `body` with the bytes of a range of those added, piece by piece in their order.
  /// - Throws: ``FileError``, and what `body` throws.
  public borrowing func read(
    _ range: Range<Int>, _ body: (ArraySlice<UInt8>) throws -> Void
  ) throws {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= size, "the spool ends before \(range)")
    var start = range.lowerBound
    // The first piece that reaches beyond the start, found by halving.
    var index = 0
    var end = pieces.count
    while index < end {
      let middle = (index + end) / 2
      let isBefore = pieces[middle].start + pieces[middle].bytes.count <= start
      if isBefore { index = middle + 1 } else { end = middle }
    }
    while start < range.upperBound {
      guard index < pieces.count else {
        let part = start..<min(start + SpoolFile.readSize, range.upperBound)
        guard let bytes = try file?.bytes(in: part) else { return }
        try body(bytes[...])
        start = part.upperBound
        continue
      }
      let piece = pieces[index]
      let part = piece.bytes.dropFirst(start - piece.start).prefix(range.upperBound - start)
      try body(part)
      start += part.count
      index += 1
    }
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

  borrowing func append(_ bytes: ArraySlice<UInt8>) throws(FileError) {
    try writeBytes(bytes, to: descriptor, path: path)
  }

  borrowing func bytes(in range: Range<Int>) throws(FileError) -> [UInt8] {
    try readBytes(from: descriptor, in: range, path: path)
  }
}
