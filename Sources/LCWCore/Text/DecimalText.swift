// SPDX-License-Identifier: Apache-2.0
import Foundation

extension String {
  /// A number with a fixed count of decimals, the same in every locale: `-0.50`, `97.13`.
  ///
  /// The exact binary value is rounded to nearest, and a tie goes to the even digit, as C's
  /// `printf` and Python do: 0.125 gives `0.12`, 0.375 gives `0.38`. A result of zero has no sign.
  /// From 10¹⁵ on the shortest text that gives the number back stands instead; a number that is
  /// not finite is `nan`, `inf` or `-inf`.
  /// - Parameter decimals: Digits behind the point, clamped to 0…22.
  public init(_ value: Double, decimals: Int) {
    guard value.isFinite, value.magnitude < 1e15 else {
      // A NaN may have a sign, which says nothing.
      self = value.isNaN ? "nan" : "\(value)"
      return
    }
    let decimals = Swift.min(Swift.max(decimals, 0), 22)
    // 10²² < 2⁷⁴ and the significand is below 2⁵³, so the product is exact in 128 bits.
    var scale: UInt128 = 1
    for _ in 0..<decimals { scale *= 10 }
    let biasedExponent = Int(value.exponentBitPattern)
    let isNormal = biasedExponent > 0
    let significand = UInt128(value.significandBitPattern | (isNormal ? 1 << 52 : 0))
    // Below 10¹⁵ the point lies within the significand or left of it: the shift is positive.
    let shift = 1075 - Swift.max(biasedExponent, 1)
    let digits = String.roundedShift(significand * scale, by: shift)
    self = String.decimal(digits, decimals: decimals, isNegative: value < 0)
  }

  /// A number with so many significant digits, the same in every locale: `0.0125`, `1.5e-09`,
  /// `123457`. Zeros at the end of the fraction are left out, as by C's `%g`.
  public init(_ value: Double, significantDigits: Int) {
    guard value.isFinite else {
      self = value.isNaN ? "nan" : "\(value)"
      return
    }
    self.init(format: "%.\(Swift.max(significantDigits, 1))g", value == 0 ? 0 : value)
  }

  /// A fraction as a percentage: 0.97125 with one decimal is `97.1%`.
  ///
  /// The hundredfold is rounded, as ``init(_:decimals:)`` does; what is not finite has no sign `%`.
  public init(percent fraction: Double, decimals: Int) {
    let number = String(fraction * 100, decimals: decimals)
    self = fraction.isFinite ? number + "%" : number
  }

  /// `digits` · 10^-`decimals`; zero is never negative.
  package static func decimal(_ digits: UInt128, decimals: Int, isNegative: Bool) -> String {
    var text = "\(digits)"
    if decimals > 0 {
      text = String(repeating: "0", count: Swift.max(0, decimals + 1 - text.count)) + text
      text.insert(".", at: text.index(text.endIndex, offsetBy: -decimals))
    }
    return isNegative && digits > 0 ? "-" + text : text
  }

  private static func roundedShift(_ value: UInt128, by shift: Int) -> UInt128 {
    // The value is below 2¹²⁷, so that a longer shift leaves less than a half.
    if shift > 127 { return 0 }
    let quotient = value >> UInt128(shift)
    let rest = value & ((1 << UInt128(shift)) - 1)
    let half: UInt128 = 1 << UInt128(shift - 1)
    let isUp = rest > half || rest == half && quotient % 2 == 1
    return isUp ? quotient + 1 : quotient
  }
}
