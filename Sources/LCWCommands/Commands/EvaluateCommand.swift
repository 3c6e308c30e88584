// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LCWCore
import LCWNetworks
import LCWPaths
import LCWReport

/// `lcw evaluate`
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Measures loss and accuracy of networks and along paths.",
    discussion: """
      Paths are evaluated on a grid and around their worst points. Several paths share one table \
      and one report. The data set is the one that the file names, unless you give another.
      """ + CommandExamples.text(of: "evaluate"))

  @Argument(
    help: "Paths, an ensemble, or networks in any known format.", completion: .file())
  var files: [String]

  @OptionGroup var foreign: ForeignOptions
  @OptionGroup var evaluation: EvaluationOptions
  @OptionGroup var diagnosing: DiagnosticsOption
  @OptionGroup var recipe: RecipeOptions
  @OptionGroup var reading: ReadingOptions
  @OptionGroup var compute: ComputeOptions

  @Option(help: "Output format.")
  var format: OutputFormat = .table

  @Option(help: "Write a report of the paths, one HTML file.", completion: .file())
  var report: String?

  @Flag(help: "Show no progress.")
  var quiet = false

  func validate() throws { try diagnosing.check(format: format) }

  func run() throws {
    try StandardInput.check(files)
    let session = try Session(compute, reading)
    try OutputCheck.checkReport(report)
    let sources = try files.map { try session.open($0) }
    let paths = zip(files, sources).filter { $1.kind == .path }
    guard paths.count == files.count || paths.isEmpty else {
      throw SessionError.wrongUse("evaluate paths and networks with separate commands")
    }
    if paths.isEmpty, diagnosing.diagnostics {
      throw SessionError.wrongUse("--diagnostics needs paths; \(files[0]) is not one")
    }
    if let index = sources.firstIndex(where: { $0.kind == .ensemble }) {
      guard sources.count == 1 else {
        throw SessionError.wrongUse("\(files[index]) is an ensemble; evaluate it by itself")
      }
      try evaluateEnsemble(sources[index], in: files[index], session)
    } else if paths.isEmpty {
      if report != nil { throw SessionError.wrongUse("a report needs paths, not networks") }
      let (table, fields) = try networkTable(sources, session)
      try StandardOutput.text(
        table.text(as: format, fields: fields), terminator: format.terminator)
    } else {
      try evaluatePaths(paths, session)
    }
  }

  private func evaluatePaths(
    _ paths: [(String, any CheckpointSource)], _ session: Session
  ) throws {
    var study = ConnectionStudy(
      command: commandLineText(), seedNote: nil)
    var loaded: (reference: PluginReference, samples: EvaluationData)?
    let watch = InterruptionWatch()
    let joining = PathJoining(
      session: session, samples: nil, seed: 0, isQuiet: quiet, watch: watch)
    for (file, source) in paths {
      let archive = try watch.leavingAtOnce("\(file) was not read") {
        try session.pathArchive(source, in: file)
      }
      let reference =
        try foreign.dataset.map(session.datasetReference) ?? archive.dataset
      if let loaded, loaded.reference != reference || study.network != "\(archive.network)" {
        throw SessionError.wrongUse(
          "\(file) and \(files[0]) are paths of different networks or data; evaluate each alone")
      }
      loaded =
        try loaded
        ?? watch.leavingAtOnce("the samples to evaluate \(file) on were not read") {
          try session.data(
            given: foreign.dataset, recorded: archive.dataset, in: file,
            limit: evaluation.samples)
        }
      guard let loaded else { throw SessionError.noDataset }
      session.isWarned(of: file, madeFor: archive.dataset, given: foreign.dataset)
      study.samples = try session.preparation(
        of: loaded.reference, measuring: loaded.samples, limit: evaluation.samples)
      study.network = "\(archive.network)"
      let isAmbiguous = paths.contains { $0.0 != file && $0.1.sharesMethod(with: source) }
      study.entries.append(
        try session.inFile(file) {
          try ConnectionStudy.Entry(
            name: isAmbiguous ? "\(archive.method) (\(file))" : "\(archive.method)",
            path: try session.path(
              of: archive, limits: DescriptionLimits(of: source), in: file,
              dataset: foreign.dataset, recipe: recipe, isQuiet: quiet, until: watch),
            traits: session.traits(of: archive, in: file),
            evaluator: joining.evaluator(evaluation.strategy, for: file),
            data: loaded.samples, options: evaluation, isDiagnosed: diagnosing.diagnostics)
        })
    }
    try StandardOutput.text(study.text(as: format), terminator: format.terminator)
    if let report { try study.writeReport(to: report) }
  }

  private func evaluateEnsemble(
    _ source: any CheckpointSource, in file: String, _ session: Session
  ) throws {
    let archive = try session.inFile(file) {
      try session.naming(file) {
        try EnsembleArchive(reading: source, registry: session.registry)
      }
    }
    let data = try session.data(
      given: foreign.dataset, recorded: archive.dataset, in: file,
      limit: evaluation.samples)
    session.isWarned(of: file, madeFor: archive.dataset, given: foreign.dataset)
    var study = EnsembleStudy(
      command: commandLineText(),
      samples: try session.preparation(
        of: data.reference, measuring: data.samples, limit: evaluation.samples))
    let (train, test) = try session.inFile(file) {
      (
        try archive.ensemble.evaluate(on: data.samples.train, workers: session.workers),
        try archive.ensemble.evaluate(on: data.samples.test, workers: session.workers)
      )
    }
    for metrics in zip(train, test) {
      try SessionError.requireFinite(metrics.0, metrics.1, of: file)
    }
    study.entries = [EnsembleStudy.Entry(ensemble: archive.ensemble, train: train, test: test)]
    try StandardOutput.text(study.text(as: format), terminator: format.terminator)
    if let report { try study.writeReport(to: report) }
  }

  /// The networks' figures, and for each what else JSON says.
  private func networkTable(
    _ sources: [any CheckpointSource], _ session: Session
  ) throws -> (table: Table, fields: [[String: JSONValue]]) {
    var table = Table(columns: [
      .init("network", key: "network"),
      .init("train accuracy", key: "train_accuracy", alignment: .number),
      .init("train loss", key: "train_loss", alignment: .number),
      .init("test accuracy", key: "test_accuracy", alignment: .number),
      .init("test loss", key: "test_loss", alignment: .number),
    ])
    var fields: [[String: JSONValue]] = []
    var loaded: (reference: PluginReference, samples: EvaluationData)?
    for (file, source) in zip(files, sources) {
      let network = try session.network(
        of: source, path: file, architecture: foreign.architecture, dataset: foreign.dataset)
      let (reference, data) = try session.data(
        given: foreign.dataset, recorded: network.dataset, in: file, limit: evaluation.samples,
        loaded: loaded)
      try session.requireClasses(of: network.record, in: file, toBeThoseOf: reference)
      try session.require(data, fit: network, in: file)
      loaded = (reference, data)
      session.warnOfOtherData([network], files: [file], given: foreign.dataset)
      let preparation = try session.preparation(
        of: reference, measuring: data, limit: evaluation.samples)
      fields.append(preparation.json)
      if !table.notes.contains(preparation.note) { table.notes.append(preparation.note) }
      let runner = try Runner(network.weights.network)
      let train = try runner.evaluate(network.weights, on: data.train, workers: session.workers)
      let test = try runner.evaluate(network.weights, on: data.test, workers: session.workers)
      try SessionError.requireFinite(train, test, of: file)
      table.append([
        .text(file.asOneLine), .percent(train.accuracy, decimals: 3),
        .number(train.crossEntropy, decimals: 6), .percent(test.accuracy, decimals: 3),
        .number(test.crossEntropy, decimals: 6),
      ])
      let recorded = RecordedAccuracy(of: source)
      if let hint = recorded?.hint(
        file: file, metrics: test, samples: data.test.count, of: reference, session)
      {
        Console.printError(hint)
      }
    }
    return (table, fields)
  }
}

extension CheckpointSource {
  /// Whether two paths were made by one method with the same options.
  fileprivate func sharesMethod(with other: any CheckpointSource) -> Bool {
    metadata["method"] == other.metadata["method"]
  }
}
