// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWExperiments
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
    let pairs = NetworkPair.all(of: networks.count).prefix(limit ?? .max)
      .map { (first: $0.first - 1, second: $0.second - 1) }
    let joined = Set(pairs.flatMap { [$0.first, $0.second] })
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
        let train = String(entry.evaluation.train.worstAccuracy * 100, decimals: 2)
        let test = String(entry.evaluation.test.worstAccuracy * 100, decimals: 2)
        progress.print(
          "\(names[i]) – \(names[j])  \(method): worst \(train) % train, \(test) % test, "
            + "\(String(entry.measured.seconds, decimals: 1)) s")
      }
    }
  }

  /// Mean and deviation over the pairs, a row for each method.
  private var summary: Table {
    var means = methods.map { method in
      let found = rows.filter { $0.method == method }.map(\.entry.measured)
      return PathRow([.text(method), .integer(found.count)], .mean(found))
    }
    means.append(
      PathRow(
        [.text("end points (\(ends.count))"), .empty],
        .ends(ends.map { EndPoint(train: $0.train, test: $0.test) })))
    for index in means.indices { means[index].alwaysHasDeviation = true }
    var table = Table(
      names: [.init("method"), .init("pairs", alignment: .number)],
      figures: [
        .worstAccuracy(.train), .worstAccuracy(.test), .barrier(.train), .barrier(.test),
        .seconds(decimals: 1),
      ], rows: means)
    if let samples { table.notes.append(samples.note) }
    return table
  }

  /// Every pair by every method.
  private var pairs: Table {
    Table(
      names: [.init("method"), .init("first"), .init("second")],
      figures: [
        .worstAccuracy(.train), .worstTime(.train), .worstAccuracy(.test), .worstTime(.test),
        .barrier(.train), .barrier(.test), .seconds(decimals: 1),
      ],
      rows: rows.map {
        PathRow(
          [.text($0.method), .text($0.first.asOneLine), .text($0.second.asOneLine)],
          .path($0.entry.measured))
      })
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
}
