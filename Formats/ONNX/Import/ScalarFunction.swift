// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A function of one number as its values at some points.
///
/// Exporters write one activation in many ways, x·Φ(x) with the half before or behind the error function,
/// say. Two that agree at all of these points, from −10³⁸ to 10³⁸, are the same to single precision, and
/// that is how they are told.
struct ScalarFunction: Hashable {
  /// The values at ``points``.
  let values: [Double]

  /// Where functions are compared.
  static let points: [Double] = {
    let sizes = [
      1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 0.3, 0.5, 0.8, 1, 1.2, 1.5, 2, 2.7, 2.95, 3, 3.05, 3.5,
      4.2, 5, 5.9, 6, 6.1, 7, 8,
      10,
      20, 50, 1e3, 1e6, 1e12, 1e25, 1e38,
    ]
    return sizes.reversed().map { -$0 } + [0] + sizes
  }()

  private init(values: [Double]) {
    self.values = values
  }

  /// A function by its formula.
  init(_ formula: (Double) -> Double) {
    values = Self.points.map(formula)
  }

  /// x itself.
  static let identity = ScalarFunction { $0 }

  /// The function of this one's values.
  func then(_ formula: (Double) -> Double) -> ScalarFunction {
    ScalarFunction(values: values.map(formula))
  }

  /// This function's values combined with another's.
  func with(_ other: ScalarFunction, _ formula: (Double, Double) -> Double) -> ScalarFunction {
    ScalarFunction(values: zip(values, other.values).map(formula))
  }

  /// Whether two functions agree at all points, but for the rounding of constants to single precision.
  func agrees(with other: ScalarFunction) -> Bool {
    // Beside what the function is at all, not beside 1: a small one is not the one that is 0.
    let size = min(
      1, zip(Self.points, values).reduce(0) { abs($1.0) <= 10 ? max($0, abs($1.1)) : $0 })
    return zip(values, other.values).allSatisfy { a, b in
      a == b || abs(a - b) <= 2e-6 * max(size, abs(a), abs(b)) && !a.isInfinite && !b.isInfinite
    }
  }

  /// The value at a point that functions are compared at.
  func value(at point: Double) -> Double {
    Self.points.firstIndex(of: point).map { values[$0] } ?? .nan
  }

  // MARK: Formulas

  /// e to the x.
  static func exponential(_ x: Double) -> Double { exp(x) }
  /// The natural logarithm.
  static func logarithm(_ x: Double) -> Double { log(x) }
  /// x to the y.
  static func power(_ x: Double, _ y: Double) -> Double { pow(x, y) }
  /// The error function.
  static func error(_ x: Double) -> Double { erf(x) }
  /// 1/(1 + e⁻ˣ)
  static func logistic(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
  /// The hyperbolic tangent.
  static func tangent(_ x: Double) -> Double { tanh(x) }
  /// x·Φ(x)
  static func gelu(_ x: Double) -> Double { 0.5 * x * (1 + erf(x / 2.0.squareRoot())) }
  /// x·Φ(x) where Φ is approximated by tanh.
  static func geluTangent(_ x: Double) -> Double {
    0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
  }
  /// x between bounds.
  static func clip(_ x: Double, _ lower: Double, _ upper: Double) -> Double {
    min(max(x, lower), upper)
  }

  // MARK: What it is called here

  /// What a function is in the words of networks.
  enum Meaning: Equatable {
    /// x itself.
    case identity
    /// An operation without parameters.
    case operation([String])
    /// A factor.
    case factor(Double)
    /// A factor and a summand.
    case line(factor: Double, summand: Double)
  }

  private static let known: [(words: [String], function: ScalarFunction)] = [
    (["relu"], ScalarFunction { max($0, 0) }),
    (["sigmoid"], ScalarFunction(logistic)),
    (["tanh"], ScalarFunction(tangent)),
    (["silu"], ScalarFunction { $0 * logistic($0) }),
    (["gelu"], ScalarFunction(gelu)),
    (["gelu", "tanh"], ScalarFunction(geluTangent)),
    (["hard-sigmoid"], ScalarFunction { clip($0 / 6 + 0.5, 0, 1) }),
    (["hard-swish"], ScalarFunction { $0 * clip($0 / 6 + 0.5, 0, 1) }),
  ]

  /// What the function is called; nothing if it is none of those that there are.
  var meaning: Meaning? {
    guard values.allSatisfy({ !$0.isNaN }) else { return nil }
    if agrees(with: .identity) { return .identity }
    if let known = Self.known.first(where: { agrees(with: $0.function) }) {
      return .operation(known.words)
    }
    return leaky ?? exponentialUnit ?? clipped ?? linear
  }

  private var leaky: Meaning? {
    let slope = -value(at: -1)
    let candidate = ScalarFunction { $0 >= 0 ? $0 : slope * $0 }
    return slope.isFinite && slope != 1 && agrees(with: candidate)
      ? .operation(["leaky-relu", Self.word(slope)]) : nil
  }

  private var exponentialUnit: Meaning? {
    let alpha = -value(at: -1e38)
    let candidate = ScalarFunction { $0 >= 0 ? $0 : alpha * (exp($0) - 1) }
    return alpha.isFinite && alpha > 0 && agrees(with: candidate)
      ? .operation(alpha == 1 ? ["elu"] : ["elu", Self.word(alpha)]) : nil
  }

  private var clipped: Meaning? {
    let (lower, upper) = (value(at: -1e38), value(at: 1e38))
    guard lower < upper, agrees(with: ScalarFunction { Self.clip($0, lower, upper) }) else {
      return nil
    }
    let largest = Double(Float.greatestFiniteMagnitude)
    return .operation([
      "clip", Self.word(lower == -1e38 ? -largest : lower),
      Self.word(upper == 1e38 ? largest : upper),
    ])
  }

  private var linear: Meaning? {
    let summand = value(at: 0)
    let factor = value(at: 1) - summand
    guard factor.isFinite, agrees(with: ScalarFunction { factor * $0 + summand }) else {
      return nil
    }
    return summand == 0 ? .factor(factor) : .line(factor: factor, summand: summand)
  }

  /// A number as the shortest text that means it in single precision.
  static func word(_ value: Double) -> String {
    let float = Float(value)
    // Its digits in single precision mean more than it when they are read as a double.
    if float.magnitude == .greatestFiniteMagnitude { return "\(Double(float))" }
    return Int(exactly: float).map { abs($0) < 1 << 24 ? "\($0)" : "\(float)" } ?? "\(float)"
  }
}
