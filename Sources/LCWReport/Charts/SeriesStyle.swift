// SPDX-License-Identifier: Apache-2.0

/// What a series or a group looks like: a colour, and a dash and a marker that tell it apart
/// without colour.
public struct SeriesStyle: Sendable, Hashable {
  /// How a line is drawn.
  public enum Dash: String, Sendable, Hashable, CaseIterable {
    /// Unbroken.
    case solid
    /// Dashes.
    case dashed
    /// Dots.
    case dotted
    /// Dashes and dots in turn.
    case dashDot
  }

  /// The sign at points.
  public enum Marker: String, Sendable, Hashable, CaseIterable {
    /// A disc.
    case circle
    /// A square.
    case square
    /// A triangle, point up.
    case triangle
    /// A square on its corner.
    case diamond
    /// Two strokes, crossed aslant.
    case cross
    /// A triangle, point down.
    case triangleDown
  }

  /// The colours there are.
  public static let colorCount = Palette.light.series.count

  /// The colour, from 0 to ``colorCount`` - 1; other numbers wrap around.
  public var color: Int
  /// How the line is drawn.
  public var dash: Dash
  /// The sign at points, or none.
  public var marker: Marker?

  /// A style.
  public init(color: Int, dash: Dash = .solid, marker: Marker? = nil) {
    self.color = color
    self.dash = dash
    self.marker = marker
  }

  /// The style of the series at an index: 24 that differ in dash or marker, each six in six
  /// colours.
  public init(index: Int) {
    let index = Int(index.magnitude % 24)
    self.init(
      color: index % 6, dash: Dash.allCases[index / 6], marker: Marker.allCases[index % 6])
  }

  /// The colour's number within the palette.
  var colorIndex: Int {
    let count = SeriesStyle.colorCount
    return (color % count + count) % count
  }
}

extension SeriesStyle.Dash {
  /// The SVG dash pattern, or nothing for an unbroken line.
  var pattern: String? {
    switch self {
    case .solid: nil
    case .dashed: "7 4"
    case .dotted: "1.5 3.5"
    case .dashDot: "9 3.5 2 3.5"
    }
  }
}

extension SeriesStyle.Marker {
  /// The outline around a centre, `r` the radius of the circle; shapes of one area look alike in
  /// size.
  func path(x: Double, y: Double, r: Double) -> String {
    func polygon(_ corners: [(Double, Double)]) -> String {
      "M" + corners.map { SVG.pair(x + $0.0 * r, y + $0.1 * r) }.joined(separator: "L") + "Z"
    }
    switch self {
    case .circle:
      let d = SVG.number(2 * r)
      let radius = SVG.number(r)
      return "M\(SVG.pair(x - r, y))a\(radius) \(radius) 0 1 0 \(d) 0"
        + "a\(radius) \(radius) 0 1 0 -\(d) 0Z"
    case .square: return polygon([(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)])
    case .triangle: return polygon([(0, -1.25), (1.15, 0.8), (-1.15, 0.8)])
    case .diamond: return polygon([(0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)])
    case .triangleDown: return polygon([(0, 1.25), (1.15, -0.8), (-1.15, -0.8)])
    case .cross:
      return polygon([
        (-1.2, -0.8), (-0.8, -1.2), (0, -0.4), (0.8, -1.2), (1.2, -0.8), (0.4, 0),
        (1.2, 0.8), (0.8, 1.2), (0, 0.4), (-0.8, 1.2), (-1.2, 0.8), (-0.4, 0),
      ])
    }
  }
}
