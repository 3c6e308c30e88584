// SPDX-License-Identifier: Apache-2.0
import LCWCore

/// A contour chart laid out for a width.
struct ContourChartDrawing {
  let chart: ContourChart
  let width: Double
  let id: String
  let isFile: Bool
  let classes: String
  private let left: Double
  private let yTicks: AxisTicks
  private let levels: [Double]

  init(
    chart: ContourChart, width: Double, id: String, isFile: Bool, classes: String = "chart"
  ) {
    self.chart = chart
    self.width = width.isDrawable ? max(width, 280) : 640
    self.id = id
    self.isFile = isFile
    self.classes = classes
    levels = chart.levels
    yTicks = AxisTicks(in: chart.yRange, atMost: 7)
    left = (yTicks.labels.map(ContourChartDrawing.width).max() ?? 0) + 4 + 7
  }

  private static func width(_ label: String) -> Double {
    TextMetrics.width(label, size: ChartStyle.fontSize)
  }

  /// The whole element.
  var document: String {
    var svg = SVG()
    var top = isFile ? drawTitle(&svg) : 4
    let entries = chart.lines.enumerated().map {
      Legend.Entry(name: $1.name, sample: .line(style($0)))
    }
    top = Legend(entries: entries).draw(&svg, left: 4, right: width - 4, top: top)
    for line in TextMetrics.lines(chart.yLabel, width: width - 8, size: ChartStyle.fontSize) {
      top += ChartStyle.lineHeight
      svg.text(line, x: 4, y: top - 4, classes: "muted")
    }
    top += 8
    let plotWidth = width - left - 12
    // Lengths are the same to the right and upwards, as they are distances of one space.
    let aspect =
      (chart.yRange.upperBound - chart.yRange.lowerBound)
      / (chart.xRange.upperBound - chart.xRange.lowerBound)
    let height = min(max(plotWidth * aspect, 120), plotWidth * 1.4)
    let x = AxisScale(chart.xRange, start: left, end: left + plotWidth)
    let y = AxisScale(chart.yRange, start: top + height, end: top)
    drawCells(&svg, x, y)
    drawContours(&svg, x, y)
    drawLines(&svg, x, y)
    let bottom = drawAxes(&svg, x, y)
    return svg.document(
      width: width, height: bottom + 4, id: id, title: chart.title, description: summary,
      classes: classes, isFile: isFile)
  }

  private var summary: String {
    let values = chart.values.joined().filter(\.isDrawable)
    let range = AxisRange.hull(values).map {
      "from \(String($0.lowerBound, significantDigits: 3)) to "
        + "\(String($0.upperBound, significantDigits: 3))"
    }
    return "Values \(range ?? "that are not finite") over a plane; contours at "
      + levels.map { String($0, significantDigits: 3) }.joined(separator: ", ")
      + "; lines: " + chart.lines.map(\.name).joined(separator: ", ") + "."
  }

  private func style(_ line: Int) -> SeriesStyle {
    SeriesStyle(color: line + 1, dash: SeriesStyle.Dash.allCases[line % 4])
  }

  private func drawTitle(_ svg: inout SVG) -> Double {
    var y = 8.0
    for line in TextMetrics.lines(chart.title, width: width - 8, size: 16) {
      y += 19
      svg.text(line, x: 4, y: y, classes: "head")
    }
    return y + 10
  }

  private func place(_ column: Double, _ row: Double, _ x: AxisScale, _ y: AxisScale) -> (
    Double, Double
  ) {
    let (columns, rows) = (Double(chart.values[0].count - 1), Double(chart.values.count - 1))
    return (
      x.start + (x.end - x.start) * column / columns, y.start + (y.end - y.start) * row / rows
    )
  }

  /// Cells the darker the higher their mean is.
  private func drawCells(_ svg: inout SVG, _ x: AxisScale, _ y: AxisScale) {
    var shades = [String](repeating: "", count: levels.count + 1)
    for row in 0..<chart.values.count - 1 {
      for column in 0..<chart.values[0].count - 1 {
        let corners = [
          chart.values[row][column], chart.values[row][column + 1], chart.values[row + 1][column],
          chart.values[row + 1][column + 1],
        ]
        let mean = corners.reduce(0, +) / 4
        let shade = mean.isDrawable ? levels.count { $0 < mean } : levels.count
        let (left, bottom) = place(Double(column), Double(row), x, y)
        let (right, top) = place(Double(column + 1), Double(row + 1), x, y)
        shades[shade] +=
          "M\(SVG.pair(left, top))H\(SVG.number(right))V\(SVG.number(bottom))"
          + "H\(SVG.number(left))Z"
      }
    }
    for (shade, data) in shades.enumerated() where shade > 0 {
      let opacity = 0.6 * Double(shade) / Double(shades.count)
      svg.path(
        data, classes: "f1", attributes: " stroke=\"none\" fill-opacity=\"\(SVG.number(opacity))\"")
    }
  }

