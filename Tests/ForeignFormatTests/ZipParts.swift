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

    init(
      _ name: String, _ content: [UInt8], flags: UInt16 = 0x0800, method: UInt16 = 0,
      statedSize: UInt32? = nil, attributes: UInt32 = 0o100644 << 16
    ) {
      self.name = Array(name.utf8)
      self.content = content
      self.flags = flags
      self.method = method
      self.statedSize = statedSize
      self.attributes = attributes
    }
  }

  var entries: [Entry]

  var bytes: [UInt8] {
    var file: [UInt8] = []
    var directory: [UInt8] = []
    for entry in entries {
      let start = UInt32(file.count)
      let size = entry.statedSize ?? UInt32(entry.content.count)
      let common =
        little(entry.flags) + little(entry.method) + little(UInt32(0x0021_0000))
        + little(checksum(entry.content)) + little(UInt32(entry.content.count)) + little(size)
        + little(UInt16(entry.name.count)) + little(UInt16(0))
      file += [0x50, 0x4B, 3, 4] + little(UInt16(20)) + common + entry.name + entry.content
      directory +=
        [0x50, 0x4B, 1, 2] + little(UInt16(0x031E)) + little(UInt16(20)) + common
        + little(UInt16(0)) + little(UInt16(0)) + little(UInt16(0)) + little(entry.attributes)
        + little(start) + entry.name
    }
    let count = little(UInt16(entries.count))
    return file + directory + [0x50, 0x4B, 5, 6, 0, 0, 0, 0] + count + count
      + little(UInt32(directory.count)) + little(UInt32(file.count)) + [0, 0]
  }

  /// CRC-32, a bit at a time.
  private func checksum(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(UInt32.max) { value, byte in
      (0..<8).reduce(value ^ UInt32(byte)) { value, _ in
        value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0)
      }
    }
  }
}

/// The bytes of a number, least significant first.
func little<Word: FixedWidthInteger>(_ word: Word) -> [UInt8] {
  withUnsafeBytes(of: word.littleEndian, Array.init)
}
