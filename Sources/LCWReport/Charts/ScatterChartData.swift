// SPDX-License-Identifier: Apache-2.0

/// The ranges of a scatter chart and what they leave out.
struct ScatterChartData {
  let xRange: ClosedRange<Double>
  let yRange: ClosedRange<Double>
  /// The points with a coordinate that is not finite.
  let skippedCount: Int
  /// The points beyond the axes.
  let outlierCount: Int
  let pointCount: Int
  /// Whether some group is too large to be drawn whole.
  let isThinned: Bool

  init(_ chart: ScatterChart) {
    let groups = chart.panels.flatMap(\.groups)
    let all = groups.flatMap(\.points)
    let points = all.filter(\.isDrawable)
    var x = ScatterChartData.range(of: points.map(\.x))
    var y = ScatterChartData.range(of: points.map(\.y))
    if chart.hasEqualScales {
      let span = max(x.upperBound - x.lowerBound, y.upperBound - y.lowerBound)
      x = ScatterChartData.widened(x, to: span)
      y = ScatterChartData.widened(y, to: span)
    }
    (xRange, yRange) = (x, y)
    pointCount = all.count
    skippedCount = all.count - points.count
    outlierCount = points.count { !x.contains($0.x) || !y.contains($0.y) }
    isThinned = groups.contains { $0.points.count(where: \.isDrawable) > ScatterChart.pointLimit }
  }

  /// How much wider than its middle 99 % the data may be and still be shown whole.
  private static let stretchLimit = 1.5

  private static func range(of values: [Double]) -> ClosedRange<Double> {
    let sorted = values.sorted()
    guard let first = sorted.first, let last = sorted.last else { return 0...1 }
    let end = Double(sorted.count - 1)
    let low = sorted[Int((end * 0.005).rounded(.down))]
    let high = sorted[Int((end * 0.995).rounded(.up))]
    let isCompact = last - first <= stretchLimit * (high - low)
    let range = AxisRange.opened(isCompact ? first...last : low...high, format: .number)
    let room = (range.upperBound - range.lowerBound) * 0.04
    return range.lowerBound - room...range.upperBound + room
  }

  private static func widened(
    _ range: ClosedRange<Double>, to span: Double
  ) -> ClosedRange<Double> {
    let room = max((span - (range.upperBound - range.lowerBound)) / 2, 0)
    return range.lowerBound - room...range.upperBound + room
  }

  /// What the chart does not show, in words.
  var notes: [String] {
    var notes: [String] = []
    if outlierCount > 0 {
      notes.append(
        "\(outlierCount) of \(pointCount) points \(outlierCount == 1 ? "lies" : "lie") beyond the"
          + " axes, which show the middle 99% in each direction.")
    }
    if skippedCount > 0 {
      notes.append(
        skippedCount == 1
          ? "One point is not finite and is left out."
          : "\(skippedCount) points are not finite and are left out.")
    }
    if isThinned {
      notes.append("Of groups above \(ScatterChart.pointLimit) points, as many are drawn.")
    }
    return notes
  }
}
