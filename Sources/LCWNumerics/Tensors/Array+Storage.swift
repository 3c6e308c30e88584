// SPDX-License-Identifier: Apache-2.0

extension Array {
  /// Whether both are copies of one array that neither has changed since. If it is false, the elements may
  /// still be equal.
  package func sharesStorage(with other: [Element]) -> Bool {
    count == other.count && !isEmpty
      && withUnsafeBufferPointer { own in
        other.withUnsafeBufferPointer { own.baseAddress == $0.baseAddress }
      }
  }
}
