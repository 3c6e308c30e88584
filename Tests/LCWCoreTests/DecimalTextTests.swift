// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import Testing

struct DecimalTextTests {
  static let cases: [(value: Double, decimals: Int, expected: String)] = [
    (0.125, 2, "0.12"), (0.375, 2, "0.38"), (0.5, 0, "0"), (1.5, 0, "2"), (2.5, 0, "2"),
    (0.285, 2, "0.28"), (1.005, 2, "1.00"), (-0.125, 2, "-0.12"), (-1.5, 0, "-2"),
    (-0.001, 2, "0.00"), (-0.0, 1, "0.0"), (0, 3, "0.000"), (99.995, 2, "100.00"),
    (123456.789, 1, "123456.8"), (0.1, 20, "0.10000000000000000555"), (3, 0, "3"),
    (1e-300, 4, "0.0000"), (.leastNonzeroMagnitude, 2, "0.00"),
    (999_999_999_999_999.9, 1, "999999999999999.9"),
    (1e15, 2, "1000000000000000.0"), (-1e300, 2, "-1e+300"), (.nan, 2, "nan"),
    (.infinity, 2, "inf"),
    (-.infinity, 2, "-inf"), (0.25, -1, "0"),
  ]

  @Test(arguments: cases)
  func fixedDecimals(value: Double, decimals: Int, expected: String) {
    #expect(String(value, decimals: decimals) == expected)
  }

  @Test func agreesWithPrintf() {
    var state: UInt64 = 7
    for _ in 0..<2000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let exponent = Double(state >> 32 & 31) - 16
      let value = (Double(state >> 11) / 0x1p53 - 0.5) * pow(10, exponent / 2)
      let decimals = Int(state >> 8 & 7)
      let expected = String(format: "%.\(decimals)f", value)
      let isNegativeZero =
        expected.hasPrefix("-") && !expected.contains { "123456789".contains($0) }
      #expect(
        String(value, decimals: decimals)
          == (isNegativeZero ? String(expected.dropFirst()) : expected))
    }
  }

  @Test func percentages() {
    #expect(String(percent: 0.9712, decimals: 1) == "97.1%")
    #expect(String(percent: 1, decimals: 0) == "100%")
    #expect(String(percent: .nan, decimals: 1) == "nan")
  }

  @Test func significantDigitsOfAnySize() {
    for (value, text) in [
      (1e-9, "1e-09"), (0.1, "0.1"), (123456.7, "123457"), (1234567, "1.23457e+06"), (0, "0"),
      (-0.0, "0"), (-2.5, "-2.5"), (.nan, "nan"), (-.infinity, "-inf"),
    ] as [(Double, String)] {
      #expect(String(value, significantDigits: 6) == text)
    }
  }
}
