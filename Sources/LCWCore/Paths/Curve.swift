// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The coefficients cⱼ(t) with which fixed tensors combine along a path, for t in 0...1.
///
/// At t = 0 and t = 1 they are exactly 0 and 1, so that a path's ends are the given weights.
public enum Curve: Sendable, Hashable {
  /// (1 − t, t): from the first tensor to the second.
  case line
  /// (1 − c − s, c, s) with c = cos(πt/2), s = sin(πt/2): from the second tensor to the third,
  /// around the first. Anokhin and Yarotsky 2020, "Arc".
  case arc
  /// Hat functions of `points` tensors at equal distances: a polygonal chain.
  case chain(points: Int)
  /// The Bernstein polynomials of `points` tensors: a Bézier curve.
  case bezier(points: Int)

  /// The number of tensors that the curve combines.
  public var count: Int {
    switch self {
    case .line: 2
    case .arc: 3
    case .chain(let points), .bezier(let points): points
    }
  }

  /// The coefficients at t.
  public func coefficients(at t: Double) -> [Double] {
    switch self {
    case .line: return [1 - t, t]
    case .arc:
      if t == 0 { return [0, 1, 0] }
      if t == 1 { return [0, 0, 1] }
      let (c, s) = (cos(.pi * t / 2), sin(.pi * t / 2))
      return [1 - c - s, c, s]
    case .chain(let points):
      let position = t * Double(points - 1)
      return (0..<points).map { max(0, 1 - abs(position - Double($0))) }
    case .bezier(let points):
      let degree = points - 1
      // Rounding along the way leaves the last of many binomials a little off 1.
      if t == 1 { return (0...degree).map { $0 == degree ? 1 : 0 } }
      var binomial = 1.0
      return (0...degree).map { k in
        defer { binomial *= Double(degree - k) / Double(k + 1) }
        return binomial * pow(t, Double(k)) * pow(1 - t, Double(degree - k))
      }
    }
  }
}

extension Curve: CustomStringConvertible {
  /// The curve as archives name it: `line`, `arc`, `chain 3`, `bezier 3`.
  public var description: String {
    switch self {
    case .line: "line"
    case .arc: "arc"
    case .chain(let points): "chain \(points)"
    case .bezier(let points): "bezier \(points)"
    }
  }

  /// The curve that archives name so.
  public init?(_ text: String) {
    let words = text.split(separator: " ")
    switch (words.first, words.count) {
    case ("line", 1): self = .line
    case ("arc", 1): self = .arc
    case ("chain", 2), ("bezier", 2):
      guard let points = Int(words[1]), (2...64).contains(points) else { return nil }
      self = words[0] == "chain" ? .chain(points: points) : .bezier(points: points)
    default: return nil
    }
  }
}
