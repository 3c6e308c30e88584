// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

extension StoredTensor {
  /// The elements with the other sign, as PyTorch resolves its negative bit: the sign bit of
  /// floating-point numbers and of both parts of complex ones changes, integers become their two's
  /// complement.
  func negated() throws -> StoredTensor {
    if elementType.hasSignBit {
      return try withSignsChanged(each: elementType.width / (elementType.isComplex ? 2 : 1))
    }
    let width = elementType.width
    var bytes = bytes
    for start in stride(from: 0, to: bytes.count, by: width) {
      var carry: UInt8 = 1
      for index in start..<start + width {
        let (sum, overflow) = (~bytes[index]).addingReportingOverflow(carry)
        bytes[index] = sum
        carry = overflow ? 1 : 0
      }
    }
    return try StoredTensor(elementType: elementType, shape: shape, bytes: bytes)
  }

  /// The complex conjugates of the elements, which are complex numbers.
  func conjugated() throws -> StoredTensor {
    try withSignsChanged(each: elementType.width)
  }

  /// The elements with the highest bit changed at the end of each so many bytes.
  private func withSignsChanged(each step: Int) throws -> StoredTensor {
    var bytes = bytes
    for place in stride(from: step - 1, to: bytes.count, by: step) { bytes[place] ^= 0x80 }
    return try StoredTensor(elementType: elementType, shape: shape, bytes: bytes)
  }
}
