// SPDX-License-Identifier: Apache-2.0
/// A zip file taken apart by its directory, so that a changed entry gets past the checksums.
struct ZipParts {
  private struct Entry {
    var name: [UInt8]
    var method: Int
    var flags: Int
    /// The content as it is stored or deflated.
    var data: [UInt8]
    /// The size and the sum of what the data unpack to.
    var size: Int
    var checksum: UInt32
  }

  private var entries: [Entry] = []

  /// A zip of more entries is not taken apart.
  private static let mostEntries = 64

  /// Nothing unless the bytes are a zip with a plain directory at their end.
  init?(_ bytes: [UInt8]) {
    guard bytes.starts(with: [0x50, 0x4B, 3, 4]), bytes.count >= 22 + 46 else { return nil }
    func number(_ place: Int, _ width: Int) -> Int {
      (0..<width).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
    }
    let end = bytes.count - 22
    guard number(end, 4) == 0x0605_4B50 else { return nil }
    let count = number(end + 10, 2)
    var place = number(end + 16, 4)
    guard (1...Self.mostEntries).contains(count) else { return nil }
    for _ in 0..<count {
      guard place >= 0, place + 46 <= end, number(place, 4) == 0x0201_4B50 else { return nil }
      let (nameBytes, rest) = (
        number(place + 28, 2), number(place + 30, 2) + number(place + 32, 2)
      )
      let (packed, header) = (number(place + 20, 4), number(place + 42, 4))
      guard place + 46 + nameBytes + rest <= end, header + 30 <= end else { return nil }
      let start = header + 30 + number(header + 26, 2) + number(header + 28, 2)
      guard packed <= end, start + packed <= end else { return nil }
      entries.append(
        Entry(
          name: Array(bytes[place + 46..<place + 46 + nameBytes]), method: number(place + 10, 2),
          flags: number(place + 8, 2) & ~8, data: Array(bytes[start..<start + packed]),
          size: number(place + 24, 4), checksum: UInt32(number(place + 16, 4))))
      place += 46 + nameBytes + rest
    }
  }

  /// Changes an entry, and mends its sum and its sizes.
  mutating func mutate(_ random: inout Random) {
    let index = random.below(entries.count)
    switch random.below(10) {
    case 0: entries[index].name = mutatedBytes(entries[index].name, maxSize: 64)
    case 1: entries.swapAt(index, random.below(entries.count))
    case 2: entries.insert(entries[index], at: random.below(entries.count + 1))
    case 3 where entries.count > 1: entries.remove(at: index)
    case 4:
      // As if no sums had been computed.
      for place in entries.indices { entries[place].checksum = 0 }
    default: change(index, &random)
    }
  }

  private mutating func change(_ index: Int, _ random: inout Random) {
    let old = entries[index].data
    guard entries[index].method == 0 else {
      // What it unpacks to then is not known, and the reader compares it.
      entries[index].data = mutatedBytes(old, maxSize: old.count + 32)
      return
    }
    // The text in front of an array's elements has a length of its own.
    let isArray = old.starts(with: [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1]) && old.count > 10
    let length = isArray ? Int(old[8]) | Int(old[9]) << 8 : 0
    if isArray, length <= old.count - 10, random.below(2) == 0 {
      let text = mutatedText(Array(old[10..<10 + length]), &random)
      entries[index].data =
        Array(old[..<8]) + [UInt8(text.count & 255), UInt8(text.count >> 8 & 255)] + text
        + old[(10 + length)...]
    } else {
      entries[index].data = mutatedBytes(old, maxSize: old.count + 64)
    }
    entries[index].size = entries[index].data.count
    entries[index].checksum = checksum(entries[index].data)
  }

  /// The zip.
  var bytes: [UInt8] {
    func little(_ value: Int, _ width: Int) -> [UInt8] {
      (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    var file: [UInt8] = []
    var directory: [UInt8] = []
    for entry in entries {
      let common =
        little(entry.flags, 2) + little(entry.method, 2) + [0, 0, 0x21, 0]
        + little(Int(entry.checksum), 4) + little(entry.data.count, 4) + little(entry.size, 4)
        + little(entry.name.count, 2)
      directory +=
        [0x50, 0x4B, 1, 2, 20, 0, 20, 0] + common + [UInt8](repeating: 0, count: 12)
        + little(file.count, 4) + entry.name
      file += [0x50, 0x4B, 3, 4, 20, 0] + common + [0, 0] + entry.name + entry.data
    }
    return file + directory + [0x50, 0x4B, 5, 6, 0, 0, 0, 0] + little(entries.count, 2)
      + little(entries.count, 2) + little(directory.count, 4) + little(file.count, 4) + [0, 0]
  }
}

/// CRC-32, a bit at a time.
private func checksum(_ bytes: [UInt8]) -> UInt32 {
  ~bytes.reduce(UInt32.max) { value, byte in
    (0..<8).reduce(value ^ UInt32(byte)) { value, _ in
      value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0)
    }
  }
}

/// An `.npy` file, whose text has its length in front.
struct ArrayParts {
  /// The text.
  var text: [UInt8]
  private let data: [UInt8]

  /// Nothing unless the bytes start an array of version 1.
  init?(_ bytes: [UInt8]) {
    guard bytes.starts(with: [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0]), bytes.count >= 10 else {
      return nil
    }
    let length = Int(bytes[8]) | Int(bytes[9]) << 8
    guard length <= bytes.count - 10 else { return nil }
    text = Array(bytes[10..<10 + length])
    data = Array(bytes[(10 + length)...])
  }

  /// The file.
  var bytes: [UInt8] {
    [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0]
      + [UInt8(text.count & 255), UInt8(text.count >> 8 & 255)] + text + data
  }
}
