// SPDX-License-Identifier: Apache-2.0

extension String {
  /// Whether no more than 30 combining marks follow each other, as in Unicode's stream-safe text
  /// (UAX 15).
  ///
  /// Comparing and hashing strings sorts such a run, in Swift in quadratic time: one of a megabyte
  /// takes hours. So texts from files are checked before they become keys.
  public var isStreamSafe: Bool {
    var run = 0
    for scalar in unicodeScalars where scalar.value >= 0x80 || run > 0 {
      let isMark = scalar.properties.canonicalCombiningClass != .notReordered
      run = isMark ? run + 1 : 0
      if run > 30 { return false }
    }
    return true
  }
}
