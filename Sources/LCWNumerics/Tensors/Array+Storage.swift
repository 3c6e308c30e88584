// SPDX-License-Identifier: Apache-2.0

extension Array {
  /// Whether both are copies of one array that neither has changed since: the elements are the same,
  /// without a look at them. Where this is false they may be the same all the same.
  package func sharesStorage(with other: [Element]) -> Bool {
    count == other.count && !isEmpty
      && withUnsafeBufferPointer { own in
        other.withUnsafeBufferPointer { own.baseAddress == $0.baseAddress }
      }
  }
}
