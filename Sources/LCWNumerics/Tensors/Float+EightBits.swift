// SPDX-License-Identifier: Apache-2.0

extension Float {
  /// The number of an E4M3 byte as PyTorch's `float8_e4m3fn` has it: no infinities, NaN where all
  /// bits but the sign are ones.
  init(e4m3 byte: UInt8) {
    let (exponent, mantissa) = (Int(byte >> 3 & 0xF), Float(byte & 7))
    let magnitude: Float
    switch (exponent, byte & 7) {
    case (15, 7): magnitude = .nan
    case (0, _): magnitude = mantissa * 0x1p-9
    default: magnitude = Float(sign: .plus, exponent: exponent - 10, significand: 8 + mantissa)
    }
    self = byte >> 7 == 1 ? -magnitude : magnitude
  }

  /// The number of an E5M2 byte, the upper half of IEEE half precision.
  init(e5m2 byte: UInt8) {
    let (exponent, mantissa) = (Int(byte >> 2 & 0x1F), Float(byte & 3))
    let magnitude: Float
    switch exponent {
    case 0: magnitude = mantissa * 0x1p-16
    case 31: magnitude = mantissa == 0 ? .infinity : .nan
    default: magnitude = Float(sign: .plus, exponent: exponent - 17, significand: 4 + mantissa)
    }
    self = byte >> 7 == 1 ? -magnitude : magnitude
  }
}
