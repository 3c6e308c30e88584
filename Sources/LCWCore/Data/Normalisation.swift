// SPDX-License-Identifier: Apache-2.0

/// What is done to the values of samples before a network sees them:
/// value = (raw · scale − mean) / deviation.
///
/// Mean and deviation are numbers that are known, one for all channels or one for each, or the moments of
/// the training samples. Users say it with ``NormalisationOptions``; ``values(of:sampleShape:name:training:)``
/// does it.
public struct Normalisation: Sendable, Hashable {
  /// Where mean and deviation come from.
  public enum Moments: Sendable, Hashable {
    /// Numbers, one for all channels or one for each.
    case given(mean: [Fraction], deviation: [Fraction])
    /// Those of the training samples, which are computed from them; test samples get the same ones.
    case training(SampleMoments.Grouping)
  }

  /// What raw values are multiplied by, one number for all channels or one for each.
  public let scale: [Fraction]
  /// What is subtracted after that, and what the difference is divided by.
  public let moments: Moments

  /// A normalisation that is known to be possible; ``NormalisationOptions`` checks what users say.
  /// - Parameters:
  ///   - scale: One factor, or one for each channel; not 0.
  ///   - moments: Deviations are positive.
  public init(
    scale: [Fraction], moments: Moments = .given(mean: [Fraction(0)], deviation: [Fraction(1)])
  ) {
    self.scale = scale
    self.moments = moments
  }

  /// Whether it leaves values as they are.
  public var isIdentity: Bool {
    guard case .given(let mean, let deviation) = moments else { return false }
    return mean.allSatisfy { $0.value == 0 }
      && (scale + deviation).allSatisfy { $0.value == 1 }
  }

  /// The formula in words for the record, such as `(pixel / 255 − 0.1307) / 0.3081`.
  /// - Parameter raw: What one raw value is called: `pixel`, `value`.
  public func text(of raw: String) -> String {
    var lists: [String] = []
    func text(_ numbers: [Fraction], _ name: String) -> String {
      guard numbers.count > 1 else { return "\(numbers[0])" }
      lists.append("\(name) (\(numbers.map { "\($0)" }.joined(separator: ", ")))")
      return name
    }
    let scaled = scale.count > 1 ? "\(raw) · \(text(scale, "scale"))" : scale[0].applied(to: raw)
    switch moments {
    case .training(let grouping):
      let moments =
        "(\(scaled) − mean) / deviation with mean and deviation of the training samples, "
        + "one for each \(grouping == .channel ? "channel" : raw)"
      return lists.isEmpty ? moments : "\(moments), and \(lists[0])"
    case .given(let mean, let deviation):
      let isShifted = mean.contains { $0.value != 0 }
      let isDivided = deviation.contains { $0.value != 1 }
      var formula = scaled
      if isShifted { formula = "\(formula) − \(text(mean, "mean"))" }
      if isDivided {
        formula = isShifted ? "(\(formula))" : formula
        formula += " / \(text(deviation, "deviation"))"
      }
      guard let last = lists.last else { return formula }
      let others = lists.dropLast().joined(separator: ", ")
      return "\(formula) with " + (others.isEmpty ? last : "\(others) and \(last)")
    }
  }
}

/// A number as a user writes it: `0.1307`, or `1/255`, which has no short decimals.
public struct Fraction: Sendable, Hashable, CustomStringConvertible {
  /// What is divided.
  public let numerator: Double
  /// What it is divided by: 1, or a positive integer.
  public let denominator: Double

  /// A fraction.
  public init(_ numerator: Double, over denominator: Double = 1) {
    self.numerator = numerator
    self.denominator = denominator
  }

  /// A finite number, or two integers with a slash between, of which the second is positive.
  public init?(text: some StringProtocol) {
    let sides = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    if sides.count == 2 {
      // Two numbers with decimals are more likely to be those of two channels than a fraction.
      guard let above = Int32(sides[0]), let below = Int32(sides[1]), below > 0 else { return nil }
      self.init(Double(above), over: Double(below))
    } else {
      guard let value = Double(text), value.isFinite else { return nil }
      self.init(value)
    }
  }

  /// The number.
  public var value: Double { numerator / denominator }

  /// The text that means this number.
  public var description: String {
    denominator == 1 ? "\(numerator)" : "\(Int(numerator))/\(Int(denominator))"
  }

  /// A factor with what it multiplies: `pixel / 255`, `pixel · 0.5`.
  fileprivate func applied(to raw: String) -> String {
    if value == 1 { return raw }
    guard denominator != 1 else { return "\(raw) · \(numerator)" }
    let product = numerator == 1 ? raw : "\(raw) · \(Int(numerator))"
    return "\(product) / \(Int(denominator))"
  }
}
