// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LCWCore
import LCWNetworks
import LCWPaths
import LCWReport

/// `lcw compare`
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Joins every pair of several networks by every method given.",
    discussion: """
      Prints the worst accuracies as mean ± standard deviation over the pairs; CSV and JSON list \
      every pair.
      """ + CommandExamples.text(of: "compare"))

  @Argument(
    help: "The networks; give three or more for a meaningful deviation.", completion: .file())
  var networks: [String]

  @Option(
    name: .shortAndLong, help: "A method, such as arc; may be repeated.", completion: .methods)
  var method: [String] = []

  @Option(help: "Output format.")
  var format: OutputFormat = .table

  @Option(
    help: """
      Join at most N pairs: neighbours in the given order first, the last with the first, then \
      those two apart, and so on.
      """)
  var pairs: Int?

  @Option(help: "Random seed of the methods. (default: 0)", transform: seedNumber)
  var seed: UInt64 = 0

  @Flag(help: "Show no progress.")
  var quiet = false

  @OptionGroup var foreign: ForeignOptions
  @OptionGroup var evaluation: EvaluationOptions
  @OptionGroup var reading: ReadingOptions
  @OptionGroup var compute: ComputeOptions

  func validate() throws {
    if networks.count < 2 { throw ValidationError("Name two networks or more.") }
    if let pairs, pairs < 1 { throw ValidationError("--pairs takes a positive number.") }
    if method.isEmpty {
      throw ValidationError(
        "Name a method with --method, such as arc; lcw plugins method lists them.")
    }
  }

  func run() throws {
    try StandardInput.check(networks)
    let session = try Session(compute, reading)
    let methods = try MethodExpression.distinct(method)
    for expression in methods {
      _ = try session.registry.connection(expression)
      try session.registry.requireUsefulModifiers(in: expression)
    }
    let loaded = try networks.map {
      try session.network(in: $0, architecture: foreign.architecture, dataset: foreign.dataset)
    }
    // All are checked before minutes are spent on the first pairs.
    try session.requireOneNetwork(loaded, files: networks)
    session.warnOfOtherData(loaded, files: networks, given: foreign.dataset)
    try session.warnOfRunningMoments(loaded[0].weights, in: networks[0], joinedBy: methods)
    let data = try session.data(
      given: foreign.dataset, recorded: loaded[0].dataset, in: networks[0])
    try session.require(data.samples, fit: loaded[0], in: networks[0])
    var comparison = try PairComparison(
      names: networks, networks: loaded, methods: methods, data: data.samples, session: session,
      options: evaluation, pairs: pairs, seed: seed, isQuiet: quiet)
    comparison.samples = try session.preparation(
      of: data.reference, measuring: data.samples, limit: evaluation.samples)
    try StandardOutput.text(comparison.text(as: format), terminator: format.terminator)
  }
}
