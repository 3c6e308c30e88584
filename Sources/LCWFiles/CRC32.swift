// SPDX-License-Identifier: Apache-2.0

/// The cyclic redundancy check of gzip and zip (RFC 1952, section 8).
enum CRC32 {
  /// Eight tables, so that eight bytes are taken at a time: table k advances a byte by k more.
  private static let tables: [[UInt32]] = {
    var tables = [
      (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in
          value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0)
        }
      }
    ]
    for k in 1..<8 {
      tables.append(tables[k - 1].map { $0 >> 8 ^ tables[0][Int($0 & 0xFF)] })
    }
    return tables
  }()

  /// The checksum of bytes.
  /// - Parameter former: The checksum of the bytes before, if these go on.
  static func checksum(of bytes: ArraySlice<UInt8>, behind former: UInt32 = 0) -> UInt32 {
    let flat = tables.flatMap(\.self)
    return bytes.withUnsafeBufferPointer { bytes in
      flat.withUnsafeBufferPointer { table in
        var value = ~former
        var index = 0
        while index + 8 <= bytes.count {
          var next: UInt32 = 0
          for k in 0..<4 {
            let byte = bytes[index + k] ^ UInt8(truncatingIfNeeded: value >> (8 * UInt32(k)))
            next ^=
              table[(7 - k) * 256 + Int(byte)] ^ table[(3 - k) * 256 + Int(bytes[index + 4 + k])]
          }
          value = next
          index += 8
        }
        while index < bytes.count {
          value = value >> 8 ^ table[Int(UInt8(truncatingIfNeeded: value) ^ bytes[index])]
          index += 1
        }
        return ~value
      }
    }
  }
}