  private func drawContours(_ svg: inout SVG, _ x: AxisScale, _ y: AxisScale) {
    var labels = ContourLabels(
      left: x.start, right: x.end, top: y.end, bottom: y.start, lineHeight: ChartStyle.lineHeight)
    // A number on a line would be struck through by it, or hide it.
    for line in chart.lines {
      let places = line.points.filter(isWithin).map { (x: x($0.x), y: y($0.y)) }
      for end in [places.first, places.last].compactMap(\.self) {
        labels.avoid(x: end.x, y: end.y, radius: 6)
      }
      for (from, to) in zip(places, places.dropFirst()) {
        let steps = max(1, Int(max((to.x - from.x).magnitude, (to.y - from.y).magnitude) / 5))
        for step in 0...steps {
          let share = Double(step) / Double(steps)
          labels.avoid(
            x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share, radius: 2)
        }
      }
    }
    for level in levels {
      var data = ""
      var places: [(x: Double, y: Double)] = []
      for row in 0..<chart.values.count - 1 {
        for column in 0..<chart.values[0].count - 1 {
          for (from, to) in segments(row, column, level) {
            let (start, end) = (place(from.0, from.1, x, y), place(to.0, to.1, x, y))
            data += "M\(SVG.pair(start.0, start.1))L\(SVG.pair(end.0, end.1))"
            places.append(((start.0 + end.0) / 2, (start.1 + end.1) / 2))
          }
        }
      }
      svg.path(data, classes: "axis contour")
      let text = String(level, significantDigits: 2)
      labels.add(text, width: ContourChartDrawing.width(text), alongside: places)
    }
    // Behind all contours, so that no line runs through a number.
    for label in labels.placed {
      svg.text(
        label.text, x: label.x, y: label.y + 4, anchor: .middle, classes: "muted halo level")
    }
  }

  private typealias Place = (Double, Double)

  /// Where a level crosses a cell, by linear interpolation along its edges (marching squares); of
  /// the two readings of a saddle, that of the mean of the corners.
  private func segments(_ row: Int, _ column: Int, _ level: Double) -> [(Place, Place)] {
    let v = chart.values
    // Around the cell from the lower left.
    let corners: [(Double, Double, Double)] = [
      (Double(column), Double(row), v[row][column]),
      (Double(column + 1), Double(row), v[row][column + 1]),
      (Double(column + 1), Double(row + 1), v[row + 1][column + 1]),
      (Double(column), Double(row + 1), v[row + 1][column]),
    ]
    guard corners.allSatisfy({ $0.2.isDrawable }) else { return [] }
    var crossings: [Place] = []
    for edge in 0..<4 {
      let (a, b) = (corners[edge], corners[(edge + 1) % 4])
      guard (a.2 < level) != (b.2 < level) else { continue }
      let share = (level - a.2) / (b.2 - a.2)
      crossings.append((a.0 + (b.0 - a.0) * share, a.1 + (b.1 - a.1) * share))
    }
    guard crossings.count == 4 else {
      return crossings.count == 2 ? [(crossings[0], crossings[1])] : []
    }
    let isMeanLow = corners.reduce(0) { $0 + $1.2 } / 4 < level
    return isMeanLow == (corners[0].2 < level)
      ? [(crossings[0], crossings[1]), (crossings[2], crossings[3])]
      : [(crossings[3], crossings[0]), (crossings[1], crossings[2])]
  }

  private func isWithin(_ point: ChartPoint) -> Bool {
    chart.xRange.contains(point.x) && chart.yRange.contains(point.y)
  }

  private func drawLines(_ svg: inout SVG, _ x: AxisScale, _ y: AxisScale) {
    for (index, line) in chart.lines.enumerated() {
      let points = line.points.filter(isWithin)
      guard let first = points.first, let last = points.last else { continue }
      let style = style(index)
      let data = points.map { SVG.pair(x($0.x), y($0.y)) }.joined(separator: "L")
      svg.strokedPath("M" + data, style: style)
      for end in [first, last] {
        svg.path(
          SeriesStyle.Marker.circle.path(x: x(end.x), y: y(end.y), r: 4),
          classes: "marker f\(style.colorIndex + 1)")
      }
    }
  }

  private func drawAxes(_ svg: inout SVG, _ x: AxisScale, _ y: AxisScale) -> Double {
    let (bottom, top) = (y.start, y.end)
    svg.path(
      "M\(SVG.pair(x.start, top))H\(SVG.number(x.end))V\(SVG.number(bottom))"
        + "H\(SVG.number(x.start))Z", classes: "axis")
    for (value, label) in zip(yTicks.values, yTicks.labels) {
      svg.line(x.start - 4, y(value), x.start, y(value), classes: "axis")
      svg.text(label, x: x.start - 7, y: y(value) + 4.4, anchor: .end, classes: "muted")
    }
    let xTicks = xTicks(x)
    for (value, label) in zip(xTicks.values, xTicks.labels) {
      svg.line(x(value), bottom, x(value), bottom + 4, classes: "axis")
      // The number at an end of the axis would reach over the edge.
      let half = ContourChartDrawing.width(label) / 2
      svg.text(
        label, x: min(max(x(value), half), width - half), y: bottom + 18, anchor: .middle,
        classes: "muted")
    }
    var end = bottom + 20
    for line in TextMetrics.lines(chart.xLabel, width: width - 8, size: ChartStyle.fontSize) {
      end += ChartStyle.lineHeight
      svg.text(line, x: (x.start + x.end) / 2, y: end, anchor: .middle, classes: "muted")
    }
    return end + 4
  }

  /// As many ticks as leave room between their numbers.
  private func xTicks(_ x: AxisScale) -> AxisTicks {
    var limit = 8
    while true {
      let ticks = AxisTicks(in: chart.xRange, atMost: limit)
      let widest = ticks.labels.map(ContourChartDrawing.width).max() ?? 0
      let places = ticks.values.map { x($0) }
      let isRoomy = zip(places, places.dropFirst()).allSatisfy { $1 - $0 > widest + 10 }
      if isRoomy || limit <= 2 { return ticks }
      limit -= 1
    }
  }
}
