// SPDX-License-Identifier: Apache-2.0

/// A zip file made by hand, so that it can say what no library would write.
struct HandmadeZip {
  /// An entry: what the zip says of it and what it holds.
  struct Entry {
    var name: [UInt8]
    var content: [UInt8]
    var flags: UInt16 = 0x0800
    var method: UInt16 = 0
    var statedSize: UInt32?
    var attributes: UInt32 = 0o100644 << 16
    /// Whether sizes and place stand in an additional record of 64-bit fields.
    var isWide = false
    /// Where the directory says that the entry is; it is not written then.
    var statedOffset: Int?

    init(
      _ name: String, _ content: [UInt8], flags: UInt16 = 0x0800, method: UInt16 = 0,
      statedSize: UInt32? = nil, attributes: UInt32 = 0o100644 << 16, isWide: Bool = false,
      statedOffset: Int? = nil
    ) {
      self.name = Array(name.utf8)
      self.content = content
      self.flags = flags
      self.method = method
      self.statedSize = statedSize
      self.attributes = attributes
      self.isWide = isWide
      self.statedOffset = statedOffset
    }
  }

  var entries: [Entry]

  /// The file up to its directory, and the directory.
  private var parts: (file: [UInt8], directory: [UInt8]) {
    var file: [UInt8] = []
    var directory: [UInt8] = []
    for entry in entries {
      let start = entry.statedOffset ?? file.count
      if entry.statedOffset == nil { file += header(of: entry) + entry.content }
      let size = UInt64(entry.statedSize ?? UInt32(entry.content.count))
      let extra =
        entry.isWide
        ? [1, 0, 24, 0] + little(size) + little(UInt64(entry.content.count))
          + little(UInt64(start)) : []
      directory +=
        [0x50, 0x4B, 1, 2] + little(UInt16(0x031E)) + little(UInt16(20)) + common(entry)
        + little(UInt16(entry.name.count)) + little(UInt16(extra.count))
        + [UInt8](repeating: 0, count: 6) + little(entry.attributes)
        + little(entry.isWide ? UInt32.max : UInt32(start)) + entry.name + extra
    }
    return (file, directory)
  }

  var bytes: [UInt8] { bytes() }

  /// The file.
  /// - Parameters:
  ///   - gap: What stands between the directory and the end.
  ///   - comment: What the end has behind it.
  func bytes(gap: [UInt8] = [], comment: [UInt8] = []) -> [UInt8] {
    let (file, directory) = parts
    let count = little(UInt16(entries.count))
    return file + directory + gap + [0x50, 0x4B, 5, 6, 0, 0, 0, 0] + count + count
      + little(UInt32(directory.count)) + little(UInt32(file.count))
      + little(UInt16(comment.count)) + comment
  }

  /// The file with an end of 64-bit fields; in the plain end they are all ones.
  func wideBytes(count: Int? = nil) -> [UInt8] {
    let (file, directory) = parts
    let count = little(Int64(count ?? entries.count))
    let end =
      [0x50, 0x4B, 6, 6] + little(UInt64(44)) + [45, 3, 45, 0] + [UInt8](repeating: 0, count: 8)
      + count + count + little(UInt64(directory.count)) + little(UInt64(file.count))
    let place = file.count + directory.count
    return file + directory + end + [0x50, 0x4B, 6, 7, 0, 0, 0, 0] + little(UInt64(place))
      + [1, 0, 0, 0] + [0x50, 0x4B, 5, 6, 0, 0, 0, 0] + [UInt8](repeating: 0xFF, count: 12) + [
        0, 0,
      ]
  }

  /// The header in front of an entry's content.
  func header(of entry: Entry) -> [UInt8] {
    [0x50, 0x4B, 3, 4] + little(UInt16(20)) + common(entry)
      + little(UInt16(entry.name.count)) + [0, 0] + entry.name
  }

  /// The fields that an entry's header and the directory both have.
  private func common(_ entry: Entry) -> [UInt8] {
    let size = entry.statedSize ?? UInt32(entry.content.count)
    return little(entry.flags) + little(entry.method) + little(UInt32(0x0021_0000))
      + little(checksum(entry.content))
      + little(entry.isWide ? UInt32.max : UInt32(entry.content.count))
      + little(entry.isWide ? UInt32.max : size)
  }

}

/// CRC-32, a bit at a time.
func checksum(_ bytes: [UInt8]) -> UInt32 {
  ~bytes.reduce(UInt32.max) { value, byte in
    (0..<8).reduce(value ^ UInt32(byte)) { value, _ in
      value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0)
    }
  }
}

/// The bytes of a number, least significant first.
func little<Word: FixedWidthInteger>(_ word: Word) -> [UInt8] {
  withUnsafeBytes(of: word.littleEndian, Array.init)
}
