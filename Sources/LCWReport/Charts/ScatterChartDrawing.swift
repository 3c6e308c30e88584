// SPDX-License-Identifier: Apache-2.0

/// A scatter chart, laid out panel by panel.
struct ScatterChartDrawing {
  let chart: ScatterChart
  let data: ScatterChartData
  /// The names of the groups, in order of their first appearance, with their styles.
  let kinds: [(name: String, style: SeriesStyle)]

  private let yTicks: AxisTicks
  private let plotLeft: Double
  /// The width of each panel.
  let panelWidth: Double

  private static let plotSize = 230.0
  private static let panelGap = 16.0

  init(chart: ScatterChart) {
    self.chart = chart
    data = ScatterChartData(chart)
    var kinds: [(name: String, style: SeriesStyle)] = []
    for group in chart.panels.flatMap(\.groups)
    where !kinds.contains(where: { $0.name == group.name }) {
      kinds.append((group.name, group.style ?? SeriesStyle(index: kinds.count)))
    }
    self.kinds = kinds
    yTicks = AxisTicks(in: data.yRange, atMost: 7)
    let tickWidth =
      yTicks.labels.map { TextMetrics.width($0, size: ChartStyle.fontSize) }.max() ?? 0
    plotLeft = (tickWidth + 12).rounded(.up)
    panelWidth = plotLeft + Self.plotSize + 14
  }

  /// The lines the tallest panel title takes; all panels leave that room.
  private var titleLines: Int {
    chart.panels.map { titleLines(of: $0).count }.max() ?? 0
  }

  private func titleLines(of panel: ScatterChart.Panel) -> [String] {
    TextMetrics.lines(panel.title, width: panelWidth - 8, size: ChartStyle.fontSize * 1.06)
  }

  private var yLabelLines: [String] {
    TextMetrics.lines(chart.yLabel, width: panelWidth - 8, size: ChartStyle.fontSize)
  }

  private var xLabelLines: [String] {
    TextMetrics.lines(chart.xLabel, width: panelWidth - 8, size: ChartStyle.fontSize)
  }

  private var plotTop: Double {
    Double(titleLines + yLabelLines.count) * ChartStyle.lineHeight + 12
  }

  private var panelHeight: Double {
    plotTop + Self.plotSize + 26 + Double(xLabelLines.count) * ChartStyle.lineHeight
  }

  /// Each panel as an `<svg>` for a page.
  func inlinePanels(id: String) -> [String] {
    chart.panels.enumerated().map { index, panel in
      var svg = SVG()
      draw(panel, in: &svg)
      return svg.document(
        width: panelWidth, height: panelHeight, id: "\(id)-panel-\(index + 1)",
        title: panel.title, description: description(of: panel), classes: "chart",
        isFile: false)
    }
  }

  /// The groups' names with their marks, as an HTML list; empty if there is only one.
  var legendMarkup: String {
    guard kinds.count > 1 else { return "" }
    let items = kinds.map { kind in
      var svg = SVG()
      Legend.Sample.point(kind.style).draw(&svg, x: 1.5, y: 6)
      return "<li><svg class=\"chart\" viewBox=\"0 0 12 12\" aria-hidden=\"true\">\(svg.body)</svg>"
        + "\(kind.name.markup)</li>"
    }
    return "<ul class=\"legend\">\n\(items.joined(separator: "\n"))\n</ul>\n"
  }

  /// All panels in one file.
  func file(width: Double) -> String {
    var svg = SVG()
    var top = 8.0
    for line in TextMetrics.lines(chart.title, width: width - 8, size: 16) {
      top += 19
      svg.text(line, x: 4, y: top, classes: "head")
    }
    top += 10
    if kinds.count > 1 {
      let entries = kinds.map { Legend.Entry(name: $0.name, sample: .point($0.style)) }
      top = Legend(entries: entries).draw(&svg, left: 4, right: width - 4, top: top) + 8
    }
    // Panels may shrink somewhat, so that three stand in a page's width.
    let fitting = Int((width + Self.panelGap) / (panelWidth * 0.85 + Self.panelGap))
    let columns = max(1, min(chart.panels.count, fitting))
    let room = (width - Double(columns - 1) * Self.panelGap) / Double(columns)
    let scale = min(room / panelWidth, 1.25)
    for (index, panel) in chart.panels.enumerated() {
      let column = index % columns
      let row = index / columns
      let x = Double(column) * (panelWidth * scale + Self.panelGap)
      let y = top + Double(row) * (panelHeight * scale + Self.panelGap)
      svg.raw("<g transform=\"translate(\(SVG.pair(x, y))) scale(\(SVG.number(scale)))\">")
      draw(panel, in: &svg)
      svg.raw("</g>")
    }
    let rows = (chart.panels.count + columns - 1) / columns
    top += Double(rows) * (panelHeight * scale + Self.panelGap)
    for note in data.notes {
      for line in TextMetrics.lines(note, width: width - 8, size: ChartStyle.fontSize) {
        svg.text(line, x: 4, y: top, classes: "muted")
        top += ChartStyle.lineHeight
      }
    }
    return svg.document(
      width: width, height: top + 4, id: "chart", title: chart.title,
      description: chart.panels.map { "\($0.title): \(description(of: $0))" }
        .joined(separator: " "),
      classes: "chart", isFile: true)
  }

