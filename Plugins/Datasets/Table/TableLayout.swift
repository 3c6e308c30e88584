// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles

/// What stands between the fields of a row.
enum Delimiter: String, OptionChoice {
  case auto, comma, tab, semicolon, bar, space

  var byte: UInt8 {
    switch self {
    case .auto, .comma: UInt8(ascii: ",")
    case .tab: UInt8(ascii: "\t")
    case .semicolon: UInt8(ascii: ";")
    case .bar: UInt8(ascii: "|")
    case .space: UInt8(ascii: " ")
    }
  }
}

/// Whether the first row has the columns' names.
enum Header: String, OptionChoice {
  case auto, yes, no
}

/// How a file of rows is written: told from its first rows where the user did not say it.
struct TableLayout {
  let file: InputFile
  private(set) var delimiter: UInt8
  private let newline: UInt8
  private let start: Int
  private let rowLimit: Int
  /// The columns' names, where the first row has them.
  private(set) var names: [String]?
  /// The fields of each row.
  private(set) var columns: Int
  /// The first rows, for telling whether the first one is a header.
  private var firstRows: [[[UInt8]]] = []

  private static let sampleBytes = 1 << 18

  /// - Throws: ``DataError`` if the file is no text of rows.
  init(_ url: URL, delimiter given: Delimiter, rowLimit: Int) throws {
    file = try InputFile(url)
    self.rowLimit = rowLimit
    let sample = try file.prefix(Self.sampleBytes)
    if let foreign = try TableFile.foreign(file, start: sample) {
      throw DataError.damaged(file: file.path, reason: foreign)
    }
    start = try Self.contentStart(of: sample, file: file.path)
    let hasLineFeed = sample.contains(UInt8(ascii: "\n"))
    newline =
      !hasLineFeed && sample.contains(UInt8(ascii: "\r")) ? UInt8(ascii: "\r") : UInt8(ascii: "\n")
    delimiter = given.byte
    columns = 0
    // Commas may be decimal points of numbers between semicolons, and blanks are in many a text.
    let candidates: [Delimiter] =
      given == .auto ? [.tab, .semicolon, .bar, .comma, .space] : [given]
    var best: (rows: [[[UInt8]]], columns: Int)?
    var lone: String?
    for candidate in candidates {
      let (rows, lines) = try firstRows(delimiter: candidate.byte)
      let columns = rows.first?.count ?? 0
      if columns == 1, rows.count > 1, rows[1].count > 1,
        rows.dropFirst().allSatisfy({ $0.count == rows[1].count })
      {
        let text = "line \(lines[0]) has one field, line \(lines[1]) has \(rows[1].count)"
        lone = lone ?? text
      }
      // Rows of one length, of which more than one field: a table. The first such delimiter is taken.
      let isTable = columns > 1 && rows.allSatisfy { $0.count == columns }
      if best == nil || isTable || candidate == .comma {
        best = (rows, columns)
        delimiter = candidate.byte
      }
      if isTable { break }
    }
    guard let best, best.columns > 0 else {
      throw DataError.damaged(file: file.path, reason: "it has no rows")
    }
    if best.columns == 1, let lone {
      throw DataError.damaged(
        file: file.path,
        reason: "\(lone); take out comments and titles that stand before the table")
    }
    firstRows = best.rows
    columns = best.columns
  }

  /// Decides whether there is a header.
  /// - Parameters:
  ///   - isNamed: Whether the user calls a column by a name.
  ///   - label: The column of labels, where it is known before there are names.
  ///   - areClassesKnown: Whether a label that is none is found later, as in a test set.
  ///   - isFeature: Which columns have numbers, by their index.
  /// - Throws: ``DataError`` if the first row is neither or may be both, or names are given twice.
  mutating func decideHeader(
    _ header: Header, isNamed: Bool, label: Int?, areClassesKnown: Bool, isFeature: (Int) -> Bool
  ) throws(DataError) {
    guard let first = firstRows.first else { return }
    var hasHeader = header == .yes
    if header == .auto {
      let features = first.indices.filter(isFeature)
      let numbers = features.filter { LabelText.isNumber(first[$0]) }
      hasHeader = isNamed || numbers.isEmpty
      if !isNamed, !numbers.isEmpty, numbers.count < features.count,
        let odd = features.first(where: { !numbers.contains($0) })
      {
        throw .damaged(
          file: file.path,
          reason:
            "line 1 has numbers and other texts, such as ‘\(LabelText.shown(first[odd]))’ in column "
            + "\(odd + 1); say header=yes or header=no, and leave columns out with skip="
        )
      }
      if !hasHeader, let label {
        hasHeader = try labelIsName(in: label, areClassesKnown: areClassesKnown)
      }
    }
    guard hasHeader else { return }
    var names: [String] = []
    for (index, field) in first.enumerated() {
      guard let name = String(validating: field, as: UTF8.self) else {
        throw .damaged(file: file.path, reason: "the name of column \(index + 1) is not UTF-8")
      }
      if !name.isEmpty, let other = names.firstIndex(of: name) {
        throw .damaged(
          file: file.path,
          reason:
            "columns \(other + 1) and \(index + 1) are both called ‘\(name.asOneLine)’; rename one"
        )
      }
      names.append(name)
    }
    self.names = names
  }

