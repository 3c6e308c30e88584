// SPDX-License-Identifier: Apache-2.0

/// What the format fixes of the tar around the entries: their names, order and positions.
enum TarContainer {
  /// The bytes of a header, and what an entry's data are padded to.
  static let block = 512
  /// The zero bytes behind the last entry.
  static let endBytes = 1024
  /// The permissions every entry has.
  static let permissions: UInt32 = 0o644
  /// The name of the first entry.
  static let manifestName = "manifest.json"

  /// The name of a segment's entry.
  static func segmentName(_ index: Int) -> String {
    let digits = String(index)
    return "seg/" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits + ".zst"
  }

  /// The size with its padding.
  static func padded(_ size: Int) -> Int { (size + block - 1) / block * block }

  /// Whether a file that starts with these bytes can be an archive.
  static func recognises(_ start: [UInt8]) -> Bool {
    start.count >= block && start.starts(with: Array(manifestName.utf8) + [0])
      && start[257..<263].elementsEqual(TarHeader.magic)
  }
}

/// A header as its bytes stand in the file: what libarchive does not tell of it is checked here.
enum TarHeader {
  /// The mark of POSIX ustar.
  static let magic: [UInt8] = Array("ustar".utf8) + [0]

  /// The fields that hold octal digits and a terminator, by their bytes: mode, owner, group,
  /// size, time, checksum.
  private static let numbers = [100..<108, 108..<116, 116..<124, 124..<136, 136..<148, 148..<156]
  /// The fields that must be empty: the link's name; owner and group by name; the rest behind the
  /// device numbers, which is the name's prefix and the padding.
  private static let empty = [157..<257, 265..<329, 345..<512]
  /// The device numbers, which some writers leave empty.
  private static let devices = [329..<337, 337..<345]

  /// Why a header of 512 bytes is not that of a plain file as the format wants it.
  static func problem(in header: ArraySlice<UInt8>, name: String) -> String? {
    let header = Array(header)
    let named = Array(name.utf8)
    guard header[..<100].elementsEqual(named + [UInt8](repeating: 0, count: 100 - named.count))
    else { return "its header has another name" }
    guard header[156] == UInt8(ascii: "0") else { return "it is not a plain file" }
    guard header[257..<263].elementsEqual(magic), header[263..<265].elementsEqual("00".utf8) else {
      return "its header is not POSIX ustar"
    }
    guard numbers.allSatisfy({ isOctal(header[$0]) }) else {
      return "a number in its header is not octal"
    }
    guard devices.allSatisfy({ field in isOctal(header[field]) || isZero(header[field]) }) else {
      return "a number in its header is not octal"
    }
    guard devices.allSatisfy({ header[$0].allSatisfy { [0, 0x20, 0x30].contains($0) } }),
      empty.allSatisfy({ isZero(header[$0]) })
    else { return "its header has a field that should be empty" }
    return nil
  }

  /// Whether all bytes are zero.
  static func isZero(_ bytes: ArraySlice<UInt8>) -> Bool { bytes.allSatisfy { $0 == 0 } }

  private static func isOctal(_ field: ArraySlice<UInt8>) -> Bool {
    let digits = field.prefix { (0x30...0x37).contains($0) }
    return !digits.isEmpty && digits.count < field.count
      && field.dropFirst(digits.count).allSatisfy { $0 == 0 || $0 == 0x20 }
  }
}
