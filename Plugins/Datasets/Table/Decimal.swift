// SPDX-License-Identifier: Apache-2.0

/// Reads decimal numbers from bytes.
struct Decimal {
  /// The powers of ten that are exact in double precision.
  private let powers: [Double] = (0...22).map { exponent in
    (0..<exponent).reduce(1) { power, _ in power * 10 }
  }

  /// The number of a field, and where the field ends: at a delimiter or at the row's end.
  ///
  /// Digits with a point, a sign and an exponent; blanks may be around. The value is the nearest in double
  /// precision.
  /// - Returns: Nothing if the field is no such number.
  func value(
    in bytes: [UInt8], from start: Int, to end: Int, delimiter: UInt8
  ) -> (value: Double, end: Int)? {
    var index = start
    while index < end, FieldCursor.isBlank(bytes[index]), bytes[index] != delimiter { index += 1 }
    let first = index
    var isNegative = false
    if index < end {
      if bytes[index] == UInt8(ascii: "-") {
        isNegative = true
        index += 1
      } else if bytes[index] == UInt8(ascii: "+") {
        index += 1
      }
    }
    var mantissa: UInt64 = 0
    var (digits, exponent) = (0, 0)
    var hasDigits = false
    while index < end {
      let digit = bytes[index] &- 48
      guard digit < 10 else { break }
      hasDigits = true
      if digits < 19 { mantissa = mantissa &* 10 &+ UInt64(digit) }
      if mantissa != 0 { digits += 1 }
      index += 1
    }
    if index < end, bytes[index] == UInt8(ascii: ".") {
      index += 1
      while index < end {
        let digit = bytes[index] &- 48
        guard digit < 10 else { break }
        hasDigits = true
        if digits < 19 {
          mantissa = mantissa &* 10 &+ UInt64(digit)
          exponent -= 1
        }
        if mantissa != 0 { digits += 1 }
        index += 1
      }
    }
    guard hasDigits else { return nil }
    if index < end, bytes[index] | 0x20 == UInt8(ascii: "e") {
      guard let (power, next) = Self.exponent(in: bytes, from: index + 1, to: end) else {
        return nil
      }
      exponent += power
      index = next
    }
    let last = index
    while index < end, bytes[index] != delimiter {
      guard FieldCursor.isBlank(bytes[index]) else { return nil }
      index += 1
    }
    // Both are exact then, and one operation rounds once (Clinger 1990).
    if digits <= 19, mantissa <= 1 << 53, exponent >= -22, exponent <= 22 {
      let whole = Double(mantissa)
      let value = exponent < 0 ? whole / powers[-exponent] : whole * powers[exponent]
      return (isNegative ? -value : value, index)
    }
    guard let value = Double(String(decoding: bytes[first..<last], as: UTF8.self)) else {
      return nil
    }
    return (value, index)
  }

  private static func exponent(
    in bytes: [UInt8], from start: Int, to end: Int
  ) -> (power: Int, end: Int)? {
    var index = start
    var isNegative = false
    if index < end, bytes[index] == UInt8(ascii: "-") || bytes[index] == UInt8(ascii: "+") {
      isNegative = bytes[index] == UInt8(ascii: "-")
      index += 1
    }
    var power = 0
    let first = index
    while index < end, bytes[index] &- 48 < 10 {
      power = min(power * 10 + Int(bytes[index] &- 48), 100_000)
      index += 1
    }
    return index == first ? nil : (isNegative ? -power : power, index)
  }
}
