// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWFiles

/// What each column of a table is.
struct TableColumns {
  /// What a column is for.
  enum Role {
    case feature, label, skipped
  }

  /// The role of each column.
  let roles: [Role]
  /// The columns that have the numbers of a sample.
  let features: [Int]
  /// The column that has the labels.
  let label: Int

  /// - Throws: ``DataError`` if a name is none of a column, or no column is left.
  init(_ layout: TableLayout, label: String, skip: String) throws(DataError) {
    let labelColumn = try layout.column(label, option: "label")
    var roles = [Role](repeating: .feature, count: layout.columns)
    let isOne = !skip.isEmpty && layout.column(skip) != nil
    let parts = isOne ? [skip] : Self.parts(of: skip)
    for part in parts { roles[try layout.column(part, option: "skip")] = .skipped }
    guard roles[labelColumn] == .feature else {
      throw .damaged(
        file: layout.file.path,
        reason: "\(layout.text(ofColumn: labelColumn)) is both label and skipped")
    }
    roles[labelColumn] = .label
    let features = roles.indices.filter { roles[$0] == .feature }
    guard !features.isEmpty else {
      throw .damaged(
        file: layout.file.path,
        reason: layout.columns == 1
          ? "its rows have one field; if another delimiter than a comma, tab, semicolon, bar or blank "
            + "is between fields, replace it" : "no column is left for the samples")
    }
    if let names = layout.names, let unnamed = features.first(where: { names[$0].isEmpty }) {
      throw .damaged(
        file: layout.file.path,
        reason:
          "column \(unnamed + 1) has no name in the header, as row numbers that other programs "
          + "write; leave it out with skip=\(unnamed + 1), or give it a name")
    }
    self.roles = roles
    self.features = features
    self.label = labelColumn
  }

  /// The columns of a list with plus signs between.
  static func parts(of list: String) -> [String] {
    list.split(separator: "+").map(String.init)
  }
}

/// Reads the rows of a table into numbers and labels, a block of the file at a time.
struct TableReader {
  var layout: TableLayout
  var columns: TableColumns
  var memory: DataMemory
  /// Whether the numbers are changed later, for which there are two copies for a while.
  var isCopied: Bool
  /// The part of the samples that is copied to a test set.
  var share: Double

  /// All rows.
  /// - Parameter number: What stands for a label that begins on a line.
  /// - Throws: ``DataError``.
  func samples(
    _ number: (ArraySlice<UInt8>, Int) throws -> Int32
  ) throws -> RawSamples {
    let bound = try layout.rowBound()
    let width = columns.features.count
    let rowBytes = Double(width) * 4 * (isCopied ? 2 : 1 + share) + 20
    try memory.require(
      Double(bound) * rowBytes, file: layout.file.path,
      content: "\(bound) rows of \(width) numbers")
    var values: [Float] = []
    var labels: [Int32] = []
    values.reserveCapacity(bound * width)
    labels.reserveCapacity(bound)
    var rows = try layout.reader()
    let decimal = Decimal()
    do {
      while let row = try rows.next() {
        try append(row, of: rows, decimal, to: &values, &labels, number)
      }
    } catch let problem as LabelProblem {
      throw error(problem)
    }
    guard !labels.isEmpty else {
      throw DataError.damaged(
        file: layout.file.path,
        reason: layout.names == nil ? "it has no rows" : "it has a header and no rows")
    }
    return RawSamples(values: .floats(values), labels: labels)
  }

  /// What is wrong with a label or a field, as an error of the file.
  func error(_ problem: LabelProblem) -> DataError {
    .damaged(
      file: layout.file.path,
      reason: (problem.place.map { "line \($0): " } ?? "") + problem.reason)
  }

  private func append(
    _ row: Range<Int>, of rows: RowReader, _ decimal: Decimal, to values: inout [Float],
    _ labels: inout [Int32], _ number: (ArraySlice<UInt8>, Int) throws -> Int32
  ) throws {
    let bytes = rows.bytes
    var cursor = FieldCursor(row: row, of: bytes, delimiter: layout.delimiter)
    var column = 0
    while !cursor.isAtEnd {
      guard column < columns.roles.count else {
        throw count(of: row, in: rows)
      }
      switch columns.roles[column] {
      case .feature:
        if let (value, end) = decimal.value(
          in: bytes, from: cursor.position, to: row.upperBound, delimiter: layout.delimiter),
          Float(value).isFinite
        {
          values.append(Float(value))
          cursor.move(behind: end, in: bytes)
        } else {
          do {
            values.append(try slowNumber(&cursor, bytes, column: column, line: rows.line, decimal))
          } catch {
            // A field that is missing or too many makes another one odd.
            let isWhole = rows.fields(of: row).count == columns.roles.count
            throw isWhole ? error : count(of: row, in: rows)
          }
        }
      case .label:
        guard let field = cursor.next(in: bytes) else { break }
        let label = field.isQuoted ? field.text(in: bytes)[...] : bytes[field.range]
        // Programs that write quotes leave them out where a label is missing.
        if !field.isQuoted, LabelText.isMissing(label) {
          throw LabelProblem(
            place: rows.line,
            "the label is missing: it is ‘\(LabelText.shown(label))’; leave the row out, or write "
              + "the word in quotes if it is a class")
        }
        labels.append(try number(label, rows.line))
      case .skipped: _ = cursor.next(in: bytes)
      }
      column += 1
    }
    guard column == columns.roles.count else { throw count(of: row, in: rows) }
  }

  /// The number of a field that is quoted, and the error if it is none.
  private func slowNumber(
    _ cursor: inout FieldCursor, _ bytes: [UInt8], column: Int, line: Int, _ decimal: Decimal
  ) throws(LabelProblem) -> Float {
    let field = cursor.next(in: bytes)?.text(in: bytes) ?? []
    let place = layout.text(ofColumn: column)
    let advice = "leave the column out with skip=, or the row"
    guard !field.isEmpty else {
      throw LabelProblem(place: line, "\(place) has no value; \(advice)")
    }
    let text = LabelText.shown(field)
    guard let value = decimal.value(in: field, from: 0, to: field.count, delimiter: 0),
      value.end == field.count
    else {
      if LabelText.missingWords.contains(text.lowercased()) {
        throw LabelProblem(
          place: line, "\(place) is ‘\(text)’, which is no finite number; \(advice)")
      }
      let isComma = field.contains(UInt8(ascii: ",")) && layout.delimiter != UInt8(ascii: ",")
      throw LabelProblem(
        place: line,
        "\(place) is ‘\(text)’, not a number; "
          + (isComma ? "decimals have a point" : advice))
    }
    guard Float(value.value).isFinite else {
      throw LabelProblem(
        place: line, "\(place) is \(text), which is too large for single precision")
    }
    return Float(value.value)
  }

  private func count(of row: Range<Int>, in rows: RowReader) -> LabelProblem {
    LabelProblem(
      place: rows.line,
      "it has \(rows.fields(of: row).count) fields, but there are \(layout.columns) columns")
  }
}
