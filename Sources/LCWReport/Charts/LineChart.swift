// SPDX-License-Identifier: Apache-2.0

/// Lines over a common axis, such as accuracy along paths.
///
/// Numbers that are not finite (or beyond 10³⁰⁰) are left out: a line has a gap there, and a note
/// under the chart counts them.
public struct LineChart: Sendable, Hashable {
  /// A line.
  public struct Series: Sendable, Hashable {
    /// The line's name.
    public var name: String
    /// The points, in the order in which they are joined.
    public var points: [ChartPoint]
    /// What the line looks like; the style of its place among the series if there is none.
    public var style: SeriesStyle?
    /// Points with a ring and a label, such as the worst.
    public var marks: [Mark]
    /// A region around the line, such as a mean with a deviation.
    public var band: [BandPoint]

    /// A line.
    public init(
      name: String, points: [ChartPoint], style: SeriesStyle? = nil, marks: [Mark] = [],
      band: [BandPoint] = []
    ) {
      self.name = name
      self.points = points
      self.style = style
      self.marks = marks
      self.band = band
    }
  }

  /// A point with a ring and a label.
  public struct Mark: Sendable, Hashable {
    /// Where.
    public var point: ChartPoint
    /// What stands beside it.
    public var label: String

    /// A mark.
    public init(_ point: ChartPoint, label: String) {
      self.point = point
      self.label = label
    }
  }

  /// Where a band is, at an x.
  public struct BandPoint: Sendable, Hashable {
    /// The place along the axis.
    public var x: Double
    /// The band's lower edge.
    public var lower: Double
    /// The band's upper edge.
    public var upper: Double

    /// A point of a band.
    public init(x: Double, lower: Double, upper: Double) {
      self.x = x
      self.lower = lower
      self.upper = upper
    }

    var isDrawable: Bool { x.isDrawable && lower.isDrawable && upper.isDrawable }
  }

  /// A horizontal line at a level, such as the accuracy of the end points.
  public struct Reference: Sendable, Hashable {
    /// What the level is.
    public var label: String
    /// The level.
    public var y: Double

    /// A level.
    public init(_ label: String, y: Double) {
      self.label = label
      self.y = y
    }
  }

  /// A vertical line, such as the start of a stage.
  public struct Boundary: Sendable, Hashable {
    /// What begins or lies there.
    public var label: String
    /// Where.
    public var x: Double

    /// A vertical line.
    public init(_ label: String, x: Double) {
      self.label = label
      self.x = x
    }
  }

  /// What the chart shows.
  public var title: String
  /// What runs to the right.
  public var xLabel: String
  /// How numbers to the right are written: ``AxisTicks/Format/count`` for numbers of things.
  public var xFormat: AxisTicks.Format
  /// What runs upwards.
  public var yLabel: String
  /// How numbers upwards are written: ``AxisTicks/Format/percent`` for fractions.
  public var yFormat: AxisTicks.Format
  /// The lines.
  public var series: [Series]
  /// Horizontal lines.
  public var references: [Reference]
  /// Vertical lines.
  public var boundaries: [Boundary]
  /// Parts of the axis to the right that take little room, such as stages of a path in which nothing
  /// changes; they do not overlap.
  public var narrow: [ClosedRange<Double>]
  /// What to show upwards; all there is, with some room, if nothing is given. What lies beyond is
  /// cut off, and a note says so.
  public var yRange: ClosedRange<Double>?

  /// A chart.
  public init(
    title: String, xLabel: String, yLabel: String, xFormat: AxisTicks.Format = .number,
    yFormat: AxisTicks.Format = .number,
    series: [Series], references: [Reference] = [], boundaries: [Boundary] = [],
    narrow: [ClosedRange<Double>] = [], yRange: ClosedRange<Double>? = nil
  ) {
    self.title = title
    self.xLabel = xLabel
    self.xFormat = xFormat
    self.yLabel = yLabel
    self.yFormat = yFormat
    self.series = series
    self.references = references
    self.boundaries = boundaries
    self.narrow = narrow
    self.yRange = yRange
  }

  /// The chart as an SVG file on a white background.
  ///
  /// Text keeps its size, and the layout follows the width: 800 suits a page, 360 a phone or a
  /// column of a paper.
  /// - Parameter width: In pixels; at least 280.
  public func svg(width: Double) -> String {
    LineChartDrawing(chart: self, width: width, id: "chart", isFile: true).document
  }

  /// The chart as an `<svg>` element for a page that has ``Report``'s style.
  func inlineSVG(width: Double, id: String, classes: String) -> String {
    LineChartDrawing(chart: self, width: width, id: id, isFile: false, classes: classes).document
  }
}

extension LineChart: Chart {
  /// The chart as an SVG file of its usual width.
  public func svg() -> String { svg(width: 800) }

  /// The chart for wide windows and for narrow ones.
  public func figure(id: String) -> ChartFigure {
    ChartFigure(id, width: 800.0) { inlineSVG(width: $0, id: $1, classes: $2) }
  }
}
