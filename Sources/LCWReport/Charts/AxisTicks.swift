// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore

/// Round values along an axis: multiples of 1, 2 or 5 times a power of ten.
public struct AxisTicks: Sendable, Hashable {
  /// How an axis writes its numbers.
  public enum Format: Sendable, Hashable {
    /// As they are.
    case number
    /// Fractions as percentages.
    case percent
    /// Whole numbers of things, between which there is nothing.
    case count
    /// Logarithms to base ten, written as the numbers whose logarithms they are.
    case powerOfTen
  }

  /// The values, ascending.
  public let values: [Double]
  /// Their texts, all with the same decimals; a minus is U+2212.
  public let labels: [String]

  /// The ticks within a range.
  ///
  /// None if the range is not finite or too narrow for its numbers to be told apart.
  /// - Parameters:
  ///   - range: What the axis shows.
  ///   - limit: How many ticks there may be at most; clamped to 2 or more. The finest step that
  ///     keeps to it is taken.
  ///   - format: How the numbers are written.
  public init(in range: ClosedRange<Double>, atMost limit: Int, format: Format = .number) {
    let factor: Double = format == .percent ? 100 : 1
    let low = range.lowerBound * factor
    let high = range.upperBound * factor
    let limit = max(limit, 2)
    guard (high - low).isFinite, high > low,
      high - low > max(low.magnitude, high.magnitude) * 1e-12, high - low > 1e-290
    else {
      values = []
      labels = []
      return
    }
    guard format != .powerOfTen else {
      let ticks = AxisTicks.powers(from: low, through: high, atMost: limit)
      values = ticks.map(\.value)
      labels = ticks.map(\.label)
      return
    }
    let finest = AxisTicks.decimalExponent(of: (high - low)) - 2
    var step = AxisTicks.Step(exponent: format == .count ? max(0, finest) : finest)
    while step.count(from: low, through: high) > limit { step.coarsen() }
    let multiples = step.multiples(from: low, through: high)
    values = multiples.map { step.value($0) / factor }
    let sign = format == .percent ? "%" : ""
    labels = multiples.map { step.label($0) + sign }
  }

  /// Logarithms of 1, 2 and 5 times powers of ten, or of fewer of these, as many as keep to the limit.
  private static func powers(
    from low: Double, through high: Double, atMost limit: Int
  ) -> [(value: Double, label: String)] {
    func ticks(_ mantissas: [Int], every exponents: Int) -> [(value: Double, label: String)] {
      guard low > -300, high < 300 else { return [] }
      return (Int(low.rounded(.down))...Int(high.rounded(.up)))
        .filter { $0.isMultiple(of: exponents) }
        .flatMap { exponent in
          mantissas.map { mantissa in
            let step = Step(mantissa: mantissa, exponent: exponent)
            return (log10(Double(mantissa)) + Double(exponent), step.label(1))
          }
        }
        .filter { (low - 1e-9...high + 1e-9).contains($0.value) }
    }
    let choices = [([1, 2, 5], 1), ([1], 1), ([1], 2), ([1], 5), ([1], 10), ([1], 50), ([1], 100)]
    let found = choices.lazy.map { ticks($0, every: $1) }.first { $0.count <= limit } ?? []
    guard found.count < 2 else { return found }
    // Within less than such a step, round numbers are as good.
    let numbers = AxisTicks(in: pow(10, low)...pow(10, high), atMost: limit)
    return zip(numbers.values, numbers.labels).filter { $0.0 > 0 }.map { (log10($0), $1) }
  }

  /// The largest e with 10ᵉ ≤ value, for a positive value.
  private static func decimalExponent(of value: Double) -> Int {
    var exponent = 0
    while power(exponent) > value { exponent -= 1 }
    while power(exponent + 1) <= value { exponent += 1 }
    return exponent
  }

  private static func power(_ exponent: Int) -> Double { Double("1e\(exponent)") ?? .infinity }

  private struct Step {
    var mantissa = 1
    var exponent: Int

    mutating func coarsen() {
      switch mantissa {
      case 1: mantissa = 2
      case 2: mantissa = 5
      default:
        mantissa = 1
        exponent += 1
      }
    }

    /// A multiple of the step; dividing by a power of ten rounds once, so 3 · 0.1 is 0.3.
    func value(_ multiple: Int) -> Double {
      let whole = Double(multiple * mantissa)
      return exponent < 0
        ? whole / AxisTicks.power(-exponent) : whole * AxisTicks.power(exponent)
    }

    func multiples(from low: Double, through high: Double) -> [Int] {
      let size = value(1)
      // A bound that is a multiple but for its rounding still counts.
      let slack = 1e-9
      let first = Int((low / size - slack).rounded(.up))
      let last = Int((high / size + slack).rounded(.down))
      return first > last ? [] : Array(first...last)
    }

    func count(from low: Double, through high: Double) -> Int {
      multiples(from: low, through: high).count
    }

    func label(_ multiple: Int) -> String {
      let digits = multiple * mantissa
      let sign = digits < 0 ? "−" : ""
      if digits == 0 { return "0" }
      if exponent < -6 || exponent > 5 {
        return "\(sign)\(digits.magnitude)e\(exponent)".replacingHyphen
      }
      if exponent >= 0 {
        return sign + "\(digits.magnitude)" + String(repeating: "0", count: exponent)
      }
      return sign
        + String.decimal(UInt128(digits.magnitude), decimals: -exponent, isNegative: false)
    }
  }
}

extension String {
  fileprivate var replacingHyphen: String { String(map { $0 == "-" ? "−" : $0 }) }
}
