// SPDX-License-Identifier: Apache-2.0

/// The labels of a chart's vertical lines, in rows above the plot.
struct BoundaryStrip {
  struct Label {
    var text: String
    var x: Double
    var left: Double
    var row: Int
  }

  var labels: [Label] = []
  var rows = 0
  /// Labels, all of them, if not all have room: then a note lists them in order.
  var unplaced: [String] = []
}

extension LineChartDrawing {
  private static let rowLimit = 3

  /// The vertical lines within the axis, left to right.
  private var shownBoundaries: [LineChart.Boundary] {
    chart.boundaries.filter { $0.x.isDrawable && xRange.contains($0.x) }.sorted { $0.x < $1.x }
  }

  func boundaryStrip() -> BoundaryStrip {
    var strip = BoundaryStrip()
    var ends: [Double] = []
    let shown = shownBoundaries.filter { !$0.label.isEmpty }
    for boundary in shown {
      let text = boundary.label.singleLine
      let x = xScale(boundary.x)
      let textWidth = TextMetrics.width(text, size: ChartStyle.fontSize)
      let left = max(min(x - 1, width - 4 - textWidth), 4)
      let row = ends.firstIndex { $0 + 8 <= left } ?? ends.count
      guard row < LineChartDrawing.rowLimit, textWidth < width - 8 else {
        return BoundaryStrip(unplaced: shown.map(\.label.singleLine))
      }
      if row == ends.count { ends.append(0) }
      ends[row] = left + textWidth
      strip.labels.append(BoundaryStrip.Label(text: text, x: x, left: left, row: row))
    }
    strip.rows = ends.count
    return strip
  }

  func drawBoundaries(_ svg: inout SVG, strip: BoundaryStrip, top: Double) {
    for boundary in shownBoundaries {
      let x = xScale(boundary.x)
      svg.line(x, top - 3, x, top + plotHeight, classes: "boundary")
    }
    for label in strip.labels {
      // Row 0 is the lowest, next to the plot.
      let y = top - 7 - Double(label.row) * ChartStyle.lineHeight
      svg.text(label.text, x: label.left, y: y, classes: "muted")
    }
  }
}
