// SPDX-License-Identifier: Apache-2.0
import CZlib

/// The cyclic redundancy check of gzip and zip (RFC 1952, section 8), by zlib.
enum CRC32 {
  /// The checksum of bytes.
  /// - Parameter former: The checksum of the bytes before, if these follow others.
  static func checksum(of bytes: [UInt8], behind former: UInt32 = 0) -> UInt32 {
    bytes.withUnsafeBufferPointer { buffer in
      // Of no address zlib gives the checksum of nothing, whatever came before.
      guard buffer.count > 0 else { return former }
      return UInt32(truncatingIfNeeded: crc32_z(UInt(former), buffer.baseAddress, buffer.count))
    }
  }
}