  private func description(of panel: ScatterChart.Panel) -> String {
    let groups = panel.groups.map { "\($0.name), \($0.points.count) points" }
    let content = groups.isEmpty ? "no points" : groups.joined(separator: "; ")
    return "\(chart.yLabel) over \(chart.xLabel): \(content)."
  }

  private func draw(_ panel: ScatterChart.Panel, in svg: inout SVG) {
    var y = 0.0
    for line in titleLines(of: panel) {
      y += ChartStyle.lineHeight
      svg.text(line, x: 4, y: y - 3, classes: "panel-title")
    }
    y = Double(titleLines) * ChartStyle.lineHeight + 2
    for line in yLabelLines {
      y += ChartStyle.lineHeight
      svg.text(line, x: 4, y: y - 3, classes: "muted")
    }
    let top = plotTop
    let xScale = AxisScale(data.xRange, start: plotLeft, end: plotLeft + Self.plotSize)
    let yScale = AxisScale(data.yRange, start: top + Self.plotSize, end: top)
    drawAxes(&svg, xScale: xScale, yScale: yScale)
    for group in panel.groups {
      let style = kinds.first { $0.name == group.name }?.style ?? SeriesStyle(index: 0)
      drawPoints(&svg, of: group, style: group.style ?? style, xScale: xScale, yScale: yScale)
    }
  }

  private func drawAxes(_ svg: inout SVG, xScale: AxisScale, yScale: AxisScale) {
    for (value, label) in zip(yTicks.values, yTicks.labels) {
      let y = yScale(value)
      svg.line(xScale.start, y, xScale.end, y, classes: value == 0 ? "axis" : "grid")
      svg.text(label, x: xScale.start - 6, y: y + 4.4, anchor: .end, classes: "muted")
    }
    var xTicks = AxisTicks(in: data.xRange, atMost: 7)
    for limit in [7, 6, 5, 4, 3, 2] {
      xTicks = AxisTicks(in: data.xRange, atMost: limit)
      let widest =
        xTicks.labels.map { TextMetrics.width($0, size: ChartStyle.fontSize) }.max() ?? 0
      let spacing = (xScale.end - xScale.start) / Double(max(xTicks.values.count, 1))
      if spacing >= widest + 8 { break }
    }
    for (value, label) in zip(xTicks.values, xTicks.labels) {
      let x = xScale(value)
      svg.line(x, yScale.end, x, yScale.start, classes: value == 0 ? "axis" : "grid")
      svg.text(label, x: x, y: yScale.start + 18, anchor: .middle, classes: "muted")
    }
    var y = yScale.start + 19
    for line in xLabelLines {
      y += ChartStyle.lineHeight
      svg.text(
        line, x: (xScale.start + xScale.end) / 2, y: y, anchor: .middle, classes: "muted")
    }
  }

  /// All points of a group as one path, whose marks take a few bytes behind each place.
  private func drawPoints(
    _ svg: inout SVG, of group: ScatterChart.Group, style: SeriesStyle, xScale: AxisScale,
    yScale: AxisScale
  ) {
    let drawable = group.points.filter(\.isDrawable)
    let limit = ScatterChart.pointLimit
    let chosen =
      drawable.count <= limit
      ? drawable : (0..<limit).map { drawable[$0 * drawable.count / limit] }
    let mark = style.marker ?? .circle
    var data = ""
    for point in chosen where self.data.xRange.contains(point.x) {
      guard self.data.yRange.contains(point.y) else { continue }
      data += mark.compactMark(x: xScale(point.x), y: yScale(point.y))
    }
    let cap = mark == .circle ? "round" : mark == .square ? "square" : "butt"
    let strokes = mark == .circle || mark == .square ? "" : " style=\"stroke-width:.8\""
    svg.path(
      data, classes: "dots s\(style.colorIndex + 1)",
      attributes: " stroke-linecap=\"\(cap)\"\(strokes)")
  }
}

extension SeriesStyle.Marker {
  /// A mark of some two units across, drawn by stroking; a line of no length is a dot whose shape
  /// is the stroke's cap.
  func compactMark(x: Double, y: Double) -> String {
    switch self {
    case .circle, .square: "M\(SVG.pair(x, y))h0"
    case .triangle: "M\(SVG.pair(x, y - 1.3))l1.2 2h-2.4z"
    case .triangleDown: "M\(SVG.pair(x, y + 1.3))l1.2-2h-2.4z"
    case .diamond: "M\(SVG.pair(x, y - 1.4))l1.4 1.4-1.4 1.4-1.4-1.4z"
    case .cross: "M\(SVG.pair(x - 1.2, y - 1.2))l2.4 2.4m0-2.4l-2.4 2.4"
    }
  }
}
