// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks

/// What a result may hold at most. A file of a step's folder is anybody's: what it says is checked
/// before it is believed, and nothing in it decides how much work is done with it.
enum ResultLimits {
  /// The bytes of a result's file.
  static let bytes = 64 << 20
  /// The values in it: numbers, texts, lists and objects.
  static let values = 1 << 20
  /// The points of a path.
  static let points = 100_000
  /// The stages of a path, and the bytes of a stage's name.
  static let stages = 1000
  static let labelBytes = 1000
  /// The neurons of a panel.
  static let neurons = 10_000
  /// The rows and columns of a plane, and the points of the path on it.
  static let planeSize = 256
  /// The lines of a fit's record, and the numbers of a line.
  static let histories = 1000
  static let epochs = 100_000
  /// A step's seconds, some three hundred years.
  static let seconds = 1e10
  /// The size of a distance in weight space: single precision holds no more.
  static let distance = 1e39
}

/// Why a result is not trusted: a field and what it should be.
struct ResultProblem: Error {
  var reason: String

  init(_ field: String, _ expected: String) {
    reason = "‘\(field)’ should be \(expected)"
  }
}

/// Reads an object of a result, and believes no number that can't be.
struct ResultReader {
  private let fields: [String: JSONValue]
  private let prefix: String

  /// - Parameter name: What the object is called in messages; nothing for the result itself.
  init(_ json: JSONValue?, _ name: String = "") throws(ResultProblem) {
    guard let fields = json?.object else {
      throw ResultProblem(name.isEmpty ? "result" : name, "an object")
    }
    self.fields = fields
    prefix = name.isEmpty ? "" : "\(name)."
  }

  private func problem(_ key: String, _ expected: String) -> ResultProblem {
    ResultProblem(prefix + key, expected)
  }

  func has(_ key: String) -> Bool { fields[key] != nil }

  /// A finite number of a range.
  func number(_ key: String, in range: ClosedRange<Double>) throws(ResultProblem) -> Double {
    guard let value = fields[key]?.double, range.contains(value) else {
      throw problem(key, "a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// A loss or a length, which may have become infinite, or no number, on the way.
  func measure(_ key: String, isSigned: Bool = false) throws(ResultProblem) -> Double {
    guard let value = fields[key]?.double, isSigned || !(value < 0) else {
      throw problem(key, isSigned ? "a number" : "a number that is not negative")
    }
    return value
  }

  func integer(_ key: String, in range: ClosedRange<Int>) throws(ResultProblem) -> Int {
    guard let value = fields[key]?.integer, range.contains(value) else {
      throw problem(key, "an integer from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  func truth(_ key: String) throws(ResultProblem) -> Bool {
    guard let value = fields[key]?.bool else { throw problem(key, "true or false") }
    return value
  }

  func text(_ key: String, bytes limit: Int = ResultLimits.labelBytes) throws(ResultProblem)
    -> String
  {
    guard let value = fields[key]?.string, value.utf8.count <= limit else {
      throw problem(key, "a text of at most \(limit) bytes")
    }
    return value
  }

  func list(_ key: String, count: ClosedRange<Int>) throws(ResultProblem) -> [JSONValue] {
    guard let values = fields[key]?.array, count.contains(values.count) else {
      let number =
        count.count == 1 ? "\(count.lowerBound)" : "\(count.lowerBound) to \(count.upperBound)"
      throw problem(key, "a list of \(number)")
    }
    return values
  }

  func object(_ key: String) throws(ResultProblem) -> ResultReader {
    try ResultReader(fields[key], prefix + key)
  }

  var all: [String: JSONValue] { fields }

  /// `[accuracy, mean cross-entropy]`.
  func metrics(_ key: String) throws(ResultProblem) -> Metrics {
    guard let metrics = ResultReader.metrics(fields[key]) else {
      throw problem(key, "an accuracy from 0 to 1 and a loss")
    }
    return metrics
  }

  func metricsList(_ key: String, count: Int) throws(ResultProblem) -> [Metrics] {
    let found = try list(key, count: count...count).compactMap(ResultReader.metrics)
    guard found.count == count else {
      throw problem(key, "a list of accuracies from 0 to 1 and losses")
    }
    return found
  }

  private static func metrics(_ json: JSONValue?) -> Metrics? {
    guard let metrics = Metrics(json), (0...1).contains(metrics.accuracy),
      !(metrics.crossEntropy < 0)
    else { return nil }
    return metrics
  }

  /// Two ends, the first below the second.
  func range(_ key: String) throws(ResultProblem) -> ClosedRange<Double> {
    guard let ends = ResultReader.place(fields[key]), ends.x < ends.y else {
      throw problem(key, "two distances, the first below the second")
    }
    return ends.x...ends.y
  }

  /// Places in a plane.
  func places(
    _ key: String, count: ClosedRange<Int>
  ) throws(ResultProblem) -> [(x: Double, y: Double)] {
    let values = try list(key, count: count)
    let places = values.compactMap(ResultReader.place)
    guard places.count == values.count else { throw problem(key, "a list of places in a plane") }
    return places
  }

  private static func place(_ json: JSONValue?) -> (x: Double, y: Double)? {
    guard let values = json?.array, values.count == 2, let x = values[0].double,
      let y = values[1].double, x.magnitude <= ResultLimits.distance,
      y.magnitude <= ResultLimits.distance
    else { return nil }
    return (x, y)
  }
}
