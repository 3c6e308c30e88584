// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWReport
import Testing

struct ContourChartTests {
  /// f(x, y) over a square around the origin, whose scales differ to the right and upwards in the
  /// number of cells.
  static func chart(
    reach: Double = 2, title: String = "A bowl", _ f: (Double, Double) -> Double
  ) -> ContourChart {
    let (columns, rows) = (41, 33)
    func place(_ index: Int, _ count: Int) -> Double {
      -reach + 2 * reach * Double(index) / Double(count - 1)
    }
    return ContourChart(
      title: title, xLabel: "x", yLabel: "y",
      values: (0..<rows).map { row in
        (0..<columns).map { f(place($0, columns), place(row, rows)) }
      }, xRange: -reach...reach, yRange: -reach...reach,
      lines: [
        .init(
          name: "path", points: [ChartPoint(-1, 0), ChartPoint(0, 1), ChartPoint(1, 0)])
      ])
  }

  private static func numbers(_ text: String) -> [Double] {
    text.split { !"0123456789.-".contains($0) }.compactMap { Double($0) }
  }

  /// The bounds of the plot: left, top, right, bottom.
  private static func plot(_ svg: MarkupDocument) throws -> [Double] {
    let frame = try #require(
      svg.elements.first {
        $0.attributes["class"] == "axis" && ($0.attributes["d"] ?? "").hasSuffix("Z")
      }?.attributes["d"])
    let found = numbers(frame)
    try #require(found.count == 5)
    return [found[0], found[1], found[2], found[3]]
  }

  /// The levels that the description lists.
  private static func levels(_ svg: MarkupDocument) throws -> [Double] {
    let text = try #require(svg.texts(of: "desc").first)
    let list = try #require(text.split(separator: "contours at ").last?.split(separator: ";").first)
    return list.split(separator: ", ").compactMap { Double($0) }
  }

  @Test func contoursOfABowlAreCirclesOfTheRightRadius() throws {
    let svg = try MarkupDocument(Self.chart { $0 * $0 + $1 * $1 }.svg(width: 700))
    let plot = try Self.plot(svg)
    let levels = try Self.levels(svg)
    let contours = svg.elements.filter { $0.attributes["class"] == "axis contour" }
    #expect(levels.count == 9 && contours.count == levels.count)
    #expect(abs((plot[3] - plot[1]) - (plot[2] - plot[0])) < 0.1, "lengths differ by direction")
    for (contour, level) in zip(contours, levels) {
      let radius = level.squareRoot()
      let coordinates = Self.numbers(contour.attributes["d"] ?? "")
      #expect(coordinates.count > 16)
      for index in stride(from: 0, to: coordinates.count - 1, by: 2) {
        let x = -2 + 4 * (coordinates[index] - plot[0]) / (plot[2] - plot[0])
        let y = -2 + 4 * (plot[3] - coordinates[index + 1]) / (plot[3] - plot[1])
        // Along an edge of a cell of 0.125 a parabola differs from its chord by 0.002.
        let value = x * x + y * y
        #expect(abs(value - level) < 0.006 + 0.01 * level, "\(value) on the contour of \(level)")
      }
      // A circle that is cut by no edge runs all the way around.
      if radius < 2 {
        let angles = Set(
          stride(from: 0, to: coordinates.count - 1, by: 2).map { index in
            let (dx, dy) = (
              coordinates[index] - (plot[0] + plot[2]) / 2,
              coordinates[index + 1] - (plot[1] + plot[3]) / 2
            )
            return Int((atan2(dy, dx) + .pi) / (.pi / 2)) % 4
          })
        #expect(angles.count == 4)
      }
    }
  }

  @Test(arguments: [280.0, 360, 640], [2, 12_345, 1.5e-7])
  func numbersNeitherMeetNorReachOverAnEdge(width: Double, reach: Double) throws {
    let chart = Self.chart(reach: reach) { x, y in
      (x / reach) * (x / reach) + 3 * (y / reach) * (y / reach) + x / reach * 0.2
    }
    let svg = try MarkupDocument(chart.svg(width: width))
    let height = try #require(Double(svg.named("svg").first?.attributes["height"] ?? ""))
    struct Box {
      var text: String
      var left: Double
      var right: Double
      var top: Double
      var bottom: Double
    }
    let boxes = try svg.named("text").filter { $0.attributes["class"]?.contains("head") != true }
      .map { text -> Box in
        let x = try #require(Double(text.attributes["x"] ?? ""))
        let y = try #require(Double(text.attributes["y"] ?? ""))
        // Half an em for a digit, as in the sans-serif faces of most systems.
        let size = Double(text.text.count) * 12.5 * 0.56
        let left =
          switch text.attributes["text-anchor"] {
          case "middle": x - size / 2
          case "end": x - size
          default: x
          }
        return Box(text: text.text, left: left, right: left + size, top: y - 9, bottom: y + 1)
      }
    #expect(boxes.count > 10)
    for (index, box) in boxes.enumerated() {
      #expect(box.left >= 0 && box.right <= width && box.top >= 0 && box.bottom <= height, "\(box)")
      for other in boxes.dropFirst(index + 1) {
        let meet =
          box.left < other.right && other.left < box.right && box.top < other.bottom
          && other.top < box.bottom
        #expect(!meet, "\(box) meets \(other)")
      }
    }
    let plot = try Self.plot(svg)
    let levels = svg.elements.filter { $0.attributes["class"]?.contains("level") == true }
    #expect(levels.count > 2)
    for level in levels {
      let x = try #require(Double(level.attributes["x"] ?? ""))
      #expect(x > plot[0] && x < plot[2])
    }
  }

  @Test func aFlatPlaneHasNoContours() throws {
    let svg = try MarkupDocument(Self.chart { _, _ in 0.25 }.svg())
    #expect(!svg.elements.contains { $0.attributes["class"] == "axis contour" })
    let holes = Self.chart { x, y in x > 1 ? .nan : x * x + y * y }
    #expect(try Self.levels(MarkupDocument(holes.svg())).count == 9)
  }
}
