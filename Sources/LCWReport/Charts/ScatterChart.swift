// SPDX-License-Identifier: Apache-2.0

/// Clouds of points in panels side by side, on axes of one range.
///
/// The axes show all points if these lie close together, else the middle 99 % in each direction;
/// the points beyond are counted in a note. Numbers that are not finite are left out and counted
/// too.
public struct ScatterChart: Sendable, Hashable {
  /// Points of one kind.
  public struct Group: Sendable, Hashable {
    /// The kind's name; a group of the same name in another panel looks the same.
    public var name: String
    /// The points. Of more than ``ScatterChart/pointLimit``, evenly spaced ones are drawn.
    public var points: [ChartPoint]
    /// What the points look like; the style of the name's place among all names if there is none.
    public var style: SeriesStyle?

    /// Points of one kind.
    public init(name: String, points: [ChartPoint], style: SeriesStyle? = nil) {
      self.name = name
      self.points = points
      self.style = style
    }
  }

  /// A panel.
  public struct Panel: Sendable, Hashable {
    /// What stands above it.
    public var title: String
    /// The points; later groups are drawn over earlier ones.
    public var groups: [Group]

    /// A panel.
    public init(title: String, groups: [Group]) {
      self.title = title
      self.groups = groups
    }
  }

  /// The points of a group that are drawn at most.
  public static let pointLimit = 4000

  /// What the chart shows.
  public var title: String
  /// What runs to the right in each panel.
  public var xLabel: String
  /// What runs upwards in each panel.
  public var yLabel: String
  /// The panels, in reading order.
  public var panels: [Panel]
  /// Whether a unit is as long to the right as upwards, so that a circle stays one.
  public var hasEqualScales: Bool

  /// A chart.
  public init(
    title: String, xLabel: String, yLabel: String, panels: [Panel], hasEqualScales: Bool = false
  ) {
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.panels = panels
    self.hasEqualScales = hasEqualScales
  }

  /// The chart as one SVG file on a white background, its panels in rows that fit the width.
  /// - Parameter width: In pixels; at least 280.
  public func svg(width: Double) -> String {
    ScatterChartDrawing(chart: self).file(width: width.isDrawable ? max(width, 280) : 800)
  }
}

extension ScatterChart: Chart {
  /// The chart as an SVG file of its usual width.
  public func svg() -> String { svg(width: 800) }

  /// The legend and the panels, which find their places by the page's width.
  public func figure(id: String) -> ChartFigure {
    let drawing = ScatterChartDrawing(chart: self)
    let panels = drawing.inlinePanels(id: id).joined()
    return ChartFigure(
      content: drawing.legendMarkup + "<div class=\"panels\">\n\(panels)</div>\n",
      notes: drawing.data.notes)
  }
}
