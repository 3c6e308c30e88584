// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWPaths
import LCWReport

/// Methods compared over all pairs of some networks.
struct PairComparison {
  /// One pair joined by one method.
  struct Row {
    var method: String
    var first: String
    var second: String
    var entry: ConnectionStudy.Entry
  }

  /// What the paths were evaluated on.
  var samples: SamplePreparation?
  private(set) var rows: [Row] = []
  /// Accuracy of each network.
  private(set) var ends: [(name: String, train: Metrics, test: Metrics)] = []
  private let methods: [String]

  init(
    names: [String], networks: [TrainedNetwork], methods: [MethodExpression], data: EvaluationData,
    session: Session, options: EvaluationOptions, pairs limit: Int?, seed: UInt64, isQuiet: Bool
  ) throws {
    self.methods = methods.map(\.description)
    let pairs = PairComparison.pairs(of: networks.count).prefix(limit ?? .max)
    let joined = Set(pairs.flatMap { [$0.0, $0.1] })
    for (index, (name, network)) in zip(names, networks).enumerated() where joined.contains(index) {
      let runner = try Runner(network.weights.network)
      let (train, test) = try (
        runner.evaluate(network.weights, on: options.limited(data).train, workers: session.workers),
        runner.evaluate(network.weights, on: options.limited(data).test, workers: session.workers)
      )
      // Every figure of a pair is relative to its ends': said before any pair is joined.
      try SessionError.requireFinite(train, test, of: name)
      ends.append((name, train, test))
    }
    let joining = PathJoining(
      session: session, samples: data.train, seed: seed, isQuiet: isQuiet)
    let progress = ProgressLine(isQuiet: isQuiet)
    let limited = options.limited(data)
    for (i, j) in pairs {
      for method in methods {
        let (path, seconds) = try joining.path(
          networks[i], networks[j], by: method, files: (names[i], names[j]))
        let entry = try joining.inFiles((names[i], names[j]), method) {
          try ConnectionStudy.Entry(
            name: "\(method)", path: path, traits: session.registry.connection(method).traits,
            evaluator: joining.evaluator(options.strategy, for: "\(method)"), data: limited,
            options: options, connectSeconds: seconds)
        }
        rows.append(Row(method: "\(method)", first: names[i], second: names[j], entry: entry))
        let train = fixed(entry.evaluation.train.worstAccuracy * 100, 2)
        let test = fixed(entry.evaluation.test.worstAccuracy * 100, 2)
        progress.print(
          "\(names[i]) – \(names[j])  \(method): worst \(train) % train, \(test) % test, "
            + "\(fixed(seconds + entry.evaluateSeconds, 1)) s")
      }
    }
  }

  /// All pairs, neighbours on a ring first, then those two apart and so on: with each round every
  /// network occurs twice more.
  private static func pairs(of count: Int) -> [(Int, Int)] {
    guard count > 1 else { return [] }
    return (1...count / 2).flatMap { distance in
      (0..<count).compactMap { first -> (Int, Int)? in
        // Halfway around, both directions meet.
        guard 2 * distance < count || first < distance else { return nil }
        let second = (first + distance) % count
        return (min(first, second), max(first, second))
      }
    }
  }

  /// Mean and deviation over the pairs, a row for each method.
  private var summary: Table {
    var table = Table(columns: [
      .init("method"), .init("pairs", alignment: .number),
      .init("worst train", key: "worst_train_accuracy", alignment: .number),
      .init("worst test", key: "worst_test_accuracy", alignment: .number),
      .init("barrier train", key: "train_barrier", alignment: .number),
      .init("barrier test", key: "test_barrier", alignment: .number),
      .init("seconds", alignment: .number),
    ])
    for method in methods {
      let entries = rows.filter { $0.method == method }.map(\.entry)
      let evaluations = entries.map(\.evaluation)
      let seconds = entries.map { ($0.connectSeconds ?? 0) + $0.evaluateSeconds }
      table.append([
        .text(method), .integer(evaluations.count),
        percent(evaluations.map(\.train.worstAccuracy)),
        percent(evaluations.map(\.test.worstAccuracy)),
        number(evaluations.map(\.train.barrier)), number(evaluations.map(\.test.barrier)),
        .number(seconds.reduce(0, +) / Double(max(1, seconds.count)), decimals: 1),
      ])
    }
    table.append([
      .text("end points (\(ends.count))"), .empty, percent(ends.map(\.train.accuracy)),
      percent(ends.map(\.test.accuracy)), .empty, .empty, .empty,
    ])
    if let samples { table.notes.append(samples.note) }
    return table
  }

  /// Every pair by every method.
  private var pairs: Table {
    var table = Table(columns: [
      .init("method"), .init("first"), .init("second"),
      .init("worst train", key: "worst_train_accuracy", alignment: .number),
      .init("at t", key: "worst_train_t", alignment: .number),
      .init("worst test", key: "worst_test_accuracy", alignment: .number),
      .init("at t", key: "worst_test_t", alignment: .number),
      .init("barrier train", key: "train_barrier", alignment: .number),
      .init("barrier test", key: "test_barrier", alignment: .number),
      .init("seconds", alignment: .number),
    ])
    for row in rows {
      let (train, test) = (row.entry.evaluation.train, row.entry.evaluation.test)
      table.append([
        .text(row.method), .text(row.first.asOneLine), .text(row.second.asOneLine),
        .percent(train.worstAccuracy, decimals: 2), .number(train.worstAccuracyTime, decimals: 3),
        .percent(test.worstAccuracy, decimals: 2), .number(test.worstAccuracyTime, decimals: 3),
        .number(train.barrier, decimals: 4), .number(test.barrier, decimals: 4),
        .number((row.entry.connectSeconds ?? 0) + row.entry.evaluateSeconds, decimals: 1),
      ])
    }
    return table
  }

  func text(as format: OutputFormat) -> String {
    switch format {
    case .table, .markdown: summary.text(as: format)
    case .csv: pairs.csv
    case .json:
      JSONValue.object(
        ["summary": summary.json, "pairs": pairs.json].merging(samples?.json ?? [:]) { own, _ in own
        }
      ).prettyText
    }
  }

  private func percent(_ values: [Double]) -> Table.Cell {
    let (mean, deviation) = moments(values)
    return .percentMeanDeviation(mean: mean, deviation: deviation, decimals: 2)
  }

  private func number(_ values: [Double]) -> Table.Cell {
    let (mean, deviation) = moments(values)
    return .meanDeviation(mean: mean, deviation: deviation, decimals: 4)
  }

  // The deviation of the sample, n − 1 in the denominator; none for a single value.
  private func moments(_ values: [Double]) -> (mean: Double, deviation: Double) {
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (mean, values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : 0)
  }
}
