// SPDX-License-Identifier: Apache-2.0

extension Table {
  /// The table as CSV (RFC 4180): a header of keys, lines that end in CR LF, numbers with the
  /// shortest digits that give them back.
  ///
  /// A column with a mean and a deviation in some row takes two fields, `key` and `key deviation`.
  /// Percentages stand as fractions. Text that a spreadsheet would compute, since it begins like a
  /// formula, has an apostrophe before it; numbers have none.
  public var csv: String {
    let hasMoments = columns.indices.map { column in
      rows.contains { $0[column].moments != nil }
    }
    let header = zip(distinctKeys, hasMoments).flatMap { key, isPair in
      (isPair ? [key, key + " deviation"] : [key]).map(Table.inert)
    }
    let records = rows.map { row in
      zip(row, hasMoments).flatMap { cell, isPair in
        let fields = Table.fields(of: cell)
        return isPair && fields.count == 1 ? fields + [""] : fields
      }
    }
    return ([header] + records).map(Table.record).joined()
  }

  private static func fields(of cell: Cell) -> [String] {
    switch cell {
    case .text(let text): [inert(text)]
    case .integer(let value): ["\(value)"]
    case .number(let value, _), .significant(let value, _), .percent(let value, _): ["\(value)"]
    case .meanDeviation(let mean, let deviation, _),
      .percentMeanDeviation(let mean, let deviation, _):
      ["\(mean)", "\(deviation)"]
    case .empty: [""]
    }
  }

  /// A text that spreadsheets take for one.
  private static func inert(_ text: String) -> String {
    let formulaStarts: Set<Unicode.Scalar> = ["=", "+", "-", "@", "\t", "\r"]
    guard let first = text.unicodeScalars.first, formulaStarts.contains(first),
      Double(text) == nil
    else { return text }
    return "'" + text
  }

  private static func record(_ fields: [String]) -> String {
    // An empty line would be no record at all to many readers.
    if fields == [""] { return "\"\"\r\n" }
    return fields.map(quoted).joined(separator: ",") + "\r\n"
  }

  private static func quoted(_ field: String) -> String {
    let special: Set<Unicode.Scalar> = [",", "\"", "\r", "\n"]
    let isPlain =
      !field.unicodeScalars.contains { special.contains($0) }
      && field.first != " " && field.last != " "
    if isPlain { return field }
    var text = "\""
    for scalar in field.unicodeScalars {
      if scalar == "\"" { text += "\"" }
      text.unicodeScalars.append(scalar)
    }
    return text + "\""
  }
}
