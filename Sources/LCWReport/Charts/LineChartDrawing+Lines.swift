// SPDX-License-Identifier: Apache-2.0

extension LineChartDrawing {
  /// Draws a part of a series. On a page it is marked as such, so that a click in the legend can hide it.
  func inSeries(_ index: Int, _ svg: inout SVG, _ draw: (inout SVG) -> Void) {
    if isFile { draw(&svg) } else { svg.group("data-series=\"\(index)\"", draw) }
  }

  func drawBands(_ svg: inout SVG, top: Double) {
    let yScale = AxisScale(yRange, start: top + plotHeight, end: top)
    for (index, (series, style)) in zip(chart.series, styles).enumerated() {
      var data = ""
      for run in LineChartData.runs(of: series.band, where: \.isDrawable) where run.count > 1 {
        let upper = run.map { SVG.pair(xScale($0.x), yScale($0.upper)) }
        let lower = run.reversed().map { SVG.pair(xScale($0.x), yScale($0.lower)) }
        data += "M" + (upper + lower).joined(separator: "L") + "Z"
      }
      inSeries(index, &svg) { $0.path(data, classes: "band f\(style.colorIndex + 1)") }
    }
  }

  func drawReferences(_ svg: inout SVG, top: Double) {
    let yScale = AxisScale(yRange, start: top + plotHeight, end: top)
    for reference in chart.references where yRange.contains(reference.y) {
      let y = yScale(reference.y)
      svg.line(plotLeft, y, plotRight, y, classes: "reference")
    }
  }

  func drawLines(_ svg: inout SVG, top: Double) {
    let yScale = AxisScale(yRange, start: top + plotHeight, end: top)
    // The first series is drawn last, over the others: callers put what matters first.
    for index in chart.series.indices.reversed() {
      let style = styles[index]
      var data = ""
      var lone: [ChartPoint] = []
      for run in LineChartData.runs(of: chart.series[index].points, where: \.isDrawable) {
        if run.count == 1 { lone += run }
        if run.count > 1 {
          data += "M" + run.map { SVG.pair(xScale($0.x), yScale($0.y)) }.joined(separator: "L")
        }
      }
      let marker = style.marker ?? .circle
      let marked = style.marker == nil ? lone : lone + sparsePoints(index)
      let shapes = marked.map { marker.path(x: xScale($0.x), y: yScale($0.y), r: 3.6) }
      inSeries(index, &svg) {
        $0.strokedPath(data, style: style)
        $0.path(shapes.joined(), classes: "marker f\(style.colorIndex + 1)")
      }
    }
  }

  /// The points of a series that get its marker: all of a few, else some spread along the axis, at
  /// other places for each series so that they do not cover each other.
  private func sparsePoints(_ index: Int) -> [ChartPoint] {
    let points = chart.series[index].points.filter(\.isDrawable)
    if points.count <= 12 { return points }
    let spacing = (plotRight - plotLeft) / (width > 600 ? 7 : 4)
    let shift = (Double(index) + 0.5) / Double(chart.series.count)
    var chosen: [Int] = []
    var target = plotLeft + spacing * shift
    while target < plotRight {
      let nearest = points.indices.min {
        (xScale(points[$0].x) - target).magnitude < (xScale(points[$1].x) - target).magnitude
      }
      if let nearest, chosen.last != nearest { chosen.append(nearest) }
      target += spacing
    }
    return chosen.map { points[$0] }
  }

  /// Draws rings and their labels, and returns what had no room.
  func drawMarks(_ svg: inout SVG, top: Double) -> [String] {
    let yScale = AxisScale(yRange, start: top + plotHeight, end: top)
    var marks: [(x: Double, y: Double, series: Int, label: String)] = []
    for (index, series) in chart.series.enumerated() {
      for mark in series.marks where mark.point.isDrawable && yRange.contains(mark.point.y) {
        marks.append((xScale(mark.point.x), yScale(mark.point.y), index, mark.label))
      }
    }
    guard !marks.isEmpty else { return [] }
    let segments = chart.series.flatMap { series in
      LineChartData.runs(of: series.points, where: \.isDrawable).flatMap { run in
        zip(run, run.dropFirst()).map { start, end in
          Segment(
            x1: xScale(start.x), y1: yScale(start.y), x2: xScale(end.x), y2: yScale(end.y))
        }
      }
    }
    let frame = Box(left: plotLeft, top: top, right: plotRight, bottom: top + plotHeight)
    var taken = marks.map { Box(left: $0.x - 6, top: $0.y - 6, right: $0.x + 6, bottom: $0.y + 6) }
    var unlabelled: [String] = []
    // Leaders lie below all texts, and rings above their own line's end.
    var texts = SVG()
    for mark in marks {
      let color = styles[mark.series].colorIndex + 1
      let circle = SeriesStyle.Marker.circle.path(x: mark.x, y: mark.y, r: 4.5)
      let label = mark.label.singleLine
      let place = LabelPlacement.beside(
        x: mark.x, y: mark.y, width: TextMetrics.width(label, size: ChartStyle.fontSize) + 6,
        height: ChartStyle.fontSize + 2, frame: frame, taken: taken, segments: segments)
      var leader: (x: Double, y: Double)?
      var text = SVG()
      if let place, !label.isEmpty {
        let centerX = (place.box.left + place.box.right) / 2
        if place.distance > 12 { leader = (centerX, (place.box.top + place.box.bottom) / 2) }
        text.text(label, x: centerX, y: place.box.bottom - 3.2, anchor: .middle, classes: "halo")
        taken.append(place.box)
      } else if !label.isEmpty {
        unlabelled.append("\(chart.series[mark.series].name) \(label)")
      }
      text.path(circle, classes: "ring s\(color)")
      if let leader {
        inSeries(mark.series, &svg) {
          $0.line(mark.x, mark.y, leader.x, leader.y, classes: "leader")
        }
      }
      inSeries(mark.series, &texts) { $0.add(text) }
    }
    svg.add(texts)
    return unlabelled
  }
}
