// SPDX-License-Identifier: Apache-2.0

/// Names with samples of their lines or points, in rows that wrap.
struct Legend {
  enum Sample {
    case line(SeriesStyle)
    case point(SeriesStyle)
    case reference
  }

  struct Entry {
    var name: String
    var sample: Sample
    /// The series that a click on the entry hides, where that is possible.
    var series: Int?
  }

  var entries: [Entry]

  private static let gap = 18.0
  private static let space = 7.0

  /// Draws the entries and returns where what follows may start.
  func draw(_ svg: inout SVG, left: Double, right: Double, top: Double) -> Double {
    var x = left
    var y = top
    for entry in entries {
      let sampleWidth = entry.sample.width
      let room = right - left - sampleWidth - Legend.space
      let lines = TextMetrics.lines(entry.name, width: room, size: ChartStyle.fontSize)
      let textWidth = lines.map { TextMetrics.width($0, size: ChartStyle.fontSize) }.max() ?? 0
      let entryWidth = sampleWidth + Legend.space + textWidth
      if x > left, x + entryWidth > right {
        x = left
        y += ChartStyle.lineHeight + 2
      }
      let (left, top) = (x, y)
      func drawEntry(_ svg: inout SVG) {
        entry.sample.draw(&svg, x: left, y: top + ChartStyle.lineHeight / 2)
        for (index, line) in lines.enumerated() {
          svg.text(
            line, x: left + sampleWidth + Legend.space,
            y: top + Double(index) * ChartStyle.lineHeight + 13)
        }
      }
      if let series = entry.series {
        svg.group("data-key=\"\(series)\"", drawEntry)
      } else {
        drawEntry(&svg)
      }
      y += Double(lines.count - 1) * ChartStyle.lineHeight
      x += entryWidth + Legend.gap
      // An entry of more lines than one fills its row, so that the next does not stand beside it.
      if lines.count > 1 { x = right }
    }
    return entries.isEmpty ? top : y + ChartStyle.lineHeight + 2
  }
}

extension Legend.Sample {
  var width: Double {
    if case .point = self { 9 } else { 30 }
  }

  func draw(_ svg: inout SVG, x: Double, y: Double) {
    switch self {
    case .line(let style):
      svg.strokedPath("M\(SVG.pair(x, y))L\(SVG.pair(x + 30, y))", style: style)
      if let marker = style.marker {
        svg.path(
          marker.path(x: x + 15, y: y, r: 3.6), classes: "marker f\(style.colorIndex + 1)")
      }
    case .point(let style):
      let marker = style.marker ?? .circle
      svg.path(marker.path(x: x + 4.5, y: y, r: 3.6), classes: "f\(style.colorIndex + 1)")
    case .reference:
      svg.line(x, y, x + 30, y, classes: "reference")
    }
  }
}

extension LineChartDrawing {
  func drawLegend(_ svg: inout SVG, from top: Double) -> Double {
    var entries: [Legend.Entry] = []
    if !margin.hasSeries {
      for (index, series) in chart.series.enumerated() where !series.name.isEmpty {
        entries.append(
          Legend.Entry(
            name: series.name, sample: .line(styles[index]), series: isFile ? nil : index))
      }
    }
    if !margin.hasReferences {
      entries += chart.references.filter { yRange.contains($0.y) && !$0.label.isEmpty }.map {
        Legend.Entry(name: $0.label, sample: .reference)
      }
    }
    let bottom = Legend(entries: entries).draw(&svg, left: 4, right: width - 4, top: top)
    return entries.isEmpty ? top : bottom + 6
  }
}
