// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

extension StoredTensor {
  /// The elements with the other sign, as PyTorch resolves its negative bit: the sign bit of
  /// floating-point numbers changes, integers become their two's complement.
  func negated() throws -> StoredTensor {
    let width = elementType.width
    var bytes = bytes
    for start in stride(from: 0, to: bytes.count, by: width) {
      if elementType.isFloatingPoint {
        bytes[start + width - 1] ^= 0x80
        continue
      }
      var carry: UInt8 = 1
      for index in start..<start + width {
        let (sum, overflow) = (~bytes[index]).addingReportingOverflow(carry)
        bytes[index] = sum
        carry = overflow ? 1 : 0
      }
    }
    return try StoredTensor(elementType: elementType, shape: shape, bytes: bytes)
  }
}
