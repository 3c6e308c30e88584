// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A value over a plane, drawn as contours on shaded cells, with lines such as paths over it.
public struct ContourChart: Sendable, Hashable {
  /// A line over the plane.
  public struct Line: Sendable, Hashable {
    /// The line's name.
    public var name: String
    /// Its points, in the order in which they are joined; the ends get a disc each.
    public var points: [ChartPoint]

    /// A line.
    public init(name: String, points: [ChartPoint]) {
      self.name = name
      self.points = points
    }
  }

  /// What the chart shows.
  public var title: String
  /// What runs to the right.
  public var xLabel: String
  /// What runs upwards.
  public var yLabel: String
  /// The values on a grid: rows from the bottom, each from the left; all rows of one length.
  public var values: [[Double]]
  /// Where the first and the last column are.
  public var xRange: ClosedRange<Double>
  /// Where the first and the last row are.
  public var yRange: ClosedRange<Double>
  /// The lines.
  public var lines: [Line]

  /// A chart.
  /// - Precondition: `values` has two rows or more, of one length of two or more.
  public init(
    title: String, xLabel: String, yLabel: String, values: [[Double]],
    xRange: ClosedRange<Double>, yRange: ClosedRange<Double>, lines: [Line] = []
  ) {
    precondition(
      values.count > 1 && values[0].count > 1 && values.allSatisfy { $0.count == values[0].count },
      "a plane has two rows or more of one length of two or more")
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.values = values
    self.xRange = xRange
    self.yRange = yRange
    self.lines = lines
  }

  /// The chart as an SVG file on a white background.
  public func svg(width: Double) -> String {
    ContourChartDrawing(chart: self, width: width, id: "chart", isFile: true).document
  }

  /// The chart as an `<svg>` element for a page that has ``Report``'s style.
  func inlineSVG(width: Double, id: String, classes: String) -> String {
    ContourChartDrawing(chart: self, width: width, id: id, isFile: false, classes: classes).document
  }

  /// The values that contours are drawn at: as many in each factor of what is above the lowest, so
  /// that the floor of a valley shows as well as its walls.
  var levels: [Double] {
    let finite = values.joined().filter(\.isDrawable)
    guard let low = finite.min(), let high = finite.max(), high - low > high.magnitude * 1e-9 else {
      return []
    }
    let count = 9
    let smallest = 0.004
    return (0..<count).map { index in
      let share = Double(index) / Double(count)
      return low + (high - low) * smallest * pow(1 / smallest, share)
    }
  }
}

extension ContourChart: Chart {
  /// The chart as an SVG file of its usual width.
  public func svg() -> String { svg(width: 640) }

  /// The chart for wide windows and for narrow ones.
  public func figure(id: String) -> ChartFigure {
    ChartFigure(id, width: 640) { inlineSVG(width: $0, id: $1, classes: $2) }
  }
}
