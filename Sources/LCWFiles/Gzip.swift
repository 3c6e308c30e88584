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
  /// The bytes that are unpacked at a time.
  private static let block = 1 << 20

  private static func unpacked(_ input: InputFile, limit: Int) throws(FileError) -> [UInt8] {
    let packed = try input.bytes(in: 0..<input.size)
    var content: [UInt8] = []
    var room = [UInt8](repeating: 0, count: block)
    var progress = Inflater.Progress()
    var position = 0
    do throws(Inflater.Failure) {
      let inflater = try Inflater(.gzip)
      while position < packed.count || !progress.isAtEnd {
        // A file may have several members: its content is theirs, one behind the other.
        if progress.isAtEnd { inflater.restart() }
        progress = try inflater.unpack(packed[position...], into: &room)
        position += progress.read
        content += room.prefix(progress.written)
        guard content.count <= limit else { break }
        guard progress.isAtEnd || progress.written > 0 else {
          throw Inflater.Failure(reason: "it ends too early")
        }
      }
    } catch { throw .damaged(file: input.path, reason: error.reason) }
    guard content.count <= limit else { throw .tooLarge(file: input.path, limit: limit) }
    return content
  }
}
