// SPDX-License-Identifier: Apache-2.0

/// Elements below which a second thread costs more than it brings.
let elementGrain = 1 << 15

extension Tensor {
  /// Calls `body` with the address of the elements; not at all if there are none.
  func withBase(_ body: (UnsafePointer<Float>) -> Void) {
    elements.withUnsafeBufferPointer { buffer in
      if let base = buffer.baseAddress { body(base) }
    }
  }

  /// Calls `body` with the address of the elements, to change them; not at all if there are none.
  mutating func withMutableBase(_ body: (UnsafeMutablePointer<Float>) -> Void) {
    elements.withUnsafeMutableBufferPointer { buffer in
      if let base = buffer.baseAddress { body(base) }
    }
  }

  /// Calls `body` with parts of all elements, at the same time.
  mutating func update(
    _ workers: Workers, _ body: (UnsafeMutablePointer<Float>, Range<Int>) -> Void
  ) {
    let count = self.count
    withMutableBase { base in
      workers.forEachRange(of: count, grain: elementGrain) { body(base + $0.lowerBound, $0) }
    }
  }

  /// Calls `body` with parts of all elements and the same parts of another tensor's, at the same time.
  mutating func update(
    with other: Tensor, _ workers: Workers,
    _ body: (UnsafeMutablePointer<Float>, UnsafePointer<Float>, Range<Int>) -> Void
  ) {
    precondition(count == other.count, "\(shape) and \(other.shape) differ")
    other.withBase { source in
      update(workers) { body($0, source + $1.lowerBound, $1) }
    }
  }
}
