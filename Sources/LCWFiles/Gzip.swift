// SPDX-License-Identifier: Apache-2.0
public import Foundation

/// Reading files that may be compressed with gzip (RFC 1952).
public enum Gzip {
  /// The content of a file: unpacked if it is a gzip file, as it stands otherwise.
  ///
  /// - Parameter limit: The most bytes to accept, so that a small file can't fill the memory.
  /// - Throws: ``FileError``.
  public static func contents(of file: URL, limit: Int = 1 << 32) throws(FileError) -> [UInt8] {
    let input = try InputFile(file)
    guard try input.prefix(2) == magic else {
      guard input.size <= limit else { throw .tooLarge(file: input.path, limit: limit) }
      return try input.bytes(in: 0..<input.size)
    }
    return try unpacked(input, limit: limit)
  }

  private static let magic: [UInt8] = [0x1F, 0x8B]
  /// The bytes that are read, and those that are unpacked, at a time.
  private static let block = 1 << 20

  private static func unpacked(_ input: InputFile, limit: Int) throws(FileError) -> [UInt8] {
    var content: [UInt8] = []
    var room = [UInt8](repeating: 0, count: block)
    var packed: ArraySlice<UInt8> = []
    var position = 0
    var isAtEnd = false
    let inflater = try damageTold(of: input) { () throws(Inflater.Failure) in try Inflater(.gzip) }
    while true {
      if packed.isEmpty, position < input.size {
        let range = position..<min(position + block, input.size)
        packed = try input.bytes(in: range)[...]
        position = range.upperBound
      }
      if isAtEnd {
        if packed.isEmpty { return content }
        // A file may have several members: its content is theirs, one behind the other.
        inflater.restart()
      }
      let progress = try damageTold(of: input) { () throws(Inflater.Failure) in
        try inflater.unpack(packed, into: &room)
      }
      packed = packed.dropFirst(progress.read)
      isAtEnd = progress.isAtEnd
      content += room.prefix(progress.written)
      guard content.count <= limit else { throw .tooLarge(file: input.path, limit: limit) }
      guard isAtEnd || progress.read + progress.written > 0 else {
        throw .damaged(file: input.path, reason: "it ends too early")
      }
    }
  }

  /// What unpacking gives; that bytes can't be unpacked is told with the file's name.
  private static func damageTold<Result: ~Copyable>(
    of input: InputFile, _ work: () throws(Inflater.Failure) -> Result
  ) throws(FileError) -> Result {
    do throws(Inflater.Failure) { return try work() } catch {
      throw .damaged(file: input.path, reason: error.reason)
    }
  }
}
