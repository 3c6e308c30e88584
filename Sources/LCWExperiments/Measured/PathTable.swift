// SPDX-License-Identifier: Apache-2.0
public import LCWReport

/// A row of a table of measured paths.
public struct PathRow: Sendable {
  /// What its figures are of.
  public enum Content: Sendable {
    /// One path.
    case path(MeasuredPath)
    /// Several paths: their means and standard deviations.
    case mean([MeasuredPath])
    /// Networks that paths end at.
    case ends([EndPoint])
  }

  /// The cells that say what it is, as many as the table has columns for that.
  public var names: [Table.Cell]
  /// What its figures are of.
  public var content: Content
  /// Published accuracies that stand beside.
  var published: PublishedFigures?
  /// Whether a mean of a single value has a deviation too, 0: so that machines find the same fields for any
  /// number of paths.
  public var alwaysHasDeviation = false

  /// A row.
  public init(_ names: [Table.Cell], _ content: Content) {
    self.names = names
    self.content = content
  }
}

extension Table {
  /// A table of measured paths.
  ///
  /// - Parameters:
  ///   - caption: What it shows, or nothing.
  ///   - names: The columns that say what a row is.
  ///   - figures: The columns of figures.
  ///   - rows: The rows.
  public init(
    caption: String? = nil, names: [Column], figures: [PathColumn], rows: [PathRow]
  ) {
    self.init(
      caption: caption, columns: names + figures.map(\.heading),
      rows: rows.map { row in row.names + figures.map { $0.cell(row) } })
  }
}
