// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks

/// What one step has found, read from its result.
enum Finding {
  case network(train: Metrics, test: Metrics, origin: NetworkOrigin?)
  case fit([String: JSONValue])
  case learned
  case path(PathFinding)
  case ensemble(EnsembleFinding)
  case middles(MiddlesFinding)
  case plane(PlaneFinding)

  /// - Throws: ``ResultProblem`` if something in it can't be.
  init(_ result: JSONValue, of step: Step) throws(ResultProblem) {
    let reader = try ResultReader(result)
    switch step.work {
    case .train:
      self = .network(
        train: try reader.metrics("train"), test: try reader.metrics("test"), origin: nil)
    case .open:
      self = .network(
        train: try reader.metrics("train"), test: try reader.metrics("test"),
        origin: try NetworkOrigin(try reader.object("origin")))
    case .fit:
      try FitFinding.check(reader)
      self = .fit(reader.all)
    case .learn: self = .learned
    case .connect(let method, let pair):
      self = .path(
        PathFinding(method: method, pair: pair, measured: try MeasuredPath(reader)))
    case .ensemble(let head): self = .ensemble(try EnsembleFinding(head: head, reader))
    case .middles(let methods, _): self = .middles(try MiddlesFinding(of: methods.count, reader))
    case .plane(let method, let pair):
      self = .plane(try PlaneFinding(method: method, pair: pair, reader))
    }
  }
}

/// What every step's result says of its making.
struct StepRecord {
  var seconds: Double
  var machine: String?
  var threads: Int?
  var isResumed: Bool

  /// - Throws: ``ResultProblem`` if something in it can't be.
  init(_ result: JSONValue) throws(ResultProblem) {
    let reader = try ResultReader(result)
    seconds = try reader.number("seconds", in: 0...ResultLimits.seconds)
    // What older versions did not tell may be missing.
    machine = reader.has("machine") ? try reader.text("machine") : nil
    threads = reader.has("threads") ? try reader.integer("threads", in: 1...1 << 16) : nil
    isResumed = reader.has("resumed") ? try reader.truth("resumed") : false
  }
}

/// A path that a method has found between two networks.
struct PathFinding: Sendable {
  var method: MethodExpression
  var pair: NetworkPair
  var measured: MeasuredPath
}

/// A fitted model.
struct FitFinding: Sendable {
  var fit: Experiment.Fit
  var seconds: Double?
  /// What its figures came to, epoch by epoch; see ``LineChart/histories(of:title:)``.
  var record: [String: JSONValue]

  /// What somebody should know of it.
  var warnings: [String] { record["warnings"]?.array?.compactMap(\.string) ?? [] }

  init(fit: Experiment.Fit, _ record: [String: JSONValue]) {
    self.fit = fit
    self.record = record
    seconds = record["resumed"]?.bool == false ? record["seconds"]?.double : nil
  }

  /// - Throws: ``ResultProblem`` if the record has more, or other things, than a fit keeps.
  static func check(_ reader: ResultReader) throws(ResultProblem) {
    if reader.has("figure") { _ = try reader.text("figure") }
    if reader.has("warnings") {
      let warnings = try reader.list("warnings", count: 0...ResultLimits.histories)
      guard warnings.allSatisfy({ $0.string != nil }) else {
        throw ResultProblem("warnings", "a list of texts")
      }
    }
    guard reader.has("histories") else { return }
    let histories = try reader.object("histories").all
    guard histories.count <= ResultLimits.histories else {
      throw ResultProblem("histories", "at most \(ResultLimits.histories) lists")
    }
    for values in histories.values {
      guard let numbers = values.array, numbers.count <= ResultLimits.epochs,
        numbers.allSatisfy({ $0.double != nil })
      else {
        throw ResultProblem("histories", "lists of at most \(ResultLimits.epochs) numbers")
      }
    }
  }
}

/// Ensembles of one network, of two and so on, with one head.
struct EnsembleFinding: Sendable {
  var head: Int
  var train: [Metrics]
  var test: [Metrics]
  var storedValues: [Int]
  var multiplyAdds: [Int]

  init(head: Int, _ reader: ResultReader) throws(ResultProblem) {
    self.head = head
    let count = try reader.list("test", count: 1...Experiment.mostNetworks).count
    test = try reader.metricsList("test", count: count)
    train = try reader.metricsList("train", count: count)
    func counts(_ key: String) throws(ResultProblem) -> [Int] {
      let values = try reader.list(key, count: count...count).compactMap(\.integer)
      guard values.count == count, values.allSatisfy({ $0 >= 0 }) else {
        throw ResultProblem(key, "a list of integers that are not negative")
      }
      return values
    }
    storedValues = try counts("stored_values")
    multiplyAdds = try counts("multiply_adds")
  }
}

/// Neurons in a plane.
struct MiddlesFinding: Sendable {
  var explained: Double
  var panels: [(name: String, points: [(x: Double, y: Double)])]

  /// - Parameter methods: How many methods' middles there are, beside both ends.
  init(of methods: Int, _ reader: ResultReader) throws(ResultProblem) {
    // A share that is rounded may be a little more than all.
    explained = min(try reader.number("explained", in: 0...1.001), 1)
    panels = []
    for json in try reader.list("panels", count: methods + 2...methods + 2) {
      let panel = try ResultReader(json, "panels")
      panels.append(
        (try panel.text("name"), try panel.places("points", count: 1...ResultLimits.neurons)))
    }
  }
}

/// The loss on a plane of weight space.
struct PlaneFinding: Sendable {
  var method: MethodExpression
  var pair: NetworkPair
  /// Rows from the bottom, each from the left.
  var losses: [[Double]]
  var x: ClosedRange<Double>
  var y: ClosedRange<Double>
  var path: [(x: Double, y: Double)]
  var samples: Int

  init(
    method: MethodExpression, pair: NetworkPair, _ reader: ResultReader
  ) throws(ResultProblem) {
    self.method = method
    self.pair = pair
    let rows = try reader.list("losses", count: 2...ResultLimits.planeSize)
    losses = rows.compactMap { row in
      let values = row.array?.compactMap(\.double)
      return values?.count == row.array?.count ? values : nil
    }
    guard losses.count == rows.count, let width = losses.first?.count,
      (2...ResultLimits.planeSize).contains(width),
      losses.allSatisfy({ $0.count == width && $0.allSatisfy { !($0 < 0) } })
    else { throw ResultProblem("losses", "rows of losses, all of one length") }
    x = try reader.range("x")
    y = try reader.range("y")
    path = try reader.places("path", count: 1...ResultLimits.points)
    samples = try reader.integer("samples", in: 1...Int.max)
  }
}
