// SPDX-License-Identifier: Apache-2.0
import LCWReport
import Testing

struct ScatterChartTests {
  /// Points on a square lattice from -1 to 1.
  static let lattice = (0..<400).map {
    ChartPoint(Double($0 % 20) / 9.5 - 1, Double($0 / 20) / 9.5 - 1)
  }

  static func chart(_ groups: [[ScatterChart.Group]]) -> ScatterChart {
    ScatterChart(
      title: "Neurons", xLabel: "first", yLabel: "second",
      panels: groups.enumerated().map {
        ScatterChart.Panel(title: "panel \($0.offset)", groups: $0.element)
      })
  }

  /// The marks drawn in each path of points.
  static func markCounts(_ svg: MarkupDocument) -> [Int] {
    svg.elements.filter { $0.attributes["class"]?.hasPrefix("dots ") == true }.map {
      ($0.attributes["d"] ?? "").count { $0 == "M" }
    }
  }

  @Test func drawsEveryPointOfEachGroup() throws {
    let groups = [
      [ScatterChart.Group(name: "a", points: Self.lattice)],
      [
        ScatterChart.Group(name: "b", points: Array(Self.lattice.prefix(7))),
        ScatterChart.Group(name: "a", points: Array(Self.lattice.prefix(3))),
      ],
    ]
    let svg = try MarkupDocument(Self.chart(groups).svg())
    #expect(Self.markCounts(svg) == [400, 7, 3])
    let texts = svg.texts(of: "text")
    #expect(Set(["Neurons", "panel 0", "panel 1", "a", "b"]).isSubset(of: texts))
    #expect(texts.count { $0 == "first" } == 2)
    let dots = svg.elements.compactMap { $0.attributes["class"] }.filter { $0.hasPrefix("dots") }
    #expect(dots == ["dots s1", "dots s2", "dots s1"])
  }

  @Test func panelsShareTheirAxes() throws {
    let wide = Self.lattice.map { ChartPoint($0.x * 3, $0.y * 3) }
    let groups = [
      [ScatterChart.Group(name: "a", points: Self.lattice)],
      [ScatterChart.Group(name: "a", points: wide)],
    ]
    let texts = try MarkupDocument(Self.chart(groups).svg()).texts(of: "text")
    for tick in ["−3", "−2", "−1", "0", "1", "2", "3"] {
      #expect(texts.count { $0 == tick } == 4, "\(tick) is not on each axis")
    }
  }

  @Test func outliersAreCountedNotDrawn() throws {
    let far = [ChartPoint(1e6, 0), ChartPoint(0, -1e9)]
    let odd = [ChartPoint(.nan, 0), ChartPoint(0, .infinity), ChartPoint(1e305, 0)]
    let chart = Self.chart([[ScatterChart.Group(name: "a", points: Self.lattice + far + odd)]])
    let svg = try MarkupDocument(chart.svg())
    #expect(Self.markCounts(svg) == [400])
    let words = svg.texts(of: "text").joined(separator: " ")
    #expect(
      words.contains(
        "2 of 405 points lie beyond the axes, which show the middle 99% in each direction."))
    #expect(words.contains("3 points are not finite and are left out."))
  }

  @Test func tailsOfCompactDataAreShown() throws {
    let points = Self.lattice + [ChartPoint(1.2, 1.3)]
    let svg = try MarkupDocument(
      Self.chart([[ScatterChart.Group(name: "a", points: points)]]).svg())
    #expect(Self.markCounts(svg) == [401])
    #expect(!svg.texts(of: "text").contains { $0.contains("beyond") })
  }

  @Test func largeGroupsAreThinned() throws {
    let points = (0..<10_001).map { ChartPoint(Double($0), Double($0)) }
    let svg = try MarkupDocument(
      Self.chart([[ScatterChart.Group(name: "a", points: points)]]).svg())
    #expect(Self.markCounts(svg) == [ScatterChart.pointLimit])
    #expect(svg.texts(of: "text").contains("Of groups above 4000 points, as many are drawn."))
  }

  @Test func pointsTakeFewBytes() {
    let points = (0..<4000).map { ChartPoint(Double($0 * 37 % 4001), Double($0 * 91 % 4003)) }
    let size = Self.chart([[ScatterChart.Group(name: "a", points: points)]]).svg().utf8.count
    #expect(size < 4000 * 17 + 5000)
  }

  @Test func equalScalesKeepCirclesRound() throws {
    let points = Self.lattice.map { ChartPoint($0.x, $0.y / 10) }
    var chart = Self.chart([[ScatterChart.Group(name: "a", points: points)]])
    #expect(try MarkupDocument(chart.svg()).texts(of: "text").contains("0.10"))
    chart.hasEqualScales = true
    let texts = try MarkupDocument(chart.svg()).texts(of: "text")
    #expect(!texts.contains("0.10"))
    #expect(texts.count { $0 == "0.5" } == 2)
  }

  static let oddPoints: [[ChartPoint]] = [
    [], [ChartPoint(2, 3)], [ChartPoint(.nan, .nan)], [ChartPoint(0, 0), ChartPoint(0, 0)],
    [ChartPoint(-9e299, 9e299), ChartPoint(9e299, -9e299)],
  ]

  @Test(arguments: oddPoints)
  func oddData(points: [ChartPoint]) throws {
    for isEqual in [false, true] {
      var chart = Self.chart([[ScatterChart.Group(name: "a", points: points)], []])
      chart.hasEqualScales = isEqual
      let svg = try MarkupDocument(chart.svg())
      let data = svg.elements.compactMap { $0.attributes["d"] }
      #expect(!data.contains { $0.contains("nan") || $0.contains("inf") })
      let drawn = points.filter { $0.x.isFinite }.count
      #expect(Self.markCounts(svg).reduce(0, +) == drawn)
    }
  }

  @Test func noPanels() throws {
    #expect(try MarkupDocument(Self.chart([]).svg()).texts(of: "text") == ["Neurons"])
  }

  @Test func panelsWrapInNarrowFiles() throws {
    let groups = (0..<3).map { _ in [ScatterChart.Group(name: "a", points: Self.lattice)] }
    func rows(_ width: Double) throws -> Int {
      let svg = try MarkupDocument(Self.chart(groups).svg(width: width))
      let places = svg.named("g").compactMap { $0.attributes["transform"] }
      #expect(places.count == 3)
      return Set(places.compactMap { $0.split(separator: " ").dropFirst().first }).count
    }
    #expect(try rows(800) == 1)
    #expect(try rows(360) == 3)
  }
}
