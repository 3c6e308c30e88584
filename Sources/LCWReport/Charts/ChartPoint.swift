// SPDX-License-Identifier: Apache-2.0

/// A point of a chart.
public struct ChartPoint: Sendable, Hashable {
  /// To the right.
  public var x: Double
  /// Upwards.
  public var y: Double

  /// A point.
  public init(_ x: Double, _ y: Double) {
    self.x = x
    self.y = y
  }

  /// Whether both coordinates are finite, and small enough for their differences to be finite too.
  var isDrawable: Bool { x.isDrawable && y.isDrawable }
}

extension Double {
  /// Whether a chart can show the number: finite, with room for a range around it.
  var isDrawable: Bool { magnitude < 1e300 }
}
