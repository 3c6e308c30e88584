// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWReport

/// A tensor's statistics, ready to be printed.
struct TensorInspection {
  private let name: String
  private let entry: String
  private let statistics: TensorStatistics

  init(name: String, _ tensor: StoredTensor) {
    self.name = name
    entry = "\(tensor.shape) \(tensor.elementType.rawValue)"
    statistics = TensorStatistics(of: tensor.floats.elements)
  }

  /// The columns that a table of tensors gains.
  var cells: [Table.Cell] {
    [
      .number(statistics.minimum, decimals: 5), .number(statistics.maximum, decimals: 5),
      .number(statistics.mean, decimals: 5), .number(statistics.deviation, decimals: 5),
      .integer(statistics.nan), .integer(statistics.infinite),
    ]
  }

  var json: [String: JSONValue] {
    [
      "name": .string(name),
      "statistics": .object([
        "count": .integer(statistics.count), "nan": .integer(statistics.nan),
        "infinite": .integer(statistics.infinite), "zeros": .integer(statistics.zeros),
        "minimum": JSONValue(statistics.minimum), "maximum": JSONValue(statistics.maximum),
        "mean": JSONValue(statistics.mean), "deviation": JSONValue(statistics.deviation),
        "histogram": .array(statistics.histogram.map(JSONValue.integer)),
      ]),
    ]
  }

  var text: String {
    var lines = [
      "\(name) \(entry)",
      "  \(statistics.count) elements, \(statistics.zeros) zero, \(statistics.nan) not a number, "
        + "\(statistics.infinite) infinite",
      "  from \(short(statistics.minimum)) to \(short(statistics.maximum)), "
        + "mean \(short(statistics.mean)), deviation \(short(statistics.deviation))",
    ]
    let largest = statistics.histogram.max() ?? 0
    guard largest > 0 else { return lines.joined(separator: "\n") }
    let width = statistics.maximum / 20 - statistics.minimum / 20
    lines.append("")
    for (bin, count) in statistics.histogram.enumerated() {
      let start = short(statistics.minimum + width * Double(bin))
      let bar = String(repeating: "█", count: (count * 50 + largest - 1) / largest)
      let padding = String(repeating: " ", count: max(0, 12 - start.count))
      lines.append("  \(padding)\(start)  \(bar) \(count)")
    }
    return lines.joined(separator: "\n")
  }

  private func short(_ value: Double) -> String { String(value, decimals: 6) }
}
