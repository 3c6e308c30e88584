// SPDX-License-Identifier: Apache-2.0
import LCWCore

/// Reads an object's fields and refuses those that nobody asked for.
struct FieldReader {
  private let members: [String: JSONValue]
  /// What stands before a key in messages: `training.`, or nothing.
  let prefix: String
  private var known: Set<String> = []

  init(_ value: JSONValue, of prefix: String) throws(ExperimentError) {
    guard let members = value.object else {
      throw .field(String(prefix.dropLast()), expected: "a JSON object")
    }
    self.members = members
    self.prefix = prefix
  }

  mutating func value(_ key: String) throws(ExperimentError) -> JSONValue? {
    known.insert(key)
    return members[key]
  }

  mutating func text(_ key: String, default text: String? = nil) throws(ExperimentError) -> String {
    guard let found = try value(key)?.string ?? (members[key] == nil ? text : nil) else {
      throw .field(prefix + key, expected: "a text")
    }
    return found
  }

  mutating func integer(
    _ key: String, default number: Int, in range: ClosedRange<Int>
  ) throws(ExperimentError) -> Int {
    try ranged(key, default: number, in: range, "an integer", \.integer)
  }

  mutating func number(
    _ key: String, default number: Double, in range: ClosedRange<Double>
  ) throws(ExperimentError) -> Double {
    try ranged(key, default: number, in: range, "a number", \.double)
  }

  /// A number of some kind within a range.
  private mutating func ranged<Number: Comparable>(
    _ key: String, default number: Number, in range: ClosedRange<Number>, _ kind: String,
    _ read: (JSONValue) -> Number?
  ) throws(ExperimentError) -> Number {
    guard let value = try value(key) else { return number }
    guard let found = read(value), range.contains(found) else {
      throw .field(
        prefix + key, expected: "\(kind) from \(range.lowerBound) to \(range.upperBound)")
    }
    return found
  }

  mutating func truth(_ key: String, default truth: Bool) throws(ExperimentError) -> Bool {
    guard let found = (try value(key) ?? .bool(truth)).bool else {
      throw .field(prefix + key, expected: "true or false")
    }
    return found
  }

  mutating func integers(
    _ key: String, in range: ClosedRange<Int>
  ) throws(ExperimentError) -> [Int] {
    let values = (try value(key) ?? .array([])).array?.map(\.integer)
    guard let values, values.allSatisfy({ $0.map(range.contains) ?? false }) else {
      throw .field(
        prefix + key, expected: "a list of integers from \(range.lowerBound) to \(range.upperBound)"
      )
    }
    return values.compactMap(\.self)
  }

  func finish() throws(ExperimentError) {
    if let key = members.keys.sorted().first(where: { !known.contains($0) }) {
      throw .unknownField(
        prefix + key, nearest: nearestName(to: key, among: known.sorted()).map { prefix + $0 })
    }
  }
}
