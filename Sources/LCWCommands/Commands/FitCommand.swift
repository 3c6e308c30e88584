// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import LCWCore
import LCWNumerics
import LCWPaths

/// `lcw fit`
struct FitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fit",
    abstract: "Fits a connection to a set of networks; the model then joins any pair.",
    discussion: """
      The model is an archive; pass it to the method's option `model`: lcw fit flow \
      models/*.lcw -o nu.lcw, then lcw connect a.lcw b.lcw -m flow:model=nu.lcw. Give options of \
      the fit with the method, such as flow:kind=iaf,layers=4; lcw plugins flow lists them. \
      --resume continues an interrupted fit; with the same number of threads the result is \
      identical.
      """ + CommandExamples.text(of: "fit"))

  @Argument(help: "The method to fit, with its options.", completion: .learnableMethods)
  var method: String

  @Argument(
    help: "The networks to learn from, all of one architecture.", completion: .file())
  var networks: [String]

  @Option(name: .shortAndLong, help: "The archive to write.", completion: .file())
  var output: String

  @Option(
    help: """
      Hold out the last N networks for validation: they decide which epoch is best and \
      when to stop. A bijection uses the first four of them, in three pairs.
      """)
  var holdOut: Int = 0

  @Option(help: "Random seed of the fit. (default: 0)", transform: seedNumber)
  var seed: UInt64 = 0

  @Option(help: "Write a report of the fit, one HTML file.", completion: .file())
  var report: String?

  @Flag(
    help: """
      Resume from the state that an interrupted fit left beside the output. Add --overwrite if \
      that fit was to replace an existing output.
      """)
  var resume = false

  @Flag(help: "Show no progress.")
  var quiet = false

  @OptionGroup var overwriting: OverwriteOption
  @OptionGroup var foreign: ForeignOptions
  @OptionGroup var reading: ReadingOptions
  @OptionGroup var compute: ComputeOptions

  func validate() throws {
    if networks.isEmpty { throw ValidationError("Name the networks to learn from.") }
    if !(0..<networks.count).contains(holdOut) {
      throw ValidationError(
        "--hold-out takes a number from 0 to \(networks.count - 1), so one is left to fit.")
    }
  }

  func run() throws {
    try StandardInput.check(networks)
    let session = try Session(compute, reading)
    let expression = try MethodExpression(method)
    let learner = try learner(expression, session)
    let inputs =
      networks + (try session.registry.files(namedBy: expression))
      + (try session.files(ofDataset: foreign.dataset))
    let archive = try session.reserve(
      output, holding: .connectionModel, inputs: inputs,
      existing: overwriting.overwrite ? .replacedIfAlike : .refused)
    try OutputCheck.checkReport(report)
    let store = try StateFile(
      besides: output, inputs: inputs, session: session, isResuming: resume)
    let loaded = try networks.map {
      try session.network(in: $0, architecture: foreign.architecture, dataset: foreign.dataset)
    }
    try session.requireOneNetwork(loaded, files: networks)
    try requireOneDataset(loaded)
    let needsData = type(of: learner).fittingNeedsData
    let data =
      needsData
      ? try session.data(given: foreign.dataset, recorded: loaded[0].dataset, in: networks[0]) : nil
    if let data { try session.require(data.samples, fit: loaded[0], in: networks[0]) }
    let joining = PathJoining(
      session: session, samples: data?.samples.train, seed: seed, isQuiet: quiet)
    let start = ContinuousClock.now
    var model = try learner.fit(
      to: loaded.dropLast(holdOut).map(\.weights), heldOut: loaded.suffix(holdOut).map(\.weights),
      in: joining.context(for: expression, store: store))
    let seconds = (ContinuousClock.now - start).seconds
    model.metadata.merge(
      Checkpoint.description(
        of: loaded[0].weights.network, architecture: loaded[0].architecture,
        dataset: data?.reference ?? loaded[0].dataset)
    ) { $1 }
    model.metadata["method"] = .string("\(expression)")
    model.metadata["program"] = .string(LCWVersion.program)
    model.metadata["seed"] = .string("\(seed)")
    model.metadata["threads"] = .integer(session.workers.count)
    model.metadata["networks"] = .object([
      "held-out": .integer(holdOut), "learned-from": .integer(loaded.count - holdOut),
      "seeds": .array(loaded.compactMap { $0.record["training"]?.object?["seed"] }),
    ])
    try store.orLeavingState { try archive.write(model) }
    store.remove()
    for warning in model.metadata["warnings"]?.array?.compactMap(\.string) ?? [] {
      Console.printError("warning: \(warning)")
    }
    try StandardOutput.line(
      "\(output): \(expression), fitted to \((loaded.count - holdOut).counted("network")) in "
        + Duration.seconds(seconds).shortText)
    if let report {
      try FitStudy(
        command: commandLineText(), expression: expression, model: model, seconds: seconds
      ).writeReport(to: report)
    }
  }

  private func requireOneDataset(_ loaded: [TrainedNetwork]) throws {
    guard foreign.dataset == nil else { return }
    for (file, network) in zip(networks, loaded) where network.dataset != loaded[0].dataset {
      func text(_ dataset: PluginReference?) -> String { dataset.map { "\($0)" } ?? "no data set" }
      throw SessionError.wrongUse(
        "\(networks[0]) names \(text(loaded[0].dataset)), and \(file) \(text(network.dataset)); name "
          + "the data set of the fit with --dataset")
    }
  }

  private func learner(
    _ expression: MethodExpression, _ session: Session
  ) throws -> any LearnableMethod {
    if let modifier = expression.modifiers.first {
      throw SessionError.wrongUse(
        "a model is fitted for \(expression.method.name), and +\(modifier.name) "
          + "has no part in it; leave it out")
    }
    guard let learner = try session.registry.method(expression.method) as? any LearnableMethod
    else {
      let able = session.registry.plugins(of: .method).filter { $0 is any LearnableMethod.Type }
        .map { $0.name }
      throw SessionError.wrongUse(
        "\(expression.method.name) can't be fitted to a set of networks"
          + (able.isEmpty ? "" : "; these can: \(able.joined(separator: ", "))"))
    }
    return learner
  }
}
