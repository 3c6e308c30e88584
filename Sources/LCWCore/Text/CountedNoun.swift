// SPDX-License-Identifier: Apache-2.0

extension Int {
  /// The number with a noun whose plural ends in s: `1 point`, `3 points`.
  public func counted(_ noun: String) -> String { self == 1 ? "1 \(noun)" : "\(self) \(noun)s" }
}
