// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore

/// The ranges a line chart shows.
struct LineChartData {
  let xRange: ClosedRange<Double>
  let yRange: ClosedRange<Double>

  init(_ chart: LineChart) {
    let points = chart.series.flatMap { $0.points + $0.marks.map(\.point) }.filter(\.isDrawable)
    let band = chart.series.flatMap(\.band).filter(\.isDrawable)
    let xs = points.map(\.x) + band.map(\.x)
    // Boundaries alone don't widen the axis beyond its data, but stand in where there are none.
    let boundaries = chart.boundaries.map(\.x).filter(\.isDrawable)
    let hull = AxisRange.hull(xs) ?? AxisRange.hull(boundaries)
    xRange = AxisRange.opened(hull ?? 0...1, format: .number)
    if let given = chart.yRange, given.lowerBound.isDrawable, given.upperBound.isDrawable {
      yRange = AxisRange.opened(given, format: chart.yFormat)
    } else {
      let levels = chart.references.map(\.y).filter(\.isDrawable)
      let ys = points.map(\.y) + band.flatMap { [$0.lower, $0.upper] } + levels
      let opened = AxisRange.opened(AxisRange.hull(ys) ?? 0...1, format: chart.yFormat)
      yRange = AxisRange.padded(opened, by: 0.06, format: chart.yFormat)
    }
  }

  /// The drawable stretches of a list, in order.
  static func runs<Element>(
    of elements: [Element], where isDrawable: (Element) -> Bool
  ) -> [[Element]] {
    elements.split(omittingEmptySubsequences: true) { !isDrawable($0) }.map(Array.init)
  }
}

/// What a line chart says in words, for those who cannot see it.
struct LineChartSummary {
  let chart: LineChart

  init(_ chart: LineChart) { self.chart = chart }

  /// Points of series and bands that can't be drawn.
  var skippedCount: Int {
    chart.series.reduce(0) { sum, series in
      sum + series.points.count { !$0.isDrawable } + series.band.count { !$0.isDrawable }
        + series.marks.count { !$0.point.isDrawable }
    }
  }

  /// The series that leave the range that was asked for.
  var namesBeyondRange: [String] {
    guard let range = chart.yRange else { return [] }
    return chart.series.filter { series in
      series.points.contains { $0.isDrawable && !range.contains($0.y) }
    }.map(\.name)
  }

  /// A sentence on the axes and one on each series.
  var text: String {
    let count = chart.series.count
    var sentences = [
      "\(chart.yLabel) over \(chart.xLabel), \(count == 1 ? "one line" : "\(count) lines")."
    ]
    for series in chart.series {
      let points = series.points.filter(\.isDrawable)
      guard let low = points.min(by: { $0.y < $1.y }), let high = points.max(by: { $0.y < $1.y })
      else {
        sentences.append("\(series.name): no points.")
        continue
      }
      sentences.append(
        "\(series.name): from \(number(low.y)) at \(place(low.x))"
          + " to \(number(high.y)) at \(place(high.x)).")
    }
    for reference in chart.references where reference.y.isDrawable {
      sentences.append("\(reference.label): \(number(reference.y)).")
    }
    return sentences.joined(separator: " ")
  }

  private func place(_ x: Double) -> String {
    chart.xFormat == .percent
      ? String(percent: x, decimals: 1)
      : LineChartSummary.short(chart.xFormat == .powerOfTen ? pow(10, x) : x)
  }

  private func number(_ value: Double) -> String {
    chart.yFormat == .percent
      ? String(percent: value, decimals: 2) : LineChartSummary.short(value)
  }

  /// A number with some four digits.
  static func short(_ value: Double) -> String {
    if value == 0 { return "0" }
    if value.magnitude < 1e-3 { return "\(value)" }
    let decimals = value.magnitude >= 1000 ? 0 : value.magnitude >= 1 ? 2 : 4
    return String(value, decimals: decimals)
  }
}
