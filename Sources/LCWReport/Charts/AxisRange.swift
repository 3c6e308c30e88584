// SPDX-License-Identifier: Apache-2.0

/// The ranges that axes show.
enum AxisRange {
  /// The smallest range of all values, or nothing if there are none.
  static func hull(_ values: some Sequence<Double>) -> ClosedRange<Double>? {
    var low = Double.infinity
    var high = -Double.infinity
    for value in values {
      low = min(low, value)
      high = max(high, value)
    }
    return low <= high ? low...high : nil
  }

  /// A range around `range` that is wide enough for ticks: one value alone gets room on both sides.
  static func opened(_ range: ClosedRange<Double>, format: AxisTicks.Format)
    -> ClosedRange<Double>
  {
    let (low, high) = (range.lowerBound, range.upperBound)
    let size = max(low.magnitude, high.magnitude)
    if high - low > max(size * 1e-9, 1e-280) { return range }
    if format == .percent, low >= 0, high <= 1 {
      return max(low - 0.005, 0)...min(high + 0.005, 1)
    }
    let room = size > 1e-270 ? size * 0.05 : 1
    return low - room...high + room
  }

  /// `range` with a share of its width more on either side. Fractions do not leave 0…1 for it, nor
  /// do numbers that are not negative fall below 0.
  static func padded(
    _ range: ClosedRange<Double>, by share: Double, format: AxisTicks.Format
  ) -> ClosedRange<Double> {
    let room = (range.upperBound - range.lowerBound) * share
    var low = range.lowerBound - room
    var high = range.upperBound + room
    if range.lowerBound >= 0 { low = max(low, 0) }
    if format == .percent, range.upperBound <= 1 { high = min(high, 1) }
    return low...high
  }
}

/// From a range of values to a stretch of a chart.
struct AxisScale {
  let range: ClosedRange<Double>
  let start: Double
  let end: Double
  /// Parts of the range that take less room than others; they do not overlap.
  let narrow: [ClosedRange<Double>]
  /// The room that a narrow part takes, as a share of what it would.
  private static let narrowShare = 0.15

  /// - Parameters:
  ///   - narrow: Parts of the range that take little room.
  ///   - start: Where the range's lower bound lies.
  ///   - end: Where the upper bound lies.
  init(
    _ range: ClosedRange<Double>, narrow: [ClosedRange<Double>] = [], start: Double, end: Double
  ) {
    self.range = range
    self.narrow = narrow
    self.start = start
    self.end = end
  }

  func callAsFunction(_ value: Double) -> Double {
    let share = room(before: value) / room(before: range.upperBound)
    return start + share * (end - start)
  }

  /// What lies between the range's lower bound and a value, narrow parts counted as little as they take.
  private func room(before value: Double) -> Double {
    narrow.reduce(value - range.lowerBound) { room, part in
      let within = min(value, part.upperBound) - max(range.lowerBound, part.lowerBound)
      return room - (1 - AxisScale.narrowShare) * max(0, within)
    }
  }
}