  /// Whether the first row, which has numbers in all other columns, has the name of the labels: numbers
  /// are names of columns too, such as 0, 1, 2 or years.
  /// - Throws: ``DataError`` if it may as well be a label.
  private func labelIsName(in column: Int, areClassesKnown: Bool) throws(DataError) -> Bool {
    let fields = firstRows.filter { $0.indices.contains(column) }.map { $0[column] }
    guard let first = fields.first, !first.isEmpty, !LabelText.isNumber(first),
      !LabelText.isMissing(first[...])
    else { return false }
    let others = fields.dropFirst().filter { !$0.isEmpty && !LabelText.isMissing($0[...]) }
    guard !others.isEmpty else { return false }
    if others.allSatisfy({ LabelText.isNumber($0) }) { return true }
    // A few labels that all differ tell nothing; where they recur, the first one should too.
    let isTelling = Set(others).count < others.count || others.count > 4
    guard isTelling, !others.contains(first), !areClassesKnown else { return false }
    throw .damaged(
      file: file.path,
      reason:
        "line 1 has numbers and ‘\(LabelText.shown(first))’ in column \(column + 1), which is no "
        + "label of the next rows; say header=yes or header=no")
  }

  /// A column for a message: its number, and its name where it has one.
  func text(ofColumn column: Int) -> String {
    guard let names, names.indices.contains(column) else { return "column \(column + 1)" }
    return "column \(column + 1) (‘\(names[column].asOneLine)’)"
  }

  /// The index of the column that a user means by its name or its number from 1.
  func column(_ text: String) -> Int? {
    switch text {
    case _ where names?.contains(text) == true: return names?.firstIndex(of: text)
    case "first": return 0
    case "last": return columns - 1
    default:
      guard let number = Int(text), (1...columns).contains(number) else { return nil }
      return number - 1
    }
  }

  /// As ``column(_:)``, for a column that an option names.
  /// - Throws: ``DataError`` if there is none.
  func column(_ text: String, option: String) throws(DataError) -> Int {
    if let column = column(text) { return column }
    let names = names ?? []
    let advice =
      nearestName(to: text, among: names).map { "; did you mean ‘\($0.asOneLine)’?" }
      ?? "; name it, where there is a header, or give its number from 1 to \(columns)"
    throw .damaged(
      file: file.path, reason: "there is no column ‘\(text)’, which \(option)= names\(advice)")
  }

  /// Requires a column's number to be one of the file, before anything is told from it; a header may have
  /// numbers as names.
  /// - Throws: ``DataError``.
  func checkNumber(_ text: String, option: String) throws(DataError) {
    guard Int(text) != nil, firstRows.first?.contains(Array(text.utf8)) != true else { return }
    _ = try column(text, option: option)
  }

  /// All rows of data, from the first behind the header on.
  func reader() throws -> RowReader {
    var reader = rowReader(delimiter: delimiter, blockSize: 1 << 20)
    if names != nil { _ = try reader.next() }
    return reader
  }

  /// No fewer rows than the file has: those of a file without quoted line ends and blank lines.
  func rowBound() throws -> Int {
    var lines = 0
    var last = newline
    for position in stride(from: start, to: file.size, by: 1 << 20) {
      let block = try file.bytes(in: position..<min(file.size, position + 1 << 20))
      var count = 0
      for byte in block where byte == newline { count &+= 1 }
      lines += count
      last = block.last ?? last
    }
    return max(0, lines + (last == newline ? 0 : 1) - (names == nil ? 0 : 1))
  }

  private func rowReader(delimiter: UInt8, blockSize: Int) -> RowReader {
    RowReader(
      file, start: start, delimiter: delimiter, newline: newline, rowLimit: rowLimit,
      blockSize: blockSize)
  }

  /// The fields of the first rows, and the lines on which these begin.
  private func firstRows(delimiter: UInt8) throws -> (rows: [[[UInt8]]], lines: [Int]) {
    var reader = rowReader(delimiter: delimiter, blockSize: 1 << 16)
    var rows: [[[UInt8]]] = []
    var lines: [Int] = []
    do {
      while rows.count < 20, let row = try reader.next() {
        rows.append(reader.fields(of: row))
        lines.append(reader.line)
      }
    } catch let error as DataError {
      // A quote that is none with this delimiter; reading with the right one says it.
      if rows.isEmpty { throw error }
    }
    return (rows, lines)
  }

  private static func contentStart(of sample: [UInt8], file: String) throws(DataError) -> Int {
    if sample.starts(with: [0xFF, 0xFE]) || sample.starts(with: [0xFE, 0xFF]) {
      throw .damaged(file: file, reason: "it is UTF-16; save it as UTF-8")
    }
    if sample.starts(with: [0x1F, 0x8B]) || sample.contains(0) {
      throw .damaged(
        file: file,
        reason: "it is no text of rows; a file that is compressed has to be unpacked first")
    }
    return sample.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
  }
}
