// SPDX-License-Identifier: Apache-2.0
import LCWCore
import Synchronization

/// Counts the elements that became infinite in a narrower type, tensor by tensor.
final class OverflowCount: Sendable {
  private let counts = Mutex<[(tensor: String, elements: Int)]>([])

  func add(_ tensor: String, _ elements: Int) {
    counts.withLock { $0.append((tensor, elements)) }
  }

  /// What to tell of them; nothing if there are none.
  func message(type: String) -> String? {
    let counts = counts.withLock { $0 }
    guard let first = counts.first else { return nil }
    let total = counts.reduce(0) { $0 + $1.elements }
    let place =
      counts.count == 1
      ? "of ‘\(first.tensor)’" : "of \(counts.count) tensors, ‘\(first.tensor)’ among them,"
    let elements = total == 1 ? "1 element \(place) is" : "\(total) elements \(place) are"
    return "warning: \(elements) too large for \(type), and became infinite".asOneLine
  }
}
