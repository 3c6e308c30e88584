// SPDX-License-Identifier: Apache-2.0

/// Columns and rows, to be rendered for a terminal, a page or a machine.
public struct Table: Sendable, Hashable {
  /// Where the cells of a column stand.
  public enum Alignment: Sendable, Hashable {
    /// Text, to the left.
    case text
    /// Numbers, to the right.
    case number
  }

  /// A column.
  public struct Column: Sendable, Hashable {
    /// What people read above it.
    public var title: String
    /// What machines read: the field in CSV and the key in JSON.
    public var key: String
    /// Where its cells stand.
    public var alignment: Alignment
    /// A remark for people, put under the table.
    public var note: String?

    /// A column; its key is its title unless given.
    public init(
      _ title: String, key: String? = nil, alignment: Alignment = .text, note: String? = nil
    ) {
      self.title = title
      self.key = key ?? title
      self.alignment = alignment
      self.note = note
    }
  }

  /// What the table shows, or nothing.
  public var caption: String?
  /// Remarks on the whole, put under the table, behind those on columns.
  public var notes: [String] = []
  /// The columns, left to right.
  public let columns: [Column]
  /// The rows, each with a cell for each column.
  public private(set) var rows: [[Cell]] = []

  /// A table.
  /// - Precondition: Each row has as many cells as there are columns.
  public init(caption: String? = nil, columns: [Column], rows: [[Cell]] = []) {
    self.caption = caption
    self.columns = columns
    for row in rows { append(row) }
  }

  /// Adds a row at the end.
  /// - Precondition: The row has as many cells as there are columns.
  public mutating func append(_ row: [Cell]) {
    precondition(
      row.count == columns.count,
      "a row has \(row.count) cells, but the table has \(columns.count) columns")
    rows.append(row)
  }

  /// What stands under the table: the remarks on columns, each behind its column's title, and those
  /// on the whole.
  var allNotes: [String] {
    columns.compactMap { column in column.note.map { "\(column.title): \($0)" } } + notes
  }

  /// The columns' keys, told apart where two are the same.
  var distinctKeys: [String] {
    var used: Set<String> = []
    return columns.map { column in
      var key = column.key
      var count = 1
      while !used.insert(key).inserted {
        count += 1
        key = "\(column.key) \(count)"
      }
      return key
    }
  }
}
