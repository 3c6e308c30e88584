// SPDX-License-Identifier: Apache-2.0
import CKernels
import Foundation
import LCWNumerics
import Testing

/// The value of a 16-bit float by its definition, in double precision, which holds all exactly.
private func value(of bits: UInt16, exponentBits: Int) -> Double {
  let mantissaBits = 15 - exponentBits
  let sign: Double = bits >> 15 == 1 ? -1 : 1
  let exponent = Int(bits >> mantissaBits) & (1 << exponentBits - 1)
  let mantissa = Double(Int(bits) & (1 << mantissaBits - 1)) / Double(1 << mantissaBits)
  let bias = 1 << (exponentBits - 1) - 1
  switch exponent {
  case 1 << exponentBits - 1: return mantissa == 0 ? sign * .infinity : .nan
  case 0: return sign * mantissa * pow(2, Double(1 - bias))
  default: return sign * (1 + mantissa) * pow(2, Double(exponent - bias))
  }
}

@Suite struct ConversionTests {
  /// One of the two formats of 16 bits.
  struct Format: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var exponentBits: Int
    var widen: @Sendable ([UInt16]) -> [Float]
    var narrow: @Sendable ([Float]) -> [UInt16]
    /// The pattern of infinity.
    var infinity: UInt16

    func value(_ bits: UInt16) -> Double {
      LCWNumericsTests.value(of: bits, exponentBits: exponentBits)
    }
  }

  static let formats = [
    Format(
      testDescription: "half", exponentBits: 5,
      widen: { halves in
        var floats = [Float](repeating: 0, count: halves.count)
        lcw_half_to_float(&floats, halves, halves.count)
        return floats
      },
      narrow: { floats in
        var halves = [UInt16](repeating: 0, count: floats.count)
        lcw_float_to_half(&halves, floats, floats.count)
        return halves
      }, infinity: 0x7C00),
    Format(
      testDescription: "bfloat", exponentBits: 8,
      widen: { halves in
        var floats = [Float](repeating: 0, count: halves.count)
        lcw_bfloat_to_float(&floats, halves, halves.count)
        return floats
      },
      narrow: { floats in
        var halves = [UInt16](repeating: 0, count: floats.count)
        lcw_float_to_bfloat(&halves, floats, floats.count)
        return halves
      }, infinity: 0x7F80),
  ]

  @Test(arguments: formats) func everyPatternWidensToItsValueAndBack(format: Format) {
    let patterns = (0...UInt16.max).map { $0 }
    let floats = format.widen(patterns)
    let wrong = zip(patterns, floats).filter { bits, float in
      let expected = format.value(bits)
      return expected.isNaN
        ? !float.isNaN : Double(float) != expected || (float.sign == .minus) != (bits >> 15 == 1)
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(5))")
    let back = format.narrow(floats)
    let lost = patterns.indices.filter {
      floats[$0].isNaN ? !format.value(back[$0]).isNaN : back[$0] != patterns[$0]
    }
    #expect(lost.isEmpty, "\(lost.prefix(5))")
  }

  @Test(arguments: formats) func floatsRoundToTheNearestAndTiesToEven(format: Format) {
    // Between each two neighbours: the middle, and the floats just below and above it.
    for lower in 0..<format.infinity - 1 {
      let (a, b) = (format.value(lower), format.value(lower + 1))
      let middle = Float((a + b) / 2)
      let even = lower % 2 == 0 ? lower : lower + 1
      let inputs = [middle, middle.nextDown, middle.nextUp, -middle]
      let expected = [even, lower, lower + 1, even | 0x8000]
      let found = format.narrow(inputs)
      if found != expected {
        Issue.record("around \(middle): \(found), not \(expected)")
        return
      }
    }
  }

  @Test(arguments: formats) func whatIsTooLargeBecomesInfinite(format: Format) {
    let largest = format.value(format.infinity - 1)
    let step = largest - format.value(format.infinity - 2)
    // In float arithmetic the middle between bfloat's largest and 2¹²⁸ is exact too.
    let middle = Float(largest + step / 2)
    let found = format.narrow([middle.nextDown, middle, .infinity, -.infinity])
    #expect(
      found == [
        format.infinity - 1, format.infinity, format.infinity, format.infinity | 0x8000,
      ])
  }

  @Test(arguments: formats) func notANumberStaysSo(format: Format) {
    let patterns: [UInt32] = [0x7FC0_0000, 0x7F80_0001, 0xFFFF_FFFF, 0x7FFF_FFFF, 0xFF80_0001]
    let found = format.narrow(patterns.map(Float.init(bitPattern:)))
    #expect(found.allSatisfy { format.value($0).isNaN })
    #expect(found.map { $0 >> 15 } == [0, 0, 1, 0, 1])
  }
}
