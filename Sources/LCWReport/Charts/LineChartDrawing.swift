// SPDX-License-Identifier: Apache-2.0

/// A line chart laid out for a width.
struct LineChartDrawing {
  let chart: LineChart
  let width: Double
  let id: String
  let isFile: Bool
  let classes: String
  let styles: [SeriesStyle]
  let plotHeight: Double
  let xRange: ClosedRange<Double>
  let yRange: ClosedRange<Double>
  let yTicks: AxisTicks
  let margin: LineChartMargin
  let plotLeft: Double
  let plotRight: Double

  init(chart: LineChart, width: Double, id: String, isFile: Bool, classes: String = "chart") {
    self.chart = chart
    self.width = width.isDrawable ? max(width, 280) : 800
    self.id = id
    self.isFile = isFile
    self.classes = classes
    styles = chart.series.enumerated().map { $0.element.style ?? SeriesStyle(index: $0.offset) }
    plotHeight = min(max((self.width * 0.44).rounded(), 210), 360)
    let data = LineChartData(chart)
    xRange = data.xRange
    yRange = data.yRange
    yTicks = AxisTicks(in: yRange, atMost: plotHeight > 280 ? 7 : 6, format: chart.yFormat)
    let tickWidth =
      yTicks.labels.map { TextMetrics.width($0, size: ChartStyle.fontSize) }.max() ?? 0
    // The x axis' numbers stand centred under its ends.
    let overhang =
      AxisTicks(in: xRange, atMost: LineChartDrawing.xTickLimits[0], format: chart.xFormat).labels
      .map { TextMetrics.width($0, size: ChartStyle.fontSize) / 2 + 2 }.max() ?? 0
    plotLeft = max(tickWidth + 12, overhang).rounded(.up)
    margin = LineChartMargin(
      chart: chart, width: self.width, scale: AxisScale(yRange, start: plotHeight, end: 0),
      lastX: xRange.upperBound)
    plotRight = self.width - max(margin.width, overhang, 8)
  }

  var xScale: AxisScale {
    AxisScale(xRange, narrow: chart.narrow, start: plotLeft, end: plotRight)
  }

  /// The whole element.
  var document: String {
    var svg = SVG()
    var top = isFile ? drawTitle(&svg) : 4
    top = drawLegend(&svg, from: top)
    top = drawYLabel(&svg, from: top)
    let strip = boundaryStrip()
    top += 10 + Double(strip.rows) * ChartStyle.lineHeight
    drawGrid(&svg, top: top)
    drawBoundaries(&svg, strip: strip, top: top)
    let isClipped = chart.yRange != nil
    if isClipped { openClip(&svg, top: top) }
    drawBands(&svg, top: top)
    drawReferences(&svg, top: top)
    drawLines(&svg, top: top)
    if isClipped { svg.raw("</g>") }
    margin.draw(&svg, styles: styles, left: plotRight, top: top, isFile: isFile)
    let unlabelled = drawMarks(&svg, top: top)
    // A file may be printed or put into a paper: no need for more.
    if !isFile { drawHoverPlaces(&svg, top: top) }
    var bottom = drawXAxis(&svg, top: top)
    bottom = drawNotes(&svg, notes(strip: strip, unlabelled: unlabelled), from: bottom)
    return svg.document(
      width: width, height: bottom + 4, id: id, title: chart.title,
      description: LineChartSummary(chart).text, classes: classes, isFile: isFile)
  }

  private func drawTitle(_ svg: inout SVG) -> Double {
    var y = 8.0
    for line in TextMetrics.lines(chart.title, width: width - 8, size: 16) {
      y += 19
      svg.text(line, x: 4, y: y, classes: "head")
    }
    return y + 10
  }

  private func drawYLabel(_ svg: inout SVG, from top: Double) -> Double {
    var y = top
    for line in TextMetrics.lines(chart.yLabel, width: width - 8, size: ChartStyle.fontSize) {
      y += ChartStyle.lineHeight
      svg.text(line, x: 4, y: y - 4, classes: "muted")
    }
    return y
  }

