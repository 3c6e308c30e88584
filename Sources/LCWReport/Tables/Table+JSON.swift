// SPDX-License-Identifier: Apache-2.0
public import LCWCore

extension Table {
  /// The table as a list of objects, one for each row, by the columns' keys.
  ///
  /// Numbers have all their digits, percentages stand as fractions, a mean with a deviation is an
  /// object of `mean` and `deviation`, an empty cell is left out, and what is not finite is the
  /// text `nan`, `inf` or `-inf`. A key that is repeated gets a number: `loss`, `loss 2`.
  public var json: JSONValue {
    let keys = distinctKeys
    return .array(
      rows.map { row in
        var members: [String: JSONValue] = [:]
        for (key, cell) in zip(keys, row) { members[key] = Table.value(of: cell) }
        return .object(members)
      })
  }

  private static func value(of cell: Cell) -> JSONValue? {
    switch cell {
    case .text(let text): .string(text)
    case .integer(let value): .integer(value)
    case .number(let value, _), .significant(let value, _), .percent(let value, _): JSONValue(value)
    case .meanDeviation(let mean, let deviation, _),
      .percentMeanDeviation(let mean, let deviation, _):
      .object(["mean": JSONValue(mean), "deviation": JSONValue(deviation)])
    case .empty: nil
    }
  }
}
