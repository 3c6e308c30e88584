// SPDX-License-Identifier: Apache-2.0
import LCWReport
import Testing

struct LineChartTests {
  static func series(_ count: Int, points: Int = 41, marks: Bool = false) -> [LineChart.Series] {
    (0..<count).map { index in
      let points = (0..<points).map { step in
        let t = Double(step) / Double(max(points - 1, 1))
        return ChartPoint(t, 0.98 - 4 * t * (1 - t) * 0.005 * Double(index))
      }
      let worst = points[points.count / 2]
      return LineChart.Series(
        name: "method \(index)", points: points,
        marks: marks ? [LineChart.Mark(worst, label: "\(index): worst")] : [])
    }
  }

  static func chart(_ series: [LineChart.Series]) -> LineChart {
    LineChart(
      title: "Accuracy", xLabel: "t", yLabel: "test accuracy", yFormat: .percent, series: series)
  }

  @Test func drawsTitleLabelsTicksAndLegend() throws {
    let svg = try MarkupDocument(Self.chart(Self.series(3)).svg())
    let texts = svg.texts(of: "text")
    for expected in [
      "Accuracy", "t", "test accuracy", "method 0", "method 1", "method 2", "0", "0.5", "1.0",
      "98.0%", "97.0%",
    ] {
      #expect(texts.contains(expected), "\(expected) is not in \(texts)")
    }
    let root = try #require(svg.elements.first)
    #expect(root.attributes["role"] == "img")
    #expect(root.attributes["aria-labelledby"] == "chart-title chart-desc")
    #expect(root.attributes["viewBox"]?.hasPrefix("0 0 800 ") == true)
    #expect(try svg.element(id: "chart-title").text == "Accuracy")
    #expect(
      try svg.element(id: "chart-desc").text == """
        test accuracy over t, 3 lines. method 0: from 98.00% at 0 to 98.00% at 0. \
        method 1: from 97.50% at 0.5000 to 98.00% at 0. \
        method 2: from 97.00% at 0.5000 to 98.00% at 0.
        """)
  }

  @Test func pointsOnAPageNameTheirSeriesAndPlace() throws {
    let chart = Self.chart(Self.series(2))
    let page = try MarkupDocument("<div>\(chart.figure(id: "f").content)</div>")
    let places = page.elements.filter { $0.attributes["class"] == "place" }
    // Both drawings, for wide and for narrow windows, have all points.
    #expect(places.count == 2 * 2 * 41 && places.allSatisfy { $0.name == "circle" })
    #expect(places.contains { $0.text == "method 1: t 0.5, 97.50%" })
    // Of many points some are enough, and a file of its own has none.
    let long = try MarkupDocument(
      "<div>\(Self.chart(Self.series(1, points: 1000)).figure(id: "f").content)</div>")
    #expect((100...128).contains(long.elements.count { $0.attributes["class"] == "place" }))
    #expect(!chart.svg().contains("<circle"))
  }

  @Test func mapsDataToThePlot() throws {
    let chart = LineChart(
      title: "", xLabel: "x", yLabel: "y",
      series: [LineChart.Series(name: "", points: [ChartPoint(0, 0), ChartPoint(10, 4)])],
      yRange: 0...4)
    let svg = try MarkupDocument(chart.svg())
    let line = try #require(svg.elements.first { $0.attributes["class"] == "line s1" })
    let axis = try #require(svg.elements.first { $0.attributes["class"] == "axis" })
    let top = try #require(
      svg.elements.filter { $0.attributes["class"] == "grid" }.last?.attributes["d"])
    // The line goes from the axis' left end to the top grid line's right end.
    let data = try #require(line.attributes["d"])
    let axisStart = try #require(axis.attributes["d"]?.split(separator: "L").first)
    #expect(data.hasPrefix(axisStart + "L"))
    #expect(data.split(separator: "L").last == top.split(separator: "L").last)
  }

  @Test func narrowPartsTakeLittleRoom() throws {
    let points = (0...4).map { ChartPoint(Double($0), 1) }
    func places(_ narrow: [ClosedRange<Double>]) throws -> (x: [Double], texts: [String]) {
      let chart = LineChart(
        title: "", xLabel: "t", yLabel: "y",
        series: [LineChart.Series(name: "", points: points)], narrow: narrow, yRange: 0...2)
      let svg = try MarkupDocument(chart.svg())
      let line = try #require(svg.elements.first { $0.attributes["class"] == "line s1" })
      let data = try #require(line.attributes["d"]).dropFirst().split(separator: "L")
      return (
        data.compactMap { $0.split(separator: " ").first.flatMap { Double($0) } },
        svg.texts(of: "text")
      )
    }
    let (even, warped) = (try places([]), try places([2...3]))
    #expect(even.x.count == 5 && warped.x.count == 5)
    #expect(even.x[0] == warped.x[0] && even.x[4] == warped.x[4])
    let widths = zip(warped.x, warped.x.dropFirst()).map { $1 - $0 }
    #expect(abs(widths[0] - widths[1]) < 0.2 && abs(widths[0] - widths[3]) < 0.2)
    #expect(abs(widths[2] / widths[0] - 0.15) < 0.01)
    // The axis tells t all the same, but for what lies within.
    #expect(Set(["0", "1.0", "2.0", "3.0", "4.0"]).isSubset(of: warped.texts))
    #expect(!warped.texts.contains("2.5"))
    #expect(even.texts.contains("2.5"))
  }

  @Test func marksReferencesBoundariesAndBands() throws {
    var series = Self.series(1, marks: true)
    series[0].band = series[0].points.map {
      LineChart.BandPoint(x: $0.x, lower: $0.y - 0.01, upper: $0.y + 0.01)
    }
    var chart = Self.chart(series)
    chart.references = [LineChart.Reference("end points", y: 0.96)]
    chart.boundaries = [LineChart.Boundary("layer 1", x: 0), LineChart.Boundary("layer 2", x: 0.5)]
    let svg = try MarkupDocument(chart.svg())
    let texts = svg.texts(of: "text")
    #expect(Set(["end points", "layer 1", "layer 2", "0: worst"]).isSubset(of: texts))
    let classes = svg.elements.compactMap { $0.attributes["class"] }
    #expect(classes.count { $0 == "ring s1" } == 1)
    #expect(classes.count { $0 == "band f1" } == 1)
    #expect(classes.count { $0 == "boundary" } == 2)
    #expect(classes.count { $0 == "reference" } == 1)
  }

  @Test func namesStandBesideLinesThatEndApart() throws {
    let apart = [0.2, 0.5, 0.8].map { level in
      LineChart.Series(name: "at \(level)", points: [ChartPoint(0, 0.5), ChartPoint(1, level)])
    }
    let direct = try MarkupDocument(Self.chart(apart).svg())
    let together = try MarkupDocument(Self.chart(Self.series(3)).svg())
    // Samples in a legend have a line and a marker each.
    #expect(direct.elements.count { $0.attributes["class"] == "marker f1" } == 1)
    #expect(together.elements.count { $0.attributes["class"] == "marker f1" } == 2)
    #expect(Set(direct.texts(of: "text")).isSuperset(of: ["at 0.2", "at 0.5", "at 0.8"]))
  }

  @Test func numbersThatAreNotFiniteAreGaps() throws {
    let values = [1, 2, .nan, 3, .infinity, 4, 5, -.infinity, 1e305]
    let points = values.enumerated().map { ChartPoint(Double($0.offset), $0.element) }
    let chart = LineChart(
      title: "Gaps", xLabel: "x", yLabel: "y",
      series: [
        LineChart.Series(
          name: "a", points: points + [ChartPoint(.nan, 1)],
          marks: [LineChart.Mark(ChartPoint(2, .nan), label: "lost")],
          band: [LineChart.BandPoint(x: 0, lower: .nan, upper: 1)])
      ],
      references: [LineChart.Reference("nowhere", y: .nan)],
      boundaries: [LineChart.Boundary("never", x: .infinity)])
    let text = chart.svg()
    let svg = try MarkupDocument(text)
    let line = try #require(svg.elements.last { $0.attributes["class"] == "line s1" })
    #expect(line.attributes["d"]?.filter { $0 == "M" }.count == 2)
    #expect(svg.texts(of: "text").contains("7 points are not finite and are left out."))
    let attributes = svg.elements.flatMap(\.attributes.values)
    #expect(!attributes.contains { $0.contains("nan") || $0.contains("inf") })
    #expect(!text.contains("nowhere") && !text.contains("never") && !text.contains("lost"))
  }

  static let oddPoints: [[ChartPoint]] = [
    [], [ChartPoint(2, 3)], [ChartPoint(.nan, .nan)], [ChartPoint(0, 0), ChartPoint(0, 0)],
    [ChartPoint(0, 5), ChartPoint(1, 5), ChartPoint(2, 5)],
    [ChartPoint(-9e299, 9e299), ChartPoint(9e299, -9e299)],
    [ChartPoint(0, .leastNonzeroMagnitude), ChartPoint(.leastNonzeroMagnitude, 0)],
    [ChartPoint(1, 1), ChartPoint(1.0.nextUp, 1)],
  ]

  @Test(arguments: oddPoints)
  func oddData(points: [ChartPoint]) throws {
    for format in [AxisTicks.Format.number, .percent] {
      let chart = LineChart(
        title: "Odd", xLabel: "x", yLabel: "y", yFormat: format,
        series: [LineChart.Series(name: "a", points: points)])
      let svg = try MarkupDocument(chart.svg())
      let hasData = points.contains { $0.x.isFinite }
      #expect(svg.texts(of: "text").contains("no data") == !hasData)
      let attributes = svg.elements.compactMap { $0.attributes["d"] }
      #expect(!attributes.contains { $0.contains("nan") || $0.contains("inf") })
      // Every chart has numbers along both axes.
      #expect(svg.texts(of: "text").count { $0.contains { $0.isNumber } } >= 4)
    }
  }

  @Test func noSeries() throws {
    let svg = try MarkupDocument(Self.chart([]).svg())
    #expect(svg.texts(of: "text").contains("no data"))
  }

  @Test func aGivenRangeCutsOffAndSaysSo() throws {
    var chart = Self.chart(Self.series(3))
    chart.yRange = 0.973...0.981
    let svg = try MarkupDocument(chart.svg())
    #expect(svg.texts(of: "text").contains("Partly beyond the range shown: method 2."))
    #expect(svg.named("g").first?.attributes["clip-path"] == "url(#chart-clip)")
    #expect(try svg.element(id: "chart-clip").name == "clipPath")
  }

  @Test func twelveSeriesDifferWithoutColor() throws {
    let styles = (0..<24).map { SeriesStyle(index: $0) }
    let shapes = Set(styles.map { "\($0.dash) \($0.marker?.rawValue ?? "none")" })
    #expect(shapes.count == 24)
    #expect(Set((0..<6).map { SeriesStyle(index: $0).color }).count == SeriesStyle.colorCount)
    let svg = try MarkupDocument(Self.chart(Self.series(12)).svg())
    let lines = svg.elements.filter { $0.attributes["class"]?.hasPrefix("line ") == true }
    // A sample and a line each.
    #expect(lines.count == 24)
    #expect(lines.count { $0.attributes["stroke-dasharray"] != nil } == 12)
  }

  @Test(arguments: 1...12, [280, 360, 800] as [Double])
  func textsDoNotOverlap(count: Int, width: Double) throws {
    var chart = Self.chart(Self.series(count, marks: true))
    if count > 4 { chart.series[1].name = "garipov:points=5,epochs=30,rate=0.01,bend=conv,seed=11" }
    chart.references = [
      LineChart.Reference("end points", y: 0.98), LineChart.Reference("mean", y: 0.979),
    ]
    chart.boundaries = (0..<count).map {
      LineChart.Boundary("layer \($0 + 1)", x: Double($0) / Double(count))
    }
    let svg = try MarkupDocument(chart.svg(width: width))
    let boxes = try TextBox.all(in: svg)
    let size = try #require(svg.elements[0].attributes["viewBox"]).split(separator: " ")
    let height = try #require(Double(size[3]))
    for (index, box) in boxes.enumerated() {
      #expect(box.left >= 0 && box.right <= width && box.bottom <= height, "cut: \(box)")
      for other in boxes[(index + 1)...] {
        #expect(!box.overlaps(other), "\(box) stands over \(other)")
      }
    }
    let words = svg.texts(of: "text").joined(separator: " ")
    for index in 0..<count { #expect(words.contains("\(index): worst")) }
  }

  @Test func boundariesWithoutRoomAreListed() throws {
    var chart = Self.chart(Self.series(1))
    chart.boundaries = (1...40).map { LineChart.Boundary("conv \($0)", x: Double($0) / 40) }
    let words = try MarkupDocument(chart.svg()).texts(of: "text").joined(separator: " ")
    #expect(words.contains("Vertical lines, left to right: conv 1, conv 2,"))
    #expect(words.contains("conv 39, conv 40."))
  }

  @Test func textIsEscaped() throws {
    let nasty = "<script>\"&'\u{0}</svg>"
    var chart = Self.chart(Self.series(2))
    chart.title = nasty
    chart.series[0].name = nasty
    chart.boundaries = [LineChart.Boundary(nasty, x: 0.5)]
    let svg = try MarkupDocument(chart.svg())
    #expect(svg.named("script").isEmpty)
    #expect(try svg.element(id: "chart-title").text == "<script>\"&'\\0</svg>")
  }

  @Test func theSameChartGivesTheSameText() {
    let chart = Self.chart(Self.series(12, marks: true))
    #expect(chart.svg() == chart.svg())
  }
}

/// Where a text of a chart stands, by a plain estimate of its width.
struct TextBox: CustomStringConvertible {
  var text: String
  var left: Double
  var right: Double
  var top: Double
  var bottom: Double

  var description: String { "'\(text)' (\(left)…\(right), \(top)…\(bottom))" }

  static func all(in svg: MarkupDocument) throws -> [TextBox] {
    try svg.named("text").map { element in
      let x = try #require(element.attributes["x"].flatMap(Double.init))
      let y = try #require(element.attributes["y"].flatMap(Double.init))
      // Helvetica's widths at the charts' size, roughly: narrow letters and all others.
      let width = element.text.reduce(0) { $0 + (" ,:.ijlt1|'()".contains($1) ? 3.6 : 6.9) }
      let left =
        switch element.attributes["text-anchor"] {
        case "middle": x - width / 2
        case "end": x - width
        default: x
        }
      return TextBox(text: element.text, left: left, right: left + width, top: y - 9, bottom: y + 2)
    }
  }

  func overlaps(_ other: TextBox) -> Bool {
    left < other.right && other.left < right && top < other.bottom && other.top < bottom
  }
}
