// SPDX-License-Identifier: Apache-2.0
import LCWFiles

/// A tar of an archive taken apart loosely, so that a damaged one can be damaged further.
struct TarParts {
  private var entries: [(header: [UInt8], data: [UInt8])] = []
  /// What stands behind the last entry.
  private var tail: [UInt8]

  private static let name = Array("manifest.json".utf8)
  /// A tar of more entries is not taken apart.
  private static let mostEntries = 64

  /// Nothing unless the bytes start with the header of a manifest.
  init?(_ bytes: [UInt8]) {
    guard bytes.starts(with: TarParts.name), bytes.count >= 1024 else { return nil }
    var position = 0
    while bytes.count - position > 1024, entries.count < TarParts.mostEntries {
      let header = Array(bytes[position..<position + 512])
      let digits = String(decoding: header[124..<135], as: UTF8.self)
      guard let size = Int(digits, radix: 8), size >= 0, size <= bytes.count - position - 512 else {
        break
      }
      entries.append((header, Array(bytes[position + 512..<position + 512 + size])))
      position = min(bytes.count, position + 512 + (size + 511) / 512 * 512)
    }
    guard !entries.isEmpty else { return nil }
    tail = Array(bytes[position...])
  }

  /// Changes one part and mends what depends on it.
  mutating func mutate(_ random: inout Random) {
    let index = random.below(entries.count)
    switch random.below(8) {
    case 0:
      // A header, with the checksum that fits it.
      entries[index].header = mutatedBytes(entries[index].header, maxSize: 512)
      entries[index].header += [UInt8](repeating: 0, count: 512 - entries[index].header.count)
      sign(index)
    case 1, 2:
      mutateFrames(&random)
    case 3:
      // The order and number of entries.
      switch random.below(3) {
      case 0: entries.swapAt(index, random.below(entries.count))
      case 1: entries.insert(entries[index], at: random.below(entries.count + 1))
      default: if entries.count > 1 { entries.remove(at: index) }
      }
    default:
      seal { mutatedText($0, &random) }
    }
  }

  /// A segment's bytes, and in the manifest every number that was their count or, if it stands
  /// for the last tensor, the rest of it.
  private mutating func mutateFrames(_ random: inout Random) {
    guard entries.count > 1 else { return seal { mutatedText($0, &random) } }
    let index = 1 + random.below(entries.count - 1)
    let old = entries[index].data
    entries[index].data = mutatedBytes(old, maxSize: old.count + 32)
    resize(index)
    guard entries[index].data.count != old.count else { return }
    let new = entries[index].data.count
    seal { manifest in
      var text = String(decoding: manifest, as: UTF8.self)
      for mark in [",", "]", "}"] {
        text = text.split(separator: "\(old.count)\(mark)", omittingEmptySubsequences: false)
          .joined(separator: "\(new)\(mark)")
      }
      return Array(text.utf8)
    }
  }

  /// Changes the manifest, gives it the digest that fits, and its header the size.
  private mutating func seal(_ change: ([UInt8]) -> [UInt8]) {
    let start = Array(",\"sha256\":\"".utf8)
    let end = Array("\"}\n".utf8)
    let body = change(Array(entries[0].data.dropLast(start.count + 64 + end.count)))
    entries[0].data = body + start + Array(SHA256.hexDigest(of: body).utf8) + end
    resize(0)
  }

  private mutating func resize(_ index: Int) {
    let digits = String(entries[index].data.count, radix: 8)
    let field = String(repeating: "0", count: max(0, 11 - digits.count)) + digits
    entries[index].header.replaceSubrange(124..<135, with: field.utf8)
    sign(index)
  }

  /// Puts the checksum that fits into a header.
  private mutating func sign(_ index: Int) {
    entries[index].header.replaceSubrange(148..<156, with: "        ".utf8)
    let digits = String(entries[index].header.reduce(0) { $0 + Int($1) }, radix: 8)
    let field = Array((String(repeating: "0", count: 6 - digits.count) + digits).utf8) + [0, 0x20]
    entries[index].header.replaceSubrange(148..<156, with: field)
  }

  /// The tar.
  var bytes: [UInt8] {
    entries.flatMap { entry in
      entry.header + entry.data
        + [UInt8](repeating: 0, count: (512 - entry.data.count % 512) % 512)
    } + tail
  }
}

/// A file that starts with the length of its JSON in eight bytes, as safetensors files do.
struct LengthPrefixed {
  /// The JSON.
  var text: [UInt8]
  private let data: [UInt8]

  /// Nothing unless the length fits and a brace follows it.
  init?(_ bytes: [UInt8]) {
    guard bytes.count > 8, bytes[8] == 0x7B, bytes[4..<8].allSatisfy({ $0 == 0 }) else {
      return nil
    }
    let length = (0..<4).reduce(0) { $0 | Int(bytes[$1]) << (8 * $1) }
    guard length <= bytes.count - 8 else { return nil }
    text = Array(bytes[8..<8 + length])
    data = Array(bytes[(8 + length)...])
  }

  /// The file.
  var bytes: [UInt8] {
    withUnsafeBytes(of: UInt64(text.count).littleEndian, Array.init) + text + data
  }
}
