// SPDX-License-Identifier: Apache-2.0

/// The labels to the right of a line chart's plot: names beside the ends of lines and beside
/// reference levels. What finds no place here goes into the legend.
struct LineChartMargin {
  struct Label {
    var text: String
    /// Which series; nothing for a reference.
    var series: Int?
    /// Where it belongs, from the plot's top.
    var wanted: Double
    /// Where it stands.
    var y: Double
  }

  private(set) var labels: [Label] = []
  /// Whether each series stands here.
  private(set) var hasSeries = false
  /// Whether each reference stands here.
  private(set) var hasReferences = false
  /// The room the labels need.
  private(set) var width = 0.0

  /// How far the labels stand off the plot.
  private static let gap = 12.0

  /// The share of a chart's width that may go into the margin: less where there is little.
  private static func share(of width: Double) -> Double { width < 500 ? 0.17 : 0.24 }

  init(chart: LineChart, width: Double, scale: AxisScale, lastX: Double) {
    let references = chart.references.filter { scale.range.contains($0.y) }.map {
      Label(text: $0.label.singleLine, series: nil, wanted: scale($0.y), y: 0)
    }
    let series = LineChartMargin.lineEnds(of: chart, scale: scale, lastX: lastX)
    let limit = width * LineChartMargin.share(of: width)
    for candidate in [series.map { $0 + references }, references, series] {
      guard let candidate, !candidate.isEmpty,
        let placed = LineChartMargin.placed(candidate, limit: limit, height: scale.start)
      else { continue }
      labels = placed
      hasSeries = placed.contains { $0.series != nil }
      hasReferences = placed.contains { $0.series == nil }
      self.width =
        LineChartMargin.gap + 4
        + (placed.map { TextMetrics.width($0.text, size: ChartStyle.fontSize) }.max() ?? 0)
      return
    }
  }

  private static let leastSeparation = 7.0

  /// A label at the end of each line, or nothing if some line ends before the axis does, or if
  /// lines end too close to each other.
  private static func lineEnds(
    of chart: LineChart, scale: AxisScale, lastX: Double
  ) -> [Label]? {
    var labels: [Label] = []
    for (index, series) in chart.series.enumerated() {
      guard let last = series.points.last, last.isDrawable, last.x == lastX,
        scale.range.contains(last.y), !series.name.isEmpty
      else { return nil }
      labels.append(
        Label(text: series.name.singleLine, series: index, wanted: scale(last.y), y: 0))
    }
    // Names beside lines that meet at their end would be told apart by colour alone.
    let ends = labels.map(\.wanted).sorted()
    let isApart = zip(ends, ends.dropFirst()).allSatisfy { $1 - $0 >= leastSeparation }
    return isApart ? labels : nil
  }

  /// The labels off each other, or nothing if one is too wide or would stand too far from its line.
  private static func placed(_ labels: [Label], limit: Double, height: Double) -> [Label]? {
    let widest = labels.map { TextMetrics.width($0.text, size: ChartStyle.fontSize) }.max() ?? 0
    guard widest + gap <= limit,
      let places = LabelPlacement.spread(
        labels.map(\.wanted), height: ChartStyle.lineHeight, within: 0...height)
    else { return nil }
    let placed = zip(labels, places).map { label, y in
      Label(text: label.text, series: label.series, wanted: label.wanted, y: y)
    }
    let farthest = placed.map { ($0.y - $0.wanted).magnitude }.max() ?? 0
    return farthest <= ChartStyle.lineHeight * 1.1 ? placed : nil
  }

  /// - Parameter isFile: Whether names are only read, and not clicked to hide their lines.
  func draw(
    _ svg: inout SVG, styles: [SeriesStyle], left: Double, top: Double, isFile: Bool
  ) {
    for label in labels {
      func drawText(_ svg: inout SVG) {
        svg.text(
          label.text, x: left + LineChartMargin.gap, y: top + label.y + 4.4,
          classes: label.series == nil ? "muted" : "")
      }
      if let series = label.series {
        svg.path(
          "M\(SVG.pair(left + 1, top + label.wanted))"
            + "L\(SVG.pair(left + LineChartMargin.gap - 2, top + label.y))",
          classes: "line s\(styles[series].colorIndex + 1)")
        if isFile { drawText(&svg) } else { svg.group("data-key=\"\(series)\"", drawText) }
      } else {
        svg.line(
          left + 1, top + label.wanted, left + LineChartMargin.gap - 2, top + label.y,
          classes: "leader")
        drawText(&svg)
      }
    }
  }
}
