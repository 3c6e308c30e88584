// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWFiles

/// The part of a file that was read last, so that a message is read in few pieces and what is skipped,
/// such as weights, is never read.
final class FileWindow {
  let file: InputFile
  private var start = 0
  private var bytes: [UInt8] = []

  /// So many bytes are read at once.
  private static let size = 1 << 16

  init(_ file: InputFile) {
    self.file = file
  }

  /// The byte at a position, which lies in the file.
  func byte(at position: Int) throws -> UInt8 {
    let offset = position - start
    if bytes.indices.contains(offset) { return bytes[offset] }
    try load(position)
    guard let first = bytes.first else { throw ONNXError.damaged(file: file.path, .ends) }
    return first
  }

  /// Reads the part from a position on.
  private func load(_ position: Int) throws {
    bytes = try file.bytes(in: position..<min(file.size, position + Self.size))
    start = position
  }

  /// The bytes of a range, which lies in the file.
  func bytes(in range: Range<Int>) throws -> [UInt8] {
    let (lower, upper) = (range.lowerBound - start, range.upperBound - start)
    if lower >= 0, upper <= bytes.count { return Array(bytes[lower..<upper]) }
    guard range.count <= Self.size else { return try file.bytes(in: range) }
    try load(range.lowerBound)
    return Array(bytes[..<range.count])
  }
}
