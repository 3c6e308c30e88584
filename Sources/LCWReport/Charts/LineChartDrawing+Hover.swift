// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore

extension LineChartDrawing {
  private static let mostPlaces = 64

  /// Draws invisible discs over the points of lines, which name series and point to whoever hovers them.
  func drawHoverPlaces(_ svg: inout SVG, top: Double) {
    let yScale = AxisScale(yRange, start: top + plotHeight, end: top)
    for (index, series) in chart.series.enumerated() {
      let points = series.points.filter { $0.isDrawable && yRange.contains($0.y) }
      let step = max(1, (points.count + Self.mostPlaces - 1) / Self.mostPlaces)
      inSeries(index, &svg) { svg in
        for index in stride(from: 0, to: points.count, by: step) {
          let point = points[index]
          let name = series.name.isEmpty ? "" : "\(series.name.singleLine): "
          svg.place(
            x: xScale(point.x), y: yScale(point.y), radius: 6,
            title: name + "\(chart.xLabel.singleLine) \(text(point.x, chart.xFormat)), "
              + text(point.y, chart.yFormat))
        }
      }
    }
  }

  private func text(_ value: Double, _ format: AxisTicks.Format) -> String {
    switch format {
    case .percent: String(percent: value, decimals: 2)
    case .powerOfTen: String(pow(10, value), significantDigits: 3)
    case .number, .count: String(value, significantDigits: 5)
    }
  }
}

extension SVG {
  /// An invisible disc with a title, which browsers show where it is hovered.
  fileprivate mutating func place(x: Double, y: Double, radius: Double, title: String) {
    raw(
      "<circle class=\"place\" cx=\"\(SVG.number(x))\" cy=\"\(SVG.number(y))\" "
        + "r=\"\(SVG.number(radius))\"><title>\(title.markup)</title></circle>")
  }
}