  private func drawGrid(_ svg: inout SVG, top: Double) {
    let scale = AxisScale(yRange, start: top + plotHeight, end: top)
    for (value, label) in zip(yTicks.values, yTicks.labels) {
      let y = scale(value)
      svg.line(plotLeft, y, plotRight, y, classes: "grid")
      svg.text(label, x: plotLeft - 7, y: y + 4.4, anchor: .end, classes: "muted")
    }
    if chart.series.allSatisfy({ series in !series.points.contains(where: \.isDrawable) }) {
      svg.text(
        "no data", x: (plotLeft + plotRight) / 2, y: top + plotHeight / 2, anchor: .middle,
        classes: "muted")
    }
  }

  private func openClip(_ svg: inout SVG, top: Double) {
    let clip = "\(id.markup)-clip"
    let (left, right) = (SVG.number(plotLeft), SVG.number(plotRight))
    let (upper, lower) = (SVG.number(top), SVG.number(top + plotHeight))
    svg.raw("<clipPath id=\"\(clip)\"><path d=\"M\(left) \(upper)H\(right)V\(lower)H\(left)Z\"/>")
    svg.raw("</clipPath><g clip-path=\"url(#\(clip))\">")
  }

  private func drawXAxis(_ svg: inout SVG, top: Double) -> Double {
    let base = top + plotHeight
    svg.line(plotLeft, base, plotRight, base, classes: "axis")
    for (value, label) in roomyXTicks {
      let x = xScale(value)
      svg.line(x, base, x, base + 5, classes: "axis")
      svg.text(label, x: x, y: base + 19, anchor: .middle, classes: "muted")
    }
    var y = base + 22
    let lines = TextMetrics.lines(
      chart.xLabel, width: plotRight - plotLeft, size: ChartStyle.fontSize)
    for line in lines {
      y += ChartStyle.lineHeight
      svg.text(
        line, x: (plotLeft + plotRight) / 2, y: y - 1, anchor: .middle, classes: "muted")
    }
    return y + 4
  }

  private static let xTickLimits = [11, 9, 7, 6, 5, 4, 3]

  /// As many ticks as stand side by side without touching.
  private var xTicks: AxisTicks {
    let room = plotRight - plotLeft
    for limit in LineChartDrawing.xTickLimits {
      let ticks = AxisTicks(in: xRange, atMost: limit, format: chart.xFormat)
      let widest = ticks.labels.map { TextMetrics.width($0, size: ChartStyle.fontSize) }.max() ?? 0
      let spacing = room / Double(max(ticks.values.count - 1, 1))
      if spacing >= widest + 14 { return ticks }
    }
    return AxisTicks(in: xRange, atMost: 2, format: chart.xFormat)
  }

  /// The ticks but for those within narrow parts of the axis, and those behind whose labels would touch
  /// the one before.
  private var roomyXTicks: [(value: Double, label: String)] {
    let ticks = xTicks
    var shown: [(value: Double, label: String)] = []
    var end = -Double.infinity
    for (value, label) in zip(ticks.values, ticks.labels) {
      let half = TextMetrics.width(label, size: ChartStyle.fontSize) / 2
      let isWithin = chart.narrow.contains { $0.lowerBound < value && value < $0.upperBound }
      guard !isWithin, xScale(value) - half >= end else { continue }
      shown.append((value, label))
      if !chart.narrow.isEmpty { end = xScale(value) + half + 4 }
    }
    return shown
  }

  private func drawNotes(_ svg: inout SVG, _ notes: [String], from top: Double) -> Double {
    var y = notes.isEmpty ? top : top + 4
    for note in notes {
      for line in TextMetrics.lines(note, width: width - 8, size: ChartStyle.fontSize) {
        y += ChartStyle.lineHeight
        svg.text(line, x: 4, y: y, classes: "muted")
      }
    }
    return y
  }

  private func notes(strip: BoundaryStrip, unlabelled: [String]) -> [String] {
    var notes: [String] = []
    let summary = LineChartSummary(chart)
    let skipped = summary.skippedCount
    if skipped > 0 {
      notes.append(
        skipped == 1
          ? "One point is not finite and is left out."
          : "\(skipped) points are not finite and are left out.")
    }
    let hidden = summary.namesBeyondRange
    if !hidden.isEmpty {
      notes.append("Partly beyond the range shown: \(hidden.joined(separator: ", ")).")
    }
    if !strip.unplaced.isEmpty {
      notes.append("Vertical lines, left to right: \(strip.unplaced.joined(separator: ", ")).")
    }
    if !unlabelled.isEmpty {
      notes.append("Rings without room for a label: \(unlabelled.joined(separator: ", ")).")
    }
    return notes
  }
}
