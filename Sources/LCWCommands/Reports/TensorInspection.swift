// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWReport

/// A tensor's statistics, ready to be printed.
struct TensorInspection {
  private let name: String
  private let elementType: ElementType
  private let shape: Shape
  private let statistics: TensorStatistics

  init(name: String, _ tensor: StoredTensor) {
    self.name = name
    elementType = tensor.elementType
    shape = tensor.shape
    statistics = TensorStatistics(of: tensor)
  }

  /// The columns that a table of tensors gains.
  static let columns = ["min", "max", "mean", "deviation", "nan", "inf"]

  /// The cells of these columns.
  var cells: [Table.Cell] {
    [
      extreme(\.lowerBound, statistics.minimum), extreme(\.upperBound, statistics.maximum),
      number(statistics.mean), number(statistics.deviation), .integer(statistics.nan),
      .integer(statistics.infinite),
    ]
  }

  private func number(_ value: Double) -> Table.Cell {
    statistics.count > 0 ? .significant(value, digits: 6) : .empty
  }

  private func extreme(
    _ bound: KeyPath<ClosedRange<Int64>, Int64>, _ value: Double
  ) -> Table.Cell {
    statistics.integerRange.map { .integer(Int($0[keyPath: bound])) } ?? number(value)
  }

  var json: [String: JSONValue] {
    let range = statistics.integerRange
    return [
      "name": .string(name), "dtype": .string(elementType.rawValue),
      "shape": .array(shape.dimensions.map(JSONValue.integer)),
      "statistics": .object([
        "count": .integer(statistics.count), "nan": .integer(statistics.nan),
        "infinite": .integer(statistics.infinite), "zeros": .integer(statistics.zeros),
        "minimum": range.map { .integer(Int($0.lowerBound)) } ?? JSONValue(statistics.minimum),
        "maximum": range.map { .integer(Int($0.upperBound)) } ?? JSONValue(statistics.maximum),
        "mean": JSONValue(statistics.mean), "deviation": JSONValue(statistics.deviation),
        "histogram": .array(statistics.histogram.map(JSONValue.integer)),
      ]),
    ]
  }

  var text: String {
    var lines = ["\(name.asOneLine) \(shape) \(elementType.rawValue)"]
    guard statistics.count > 0 else { return lines[0] + "\n  no elements" }
    let range = statistics.integerRange
    let low = range.map { "\($0.lowerBound)" } ?? short(statistics.minimum)
    let high = range.map { "\($0.upperBound)" } ?? short(statistics.maximum)
    lines.append(
      "  \(statistics.count) elements, \(statistics.zeros) zero, \(statistics.nan) not a number, "
        + "\(statistics.infinite) infinite")
    let largest = statistics.histogram.max() ?? 0
    guard largest > 0 else { return (lines + ["  none is finite"]).joined(separator: "\n") }
    lines.append(
      "  from \(low) to \(high), mean \(short(statistics.mean)), "
        + "deviation \(short(statistics.deviation))")
    let bins = statistics.histogram.count
    let width = statistics.maximum / Double(bins) - statistics.minimum / Double(bins)
    lines.append("")
    for (bin, count) in statistics.histogram.enumerated() {
      let start = short(statistics.minimum + width * Double(bin))
      let bar = String(repeating: "█", count: (count * 50 + largest - 1) / largest)
      let padding = String(repeating: " ", count: max(0, 12 - start.count))
      lines.append("  \(padding)\(start)  \(bar) \(count)")
    }
    return lines.joined(separator: "\n")
  }

  private func short(_ value: Double) -> String { String(value, significantDigits: 6) }
}
