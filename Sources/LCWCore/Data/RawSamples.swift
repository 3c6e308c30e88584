// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// Samples and labels as files have them, before anything is done to the values.
public struct RawSamples: Sendable {
  /// The values, one sample after the other.
  public var values: RawValues
  /// The class of each sample.
  public var labels: [Int32]

  /// Samples.
  public init(values: RawValues, labels: [Int32]) {
    self.values = values
    self.labels = labels
  }

  /// The number of samples.
  public var count: Int { labels.count }

  /// Whether neighbours are nearly always of one class, so that the first samples would show few classes.
  public var isSortedByClass: Bool {
    let changes = zip(labels, labels.dropFirst()).count { $0 != $1 }
    var counts: [Int32: Int] = [:]
    for label in labels { counts[label, default: 0] += 1 }
    // In a random order two neighbours are of one class as often as two samples are.
    let same = counts.values.reduce(0.0) { $0 + Double($1) * Double($1) }
    let expected = Double(count) - same / Double(max(1, count))
    return changes > 0 && 4 * Double(changes) < expected
  }

  /// Brings the samples into a random order, in place.
  ///
  /// In a file samples are often sorted by class, so that its first samples would be of one class.
  /// - Parameter width: The values of one sample.
  public mutating func shuffle(seed: UInt64, width: Int) {
    var random = RandomStream(seed: seed, purpose: .split)
    let order = random.permutation(of: count)
    labels.permuteRows(order, width: 1)
    switch values {
    case .bytes(var bytes):
      // Else the storage would have two owners, and the change would copy it.
      values = .bytes([])
      bytes.permuteRows(order, width: width)
      values = .bytes(bytes)
    case .floats(var floats):
      values = .floats([])
      floats.permuteRows(order, width: width)
      values = .floats(floats)
    }
  }

  /// Removes the last samples and returns them.
  /// - Parameter width: The values of one sample.
  public mutating func removeLast(_ count: Int, width: Int) -> RawSamples {
    let last: RawValues
    switch values {
    case .bytes(var bytes):
      values = .bytes([])
      last = .bytes(Array(bytes.suffix(count * width)))
      bytes.removeLast(count * width)
      values = .bytes(bytes)
    case .floats(var floats):
      values = .floats([])
      last = .floats(Array(floats.suffix(count * width)))
      floats.removeLast(count * width)
      values = .floats(floats)
    }
    let removed = RawSamples(values: last, labels: Array(labels.suffix(count)))
    labels.removeLast(count)
    return removed
  }
}

extension Array {
  /// Makes row i of what is row `order[i]` now, with memory for one row.
  /// - Parameters:
  ///   - order: A permutation of the rows.
  ///   - width: The elements of a row.
  mutating func permuteRows(_ order: [Int], width: Int) {
    precondition(count == order.count * width, "the rows are those of the order")
    guard width > 0 else { return }
    var isDone = [Bool](repeating: false, count: order.count)
    for start in order.indices where !isDone[start] {
      let first = Array(self[start * width..<(start + 1) * width])
      var row = start
      isDone[row] = true
      while order[row] != start {
        let source = order[row]
        for place in 0..<width { self[row * width + place] = self[source * width + place] }
        row = source
        isDone[row] = true
      }
      for place in 0..<width { self[row * width + place] = first[place] }
    }
  }
}
