// SPDX-License-Identifier: Apache-2.0
import LCWCore

extension Table {
  /// What stands in a cell. People see rounded numbers, machines (CSV, JSON) all digits.
  public enum Cell: Sendable, Hashable {
    /// Text.
    case text(String)
    /// A whole number.
    case integer(Int)
    /// A number, shown with so many decimals.
    case number(Double, decimals: Int)
    /// A number, shown with so many significant digits, however large or small it is.
    case significant(Double, digits: Int)
    /// A fraction, shown as a percentage with so many decimals; machines get the fraction.
    case percent(Double, decimals: Int)
    /// A mean and a standard deviation, `mean ± deviation`, both shown with so many decimals.
    case meanDeviation(mean: Double, deviation: Double, decimals: Int)
    /// A mean and a standard deviation of fractions, shown as percentages, `97.1 ± 0.3%`; machines
    /// get the fractions.
    case percentMeanDeviation(mean: Double, deviation: Double, decimals: Int)
    /// Nothing: shown as a dash, an empty field in CSV, left out in JSON.
    case empty
  }
}

extension Table.Cell: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
  /// Text.
  public init(stringLiteral value: String) { self = .text(value) }
  /// A whole number.
  public init(integerLiteral value: Int) { self = .integer(value) }
}

extension Table.Cell {
  /// The cell as people see it, on one line.
  public var displayText: String {
    switch self {
    case .text(let text): text.singleLine
    case .integer(let value): "\(value)"
    case .number(let value, let decimals): String(value, decimals: decimals)
    case .significant(let value, let digits): String(value, significantDigits: digits)
    case .percent(let value, let decimals): String(percent: value, decimals: decimals)
    case .meanDeviation(let mean, let deviation, let decimals):
      "\(String(mean, decimals: decimals)) ± \(String(deviation, decimals: decimals))"
    case .percentMeanDeviation(let mean, let deviation, let decimals):
      "\(String(mean * 100, decimals: decimals)) ± \(String(percent: deviation, decimals: decimals))"
    case .empty: "–"
    }
  }

  /// The mean and the deviation, if the cell has both.
  var moments: (mean: Double, deviation: Double)? {
    switch self {
    case .meanDeviation(let mean, let deviation, _),
      .percentMeanDeviation(let mean, let deviation, _):
      (mean, deviation)
    case .text, .integer, .number, .significant, .percent, .empty: nil
    }
  }
}
