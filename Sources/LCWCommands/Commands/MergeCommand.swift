// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWPaths
import LCWReport

/// `lcw merge`
struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge", abstract: "Merges several networks into one.",
    discussion: """
      The merged network is the middle of the method's path between two networks. A third network \
      is merged at a third of the way, and so on, so that all count equally. linear gives the mean \
      of the weights. Methods that match units, such as ot, first permute each network's units to \
      match the first network. --to centre matches all networks to their mean instead, and repeats \
      this while they get closer to it.

      The table compares the accuracy of the merged network with that of its parents and of their \
      ensemble.
      """ + CommandExamples.text(of: "merge"))

  @Argument(help: "The networks, two or more.", completion: .file())
  var networks: [String]

  @Option(name: .shortAndLong, help: "A method, such as ot.", completion: .methods)
  var method: String

  @Option(name: .shortAndLong, help: "The file to write.", completion: .file())
  var output: String?

  @Option(help: "What the networks are matched to: first or centre.")
  var to: MergeTarget = .first

  @Option(help: "Output format.")
  var format: OutputFormat = .table

  @Option(help: "Measure on only the first N training and N test samples.")
  var samples: Int?

  @Option(help: "Random seed of the method. (default: 0)", transform: seedNumber)
  var seed: UInt64 = 0

  @Flag(help: "Show no progress.")
  var quiet = false

  @OptionGroup var overwriting: OverwriteOption
  @OptionGroup var foreign: ForeignOptions
  @OptionGroup var reading: ReadingOptions
  @OptionGroup var compute: ComputeOptions

  func validate() throws {
    if networks.count < 2 { throw ValidationError("Name two networks or more.") }
    if let samples, samples < 1 { throw ValidationError("--samples takes a positive number.") }
  }

  func run() throws {
    try StandardInput.check(networks)
    let session = try Session(compute, reading)
    let expression = try MethodExpression(method)
    let connection = try session.registry.connection(expression)
    try session.registry.requireUsefulModifiers(in: expression)
    let inputs =
      networks + (try session.registry.files(namedBy: expression))
      + (try session.files(ofDataset: foreign.dataset))
    let file = try output.map {
      try session.reserve(
        $0, inputs: inputs, existing: overwriting.overwrite ? .replacedIfAlike : .refused)
    }
    let loaded = try networks.map {
      try session.network(in: $0, architecture: foreign.architecture, dataset: foreign.dataset)
    }
    try session.requireOneNetwork(loaded, files: networks)
    session.warnOfOtherData(loaded, files: networks, given: foreign.dataset)
    try session.warnOfRunningMoments(loaded[0].weights, in: networks[0], joinedBy: [expression])
    let data = try session.data(
      given: foreign.dataset, recorded: loaded[0].dataset, in: networks[0])
    try session.require(data.samples, fit: loaded[0], in: networks[0])
    let watch = InterruptionWatch()
    let joining = PathJoining(
      session: session, samples: data.samples.train, seed: seed, isQuiet: quiet, watch: watch)
    let merge = try joining.inFiles((networks[0], "the others"), expression) {
      try watch.leavingAtOnce("nothing was merged; run the same command again") {
        try NetworkMerge(
          of: loaded.map(\.weights), by: connection, to: to.reference,
          in: joining.context(for: expression))
      }
    }
    let merged = TrainedNetwork(
      architecture: loaded[0].architecture, weights: merge.weights, dataset: data.reference,
      record: [
        "program": .string(LCWVersion.program), "method": .string("\(expression)"),
        "merged": .integer(networks.count), "seed": .string("\(seed)"),
      ].merging(try session.record(ofSamples: data.reference)) { $1 })
    if let file {
      try file.write(Checkpoint(merged))
      Console.printError("\(file.path): \(networks.count) networks merged by \(expression)")
    }
    let table = try table(of: loaded, merge, data, session)
    let preparation = try session.preparation(
      of: data.reference, measuring: data.samples, limit: samples)
    try StandardOutput.text(
      table.text(as: format, fields: table.rows.map { _ in preparation.json }),
      terminator: format.terminator)
  }

  /// The figures of the parents, their ensemble and the merged network.
  private func table(
    of parents: [TrainedNetwork], _ merge: NetworkMerge,
    _ data: (reference: PluginReference, samples: EvaluationData), _ session: Session
  ) throws -> Table {
    let evaluated = EvaluationData(
      train: samples.map(data.samples.train.prefix) ?? data.samples.train,
      test: samples.map(data.samples.test.prefix) ?? data.samples.test)
    var table = Table(columns: [
      .init("network", key: "network"),
      .init("train accuracy", key: "train_accuracy", alignment: .number),
      .init("train loss", key: "train_loss", alignment: .number),
      .init("test accuracy", key: "test_accuracy", alignment: .number),
      .init("test loss", key: "test_loss", alignment: .number),
    ])
    func append(_ name: String, _ train: Metrics, _ test: Metrics) throws {
      try SessionError.requireFinite(train, test, of: name)
      table.append([
        .text(name.asOneLine), .percent(train.accuracy, decimals: 2),
        .number(train.crossEntropy, decimals: 4), .percent(test.accuracy, decimals: 2),
        .number(test.crossEntropy, decimals: 4),
      ])
    }
    let weights = parents.map(\.weights)
    let ensemble = try Ensemble(
      members: weights, head: weights[0].network.weightedLayers.count)
    let runner = try Runner(weights[0].network)
    func measure(_ weights: Weights, _ name: String) throws {
      try append(
        name, try runner.evaluate(weights, on: evaluated.train, workers: session.workers),
        try runner.evaluate(weights, on: evaluated.test, workers: session.workers))
    }
    for (file, weights) in zip(networks, weights) { try measure(weights, file) }
    let all = (
      try ensemble.evaluate(on: evaluated.train, workers: session.workers),
      try ensemble.evaluate(on: evaluated.test, workers: session.workers)
    )
    if let train = all.0.last, let test = all.1.last { try append("ensemble", train, test) }
    try measure(merge.weights, "merged")
    table.notes.append(
      "Root mean square distance from the mean: "
        + "\(String(merge.spreadBefore, significantDigits: 5)) before, "
        + "\(String(merge.spreadAfter, significantDigits: 5)) as merged"
        + (to == .centre
          ? ", after \(merge.rounds.counted("round")) of matching to the mean." : "."))
    table.notes.append(
      try session.preparation(
        of: data.reference, measuring: data.samples, limit: samples
      ).note)
    return table
  }
}

/// What networks are matched to, as an option names it.
enum MergeTarget: String, ExpressibleByArgument, CaseIterable {
  case first, centre

  /// The most rounds of matching to the mean.
  private static let rounds = 20

  var reference: NetworkMerge.Reference {
    switch self {
    case .first: .first
    case .centre: .centre(rounds: Self.rounds)
    }
  }
}
