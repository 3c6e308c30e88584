// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LCWCore
import LCWPaths

/// `lcw connect`
struct ConnectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "connect", abstract: "Joins two networks by a path.",
    discussion: """
      With --output the path is written as an archive. With --evaluate, --report, or without \
      --output, it is evaluated too. --method may be given several times to compare methods.
      """)

  @Argument(help: "The network the path starts at.")
  var first: String

  @Argument(help: "The network it ends at.")
  var second: String

  @Option(name: .shortAndLong, help: "A method, such as arc; once for each.")
  var method: [String] = []

  @Option(name: .shortAndLong, help: "The archive to write; for one method.")
  var output: String?

  @Flag(help: "Evaluate the paths.")
  var evaluate = false

  @Option(help: "Write a report of the paths, one HTML file.")
  var report: String?

  @Option(help: "How to print: table, csv, json, markdown.")
  var format: OutputFormat = .table

  @Option(help: "The seed of whatever a method draws.")
  var seed: UInt64 = 0

  @OptionGroup var foreign: ForeignOptions
  @OptionGroup var evaluation: EvaluationOptions
  @OptionGroup var compute: ComputeOptions

  func validate() throws {
    if method.isEmpty { throw ValidationError("Name a method with --method, such as arc.") }
    if output != nil, method.count > 1 {
      throw ValidationError("--output takes the path of one method; \(method.count) are named.")
    }
  }

  func run() throws {
    let session = try Session(compute)
    // What is wrong is told before anything is read or computed.
    if let output { try session.checkOutput(output, inputs: [first, second]) }
    try OutputCheck.checkReport(report)
    let methods = try method.map { text throws in try PluginReference(text) }
    for reference in methods { _ = try session.registry.method(reference) }
    let a = try session.network(
      in: first, architecture: foreign.architecture, dataset: foreign.dataset)
    let b = try session.network(
      in: second, architecture: foreign.architecture, dataset: foreign.dataset)
    if let output {
      let path = try session.connect(a, b, by: methods[0], dataset: foreign.dataset, seed: seed)
      let archive = try session.archive(path, method: methods[0], from: a)
      try session.write(archive.checkpoint, to: output)
      print("\(output): \(methods[0]), \(path.stages.count) stage(s) from \(first) to \(second)")
    }
    if evaluate || report != nil || output == nil {
      try compare(methods, a, b, session)
    }
  }

  private func compare(
    _ methods: [PluginReference], _ a: TrainedNetwork, _ b: TrainedNetwork, _ session: Session
  ) throws {
    let data = try session.data(
      given: foreign.dataset, recorded: a.dataset, limit: evaluation.samples)
    var study = ConnectionStudy(
      command: commandLineText(), seedNote: "seed \(seed)")
    study.dataset = "\(data.reference)"
    study.network = "\(a.weights.network)"
    let evaluator = PathEvaluator(strategy: evaluation.strategy, workers: session.workers)
    for reference in methods {
      let start = ContinuousClock.now
      let path = try session.connect(
        a, b, by: reference, seed: seed, samples: data.samples.train)
      let seconds = (ContinuousClock.now - start).seconds
      study.entries.append(
        try ConnectionStudy.Entry(
          name: "\(reference)", path: path, evaluator: evaluator, data: data.samples,
          options: evaluation, connectSeconds: seconds))
    }
    print(study.text(as: format))
    if let report { try study.writeReport(to: report) }
  }
}
