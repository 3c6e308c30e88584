// SPDX-License-Identifier: Apache-2.0

/// A chart of any kind: all that reports, figures and files ask of one.
public protocol Chart: Sendable {
  /// What it shows.
  var title: String { get }

  /// The chart as an SVG file of its usual width on a white background.
  func svg() -> String

  /// The chart as part of a page that has ``Report``'s style.
  /// - Parameter id: A name that is unique on the page; names within the chart begin with it.
  func figure(id: String) -> ChartFigure
}

/// A chart as part of a page.
public struct ChartFigure: Sendable, Hashable {
  /// The markup.
  public var content: String
  /// Sentences that belong into its caption.
  public var notes: [String]

  /// A chart as part of a page.
  public init(content: String, notes: [String] = []) {
    self.content = content
    self.notes = notes
  }

  /// A drawing for wide windows and another for narrow ones, of which the style shows one.
  init(
    _ id: String, width: Double, _ drawing: (Double, _ id: String, _ classes: String) -> String
  ) {
    self.init(
      content: drawing(width, "\(id)-wide", "chart wide")
        + drawing(ChartFigure.narrow, "\(id)-narrow", "chart narrow"))
  }

  private static let narrow = 360.0
}
