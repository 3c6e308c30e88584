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

  /// Looks into a tensor, a block at a time.
  /// - Throws: What reading throws.
  init(of entry: TensorEntry, in source: any CheckpointSource) throws {
    name = entry.name
    elementType = entry.elementType
    shape = entry.shape
    let blocks = try TensorBlocks(of: entry, in: source)
    statistics = try TensorStatistics(ofElements: shape.count, of: elementType) {
      range throws(any Error) in try blocks.bytes(ofElements: range)
    }
  }

  /// Looks into the tensor of a name.
  /// - Throws: What reading throws, and `CheckpointError.passedThrough` for complex numbers, which have
  ///   no order.
  init(of name: String, in source: any CheckpointSource) throws {
    guard let entry = source.entries.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) else {
      // It says why, or what name is nearest.
      _ = try source.tensor(named: name)
      throw CheckpointError.missingTensor(name, nearest: nil)
    }
    guard entry.elementType != .complex64 else {
      throw CheckpointError.passedThrough(tensor: name, type: entry.elementType)
    }
    try self.init(of: entry, in: source)
  }

  /// The columns that a table of tensors gains.
  static let columns = ["min", "max", "mean", "deviation", "nan", "inf"]

  /// The cells of these columns.
  var cells: [Table.Cell] {
    guard elementType != .complex64 else {
      return Self.columns.map { _ in .empty }
    }
    return [
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
    let description: [String: JSONValue] = [
      "name": .string(name), "dtype": .string(elementType.rawValue),
      "shape": .array(shape.dimensions.map(JSONValue.integer)),
    ]
    guard elementType != .complex64 else { return description }
    let figures: [String: JSONValue] = [
      "statistics": .object([
        "count": .integer(statistics.count), "nan": .integer(statistics.nan),
        "infinite": .integer(statistics.infinite), "zeros": .integer(statistics.zeros),
        "minimum": range.map { .integer(Int($0.lowerBound)) } ?? JSONValue(statistics.minimum),
        "maximum": range.map { .integer(Int($0.upperBound)) } ?? JSONValue(statistics.maximum),
        "mean": JSONValue(statistics.mean), "deviation": JSONValue(statistics.deviation),
        "histogram": .array(statistics.histogram.map(JSONValue.integer)),
      ])
    ]
    return description.merging(figures) { $1 }
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
