// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import LCWCore
import LCWPaths

/// `lcw connect`
struct ConnectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "connect", abstract: "Joins two networks by a path.",
    discussion: """
      Add modifiers to a method with plus signs: linear, arc+wa, ot+wa+repair. --output writes \
      the path as an archive. The command evaluates the path if there is no --output, or if you \
      give --evaluate, --report, or any option about evaluating or printing. Give --method several \
      times to compare methods. A method that trains saves its state beside the output; \
      --resume continues it.
      """ + CommandExamples.text(of: "connect"))

  @Argument(help: "The network the path starts at.", completion: .file())
  var first: String

  @Argument(help: "The network it ends at.", completion: .file())
  var second: String

  @Option(
    name: .shortAndLong, help: "A method, such as arc; may be repeated.", completion: .methods)
  var method: [String] = []

  @Option(
    name: .shortAndLong, help: "The archive to write; only with one method.", completion: .file())
  var output: String?

  @Flag(
    help: ArgumentHelp(
      "Also store the layers that the path solves for at the grid points.",
      discussion: """
        A later evaluation then does not solve for these points again, but for the ends of stages.
        """))
  var keepAdjusted = false

  @Flag(help: "Evaluate the paths.")
  var evaluate = false

  @Option(help: "Write a report of the paths, one HTML file.", completion: .file())
  var report: String?

  @Option(help: "Output format. (default: table)")
  var format: OutputFormat?

  @Option(help: "Random seed of the methods. (default: 0)", transform: seedNumber)
  var seed: UInt64 = 0

  @Flag(help: "Resume from the state that an interrupted method left beside the output.")
  var resume = false

  @Flag(help: "Show no progress.")
  var quiet = false

  @OptionGroup var overwriting: OverwriteOption
  @OptionGroup var foreign: ForeignOptions
  @OptionGroup var evaluation: EvaluationOptions
  @OptionGroup var diagnosing: DiagnosticsOption
  @OptionGroup var reading: ReadingOptions
  @OptionGroup var compute: ComputeOptions

  func validate() throws {
    if method.isEmpty {
      throw ValidationError(
        "Name a method with --method, such as arc; lcw plugins method lists them.")
    }
    if resume, output == nil {
      throw ValidationError("--resume needs --output; the state is kept beside it.")
    }
    if keepAdjusted, output == nil {
      throw ValidationError("--keep-adjusted needs --output, the archive to store them in.")
    }
    try diagnosing.check(format: format)
    if output != nil, method.count > 1 {
      throw ValidationError("--output takes the path of one method; you gave \(method.count).")
    }
  }

  func run() throws {
    try StandardInput.check([first, second])
    let session = try Session(compute, reading)
    // What is wrong is told before anything is read or computed.
    let methods = try MethodExpression.distinct(method)
    let inputs =
      [first, second] + (try methods.flatMap(session.registry.files(namedBy:)))
      + (try session.files(ofDataset: foreign.dataset))
    let file = try output.map {
      try session.reserve(
        $0, holding: .path, inputs: inputs,
        existing: overwriting.overwrite ? .replacedIfAlike : .refused)
    }
    try OutputCheck.checkReport(report)
    for expression in methods { try session.registry.requireUsefulModifiers(in: expression) }
    let store = try stateFile(for: methods, inputs: inputs, session)
    let (a, b) = try networks(joinedBy: methods, session)
    let data = try samples(for: a, b, joinedBy: methods, session)
    let joining = PathJoining(
      session: session, samples: data?.samples.train, seed: seed, isQuiet: quiet)
    var paths: [(path: any ConnectionPath, seconds: Double)] = []
    for expression in methods {
      paths.append(try joining.path(a, b, by: expression, files: (first, second), store: store))
      if let file {
        try write(
          paths[0].path, by: expression, a, b, dataset: data?.reference ?? a.dataset, to: file,
          store: store, joining)
      }
    }
    if isEvaluated, let data { try compare(Array(zip(methods, paths)), data, a, b, joining) }
  }

  /// Whether paths are measured, or only written.
  private var isEvaluated: Bool {
    evaluate || report != nil || output == nil || format != nil || evaluation.isGiven
      || diagnosing.diagnostics
  }

  /// Where a method that learns keeps its state; nothing for others.
  private func stateFile(
    for methods: [MethodExpression], inputs: [String], _ session: Session
  ) throws -> StateFile? {
    let learns = try methods.map { try session.registry.connection($0).traits.isLearnable }
    if resume, learns != [true] {
      throw SessionError.wrongUse("\(methods[0]) does not train, so there is nothing to resume")
    }
    guard learns == [true] else { return nil }
    return try output.map {
      try StateFile(besides: $0, inputs: inputs, session: session, isResuming: resume)
    }
  }

  private func networks(
    joinedBy methods: [MethodExpression], _ session: Session
  ) throws -> (TrainedNetwork, TrainedNetwork) {
    let a = try session.network(
      in: first, architecture: foreign.architecture, dataset: foreign.dataset)
    let b = try session.network(
      in: second, architecture: foreign.architecture, dataset: foreign.dataset)
    try session.requireOneNetwork([a, b], files: [first, second])
    session.warnOfOtherData([a, b], files: [first, second], given: foreign.dataset)
    if a.weights == b.weights {
      Console.printError("warning: \(first) and \(second) hold the same weights")
    }
    try session.warnOfRunningMoments(a.weights, in: first, joinedBy: methods)
    return (a, b)
  }

  /// The samples that methods look at or paths are measured with; nothing if neither is so.
  private func samples(
    for a: TrainedNetwork, _ b: TrainedNetwork, joinedBy methods: [MethodExpression],
    _ session: Session
  ) throws -> (reference: PluginReference, samples: EvaluationData)? {
    guard try isEvaluated || PathJoining.needsSamples(methods, session) else { return nil }
    let data = try session.data(given: foreign.dataset, recorded: a.dataset, in: first)
    for (file, network) in [(first, a), (second, b)] {
      try session.requireClasses(of: network.record, in: file, toBeThoseOf: data.reference)
    }
    try session.require(data.samples, fit: a, in: first)
    return data
  }

  /// Writes the archive of a path, and says so.
  private func write(
    _ path: any ConnectionPath, by expression: MethodExpression, _ a: TrainedNetwork,
    _ b: TrainedNetwork, dataset: PluginReference?, to file: ReservedOutput, store: StateFile?,
    _ joining: PathJoining
  ) throws {
    var archive = try joining.archive(path, method: expression, a, b, dataset: dataset)
    if keepAdjusted {
      archive.kept = try joining.keptPoints(
        of: path, pointsPerUnit: evaluation.points, method: expression, files: (first, second))
    }
    let content = archive.checkpoint
    let write = { try file.write(content) }
    if let store { try store.orLeavingState(write) } else { try write() }
    store?.remove()
    let line =
      "\(file.path): \(expression), \(path.stages.count.counted("stage")) from \(first) to "
      + second + keptText(archive.kept) + sizeText(file.path)
    // What programs read holds the figures alone.
    if isEvaluated { Console.printError(line) } else { try StandardOutput.line(line) }
  }

  /// The size of a large archive, such as that of a path of many stages.
  private func sizeText(_ file: String) -> String {
    let attributes = try? FileManager.default.attributesOfItem(atPath: file)
    guard let bytes = attributes?[.size] as? Int, bytes >= 10_000_000 else { return "" }
    return "; \(String(Double(bytes) / 1e6, decimals: 1)) MB"
  }

  /// What an archive keeps of points, for the line that names it.
  private func keptText(_ kept: KeptPoints?) -> String {
    guard let kept else { return "" }
    return kept.times.isEmpty
      ? "; nothing is solved for at its points, so nothing more is kept"
      : "; it stores the solutions at \(kept.times.count.counted("point")), "
        + (kept.bytes < 100_000
          ? "\(String(Double(kept.bytes) / 1e3, decimals: 1)) kB"
          : "\(String(Double(kept.bytes) / 1e6, decimals: 1)) MB") + " before compression"
  }

  private func compare(
    _ paths: [(method: MethodExpression, made: (path: any ConnectionPath, seconds: Double))],
    _ data: (reference: PluginReference, samples: EvaluationData), _ a: TrainedNetwork,
    _ b: TrainedNetwork, _ joining: PathJoining
  ) throws {
    var study = ConnectionStudy(command: commandLineText(), seedNote: "seed \(seed)")
    study.samples = try joining.session.preparation(
      of: data.reference, measuring: data.samples, limit: evaluation.samples)
    study.network = "\(a.weights.network)"
    let samples = evaluation.limited(data.samples)
    do {
      for (method, made) in paths {
        let entry = try entry(of: method, made, a, b, samples, joining)
        study.entries.append(entry)
      }
    } catch let interruption as Interruption where !study.entries.isEmpty {
      // What took minutes is not thrown away; a report that may be whole stays.
      study.unmeasured = paths.dropFirst(study.entries.count).map { "\($0.method)" }
      let isKept = report.map { FileManager.default.fileExists(atPath: $0) } ?? true
      try show(study, report: isKept ? nil : report)
      throw interruption
    }
    try show(study, report: report)
  }

  private func show(_ study: ConnectionStudy, report: String?) throws {
    let format = format ?? .table
    try StandardOutput.text(study.text(as: format), terminator: format.terminator)
    if let report { try study.writeReport(to: report) }
  }

  /// A path with its figures.
  private func entry(
    of method: MethodExpression, _ made: (path: any ConnectionPath, seconds: Double),
    _ a: TrainedNetwork, _ b: TrainedNetwork, _ samples: EvaluationData, _ joining: PathJoining
  ) throws -> ConnectionStudy.Entry {
    let connection = try joining.session.registry.connection(method)
    var entry = try joining.inFiles((first, second), method) {
      try ConnectionStudy.Entry(
        name: "\(method)", path: made.path, traits: connection.traits,
        evaluator: joining.evaluator(evaluation.strategy, for: "\(method)"), data: samples,
        options: evaluation, connectSeconds: made.seconds, isDiagnosed: diagnosing.diagnostics)
    }
    if report != nil {
      let context = joining.context(for: method)
      if let first = try connection.normalised(a.weights, in: context),
        let second = try connection.normalised(b.weights, in: context)
      {
        entry.normalised = (first, second)
      }
    }
    return entry
  }
}
