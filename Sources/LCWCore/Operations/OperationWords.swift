// SPDX-License-Identifier: Apache-2.0

/// The words of an operation that are still to be read.
public struct OperationWords: Sendable {
  /// The words not yet read, the next one last.
  private var rest: [String]

  /// Words to read, the first one first.
  public init(_ words: [String]) {
    rest = words.reversed()
  }

  /// The next word, which is then read; nothing at the end.
  public mutating func next() -> String? { rest.popLast() }

  /// Whether no word is left.
  public var isEmpty: Bool { rest.isEmpty }

  /// Reads a word if it is the next one.
  public mutating func take(_ word: String) -> Bool {
    guard rest.last == word else { return false }
    rest.removeLast()
    return true
  }

  /// Reads words such as `stride 2` and `pad 1`, in any order, as long as the next one is a key.
  ///
  /// - Parameters:
  ///   - keys: What may stand; each once.
  ///   - read: Reads what stands behind a key.
  /// - Throws: What `read` throws, and ``OperationProblem`` for a key that is repeated.
  public mutating func clauses(
    _ keys: Set<String>,
    read: (String, inout OperationWords) throws(OperationProblem) -> Void
  ) throws(OperationProblem) {
    var seen: Set<String> = []
    while let key = rest.last, keys.contains(key) {
      guard seen.insert(key).inserted else { throw OperationProblem("‘\(key)’ once only") }
      rest.removeLast()
      try read(key, &self)
    }
  }

  /// Reads a whole number of at least `least`.
  /// - Throws: ``OperationProblem`` that says what was expected.
  public mutating func integer(
    _ expected: String, atLeast least: Int = 1
  ) throws(OperationProblem) -> Int {
    guard let value = next().flatMap({ Int($0) }), (least...Int(Int32.max)).contains(value) else {
      throw OperationProblem(expected)
    }
    return value
  }

  /// Reads a finite number.
  /// - Throws: ``OperationProblem`` that says what was expected.
  public mutating func number(
    _ expected: String, in range: ClosedRange<Double>? = nil
  ) throws(OperationProblem) -> Double {
    guard let value = next().flatMap({ Double($0) }), value.isFinite, range?.contains(value) ?? true
    else { throw OperationProblem(expected) }
    return value
  }

  /// Reads a finite number if the next word is one.
  public mutating func numberIfPresent() -> Double? {
    guard let value = rest.last.flatMap({ Double($0) }), value.isFinite else { return nil }
    rest.removeLast()
    return value
  }

  /// Reads whole numbers that an `x` joins, such as `3x3`; one stands for as many as are wanted.
  /// - Throws: ``OperationProblem`` that says what was expected.
  public mutating func integers(
    _ count: Int, _ expected: String, atLeast least: Int = 1
  ) throws(OperationProblem) -> [Int] {
    var values: [Int] = []
    for part in (next() ?? "").split(separator: "x", omittingEmptySubsequences: false) {
      guard let value = Int(part), (least...Int(Int32.max)).contains(value) else {
        throw OperationProblem(expected)
      }
      values.append(value)
    }
    if values.count == 1 { values = Array(repeating: values[0], count: count) }
    guard values.count == count else { throw OperationProblem(expected) }
    return values
  }
}

extension [Int] {
  /// The numbers with an `x` between them, or one if all are equal.
  public var operationWord: String {
    Set(self).count == 1 ? "\(self[0])" : map(String.init).joined(separator: "x")
  }
}
