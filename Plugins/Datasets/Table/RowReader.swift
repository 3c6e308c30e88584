// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWFiles

/// The rows of a text file one after the other, with memory for a block of the file and a row.
struct RowReader {
  private let file: InputFile
  private let delimiter: UInt8
  private let newline: UInt8
  private let rowLimit: Int
  private let blockSize: Int

  /// The part of the file in which the row lies.
  private(set) var bytes: [UInt8] = []
  /// The line on which the row begins, from 1.
  private(set) var line = 0
  private var position = 0
  private var filePosition: Int
  private var nextLine = 1

  static let quote = UInt8(ascii: "\"")

  /// - Parameters:
  ///   - start: The first byte that is read.
  ///   - newline: The last byte of a line.
  ///   - rowLimit: The most bytes of a row.
  init(
    _ file: InputFile, start: Int, delimiter: UInt8, newline: UInt8, rowLimit: Int,
    blockSize: Int = 1 << 20
  ) {
    self.file = file
    self.delimiter = delimiter
    self.newline = newline
    self.rowLimit = rowLimit
    self.blockSize = blockSize
    filePosition = start
  }

  /// The place in ``bytes`` of the next row that is not blank, without its line end; nothing behind the
  /// last one.
  /// - Throws: ``DataError`` for a row that is too long or a quote that is not closed, and `FileError`.
  mutating func next() throws -> Range<Int>? {
    while let row = try nextRow() {
      if row.contains(where: { bytes[$0] != UInt8(ascii: " ") && bytes[$0] != UInt8(ascii: "\t") })
      {
        return row
      }
    }
    return nil
  }

  private mutating func nextRow() throws -> Range<Int>? {
    while true {
      let (end, lines) = scan()
      if let end {
        return take(upTo: end, next: end + 1, lines: lines)
      }
      if filePosition < file.size {
        try refill()
      } else if position == bytes.count {
        return nil
      } else {
        guard lines >= 0 else {
          throw DataError.damaged(
            file: file.path, reason: "line \(nextLine) opens a quote that is not closed")
        }
        return take(upTo: bytes.count, next: bytes.count, lines: lines)
      }
    }
  }

  private mutating func take(upTo end: Int, next: Int, lines: Int) -> Range<Int> {
    let start = position
    line = nextLine
    nextLine += lines + 1
    position = next
    let isBehindReturn =
      newline == UInt8(ascii: "\n") && end > start && bytes[end - 1] == UInt8(ascii: "\r")
    return start..<(isBehindReturn ? end - 1 : end)
  }

  /// The end of the row, and the line ends within its quotes: −1 if a quote is open at the end of the
  /// bytes.
  private func scan() -> (end: Int?, lines: Int) {
    var index = position
    var lines = 0
    let count = bytes.count
    while index < count {
      let byte = bytes[index]
      if byte == newline { return (index, lines) }
      if byte == Self.quote, index == position || bytes[index - 1] == delimiter {
        index += 1
        // A doubled quote closes and opens again.
        while true {
          while index < count, bytes[index] != Self.quote {
            if bytes[index] == newline { lines += 1 }
            index += 1
          }
          guard index < count else { return (nil, -1) }
          guard index + 1 < count, bytes[index + 1] == Self.quote else { break }
          index += 2
        }
      }
      index += 1
    }
    return (nil, lines)
  }

  private mutating func refill() throws {
    let end = min(file.size, filePosition + blockSize)
    guard bytes.count - position <= rowLimit else {
      throw DataError.damaged(
        file: file.path,
        reason:
          "line \(nextLine) is longer than \(rowLimit) bytes; a quote may be left open, or allow "
          + "longer rows with max-row=")
    }
    bytes = bytes[position...] + (try file.bytes(in: filePosition..<end))
    position = 0
    filePosition = end
  }
}

extension RowReader {
  /// The fields of a row as texts, for headers and for telling how a file is written.
  func fields(of row: Range<Int>) -> [[UInt8]] {
    var fields: [[UInt8]] = []
    var cursor = FieldCursor(row: row, of: bytes, delimiter: delimiter)
    while let field = cursor.next(in: bytes) { fields.append(field.text(in: bytes)) }
    return fields
  }
}

/// Goes through the fields of a row.
struct FieldCursor {
  /// A field's place, without quotes and the blanks around.
  struct Field {
    var range: Range<Int>
    var isQuoted: Bool

    /// The bytes that the field means.
    func text(in bytes: [UInt8]) -> [UInt8] {
      guard isQuoted else { return Array(bytes[range]) }
      var text: [UInt8] = []
      var index = range.lowerBound
      while index < range.upperBound {
        text.append(bytes[index])
        let isDoubled =
          bytes[index] == RowReader.quote && index + 1 < range.upperBound
          && bytes[index + 1] == RowReader.quote
        index += isDoubled ? 2 : 1
      }
      return text
    }
  }

  private let end: Int
  private let delimiter: UInt8
  /// Where the next field begins; beyond the row's end behind its last.
  private(set) var position: Int

  init(row: Range<Int>, of bytes: [UInt8], delimiter: UInt8) {
    self.delimiter = delimiter
    end = row.upperBound
    position = row.lowerBound
    guard delimiter == UInt8(ascii: " ") else { return }
    while position < end, bytes[position] == delimiter { position += 1 }
  }

  /// Whether all fields were taken.
  var isAtEnd: Bool { position > end }

  /// Goes on behind a field that ended at a place.
  mutating func move(behind place: Int, in bytes: [UInt8]) {
    position = place + 1
    guard delimiter == UInt8(ascii: " ") else { return }
    // Blanks in a row are one delimiter, and behind the last field they are none.
    while position < end, bytes[position] == delimiter { position += 1 }
    if position == end { position = end + 1 }
  }

  /// The next field.
  mutating func next(in bytes: [UInt8]) -> Field? {
    guard position <= end else { return nil }
    var start = position
    if start < end, bytes[start] == RowReader.quote {
      var index = start + 1
      while index < end {
        if bytes[index] == RowReader.quote {
          guard index + 1 < end, bytes[index + 1] == RowReader.quote else { break }
          index += 1
        }
        index += 1
      }
      let text = start + 1..<min(index, end)
      var behind = min(index + 1, end)
      while behind < end, bytes[behind] != delimiter { behind += 1 }
      move(behind: behind, in: bytes)
      return Field(range: text, isQuoted: true)
    }
    var stop = start
    while stop < end, bytes[stop] != delimiter { stop += 1 }
    move(behind: stop, in: bytes)
    while start < stop, Self.isBlank(bytes[start]) { start += 1 }
    while stop > start, Self.isBlank(bytes[stop - 1]) { stop -= 1 }
    return Field(range: start..<stop, isQuoted: false)
  }

  static func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
  }
}
