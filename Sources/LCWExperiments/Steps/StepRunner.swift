// SPDX-License-Identifier: Apache-2.0
public import Foundation
public import LCWCore
import LCWFiles
import LCWNetworks
public import LCWNumerics
public import LCWPaths

/// What a worker needs to do steps.
public struct StepRunner: Sendable {
  /// The experiment.
  public let experiment: ResolvedExperiment
  /// The plugins.
  public let registry: PluginRegistry
  /// The samples.
  public let data: EvaluationData
  /// The threads.
  public let workers: Workers
  /// Reads a file of weights.
  public let open: @Sendable (URL) throws -> any CheckpointSource
  /// Reads a network of the experiment's architecture from a file that may be another program's.
  public let openNetwork: @Sendable (URL) throws -> TrainedNetwork
  /// Writes a file of weights.
  public let write: @Sendable (Checkpoint, URL) throws -> Void
  /// Is told how far the step that is being done has come. If it throws, the step ends, and can be
  /// gone on with later.
  public var progress: @Sendable (ConnectionProgress) throws -> Void = { _ in }
  /// Is told what somebody should know of a step though it goes on, such as that it begins anew.
  public var notice: @Sendable (String) -> Void = { _ in }

  let network: Network
  /// The steps, made once: each has a digest.
  private let steps: [Step.Work: Step]

  /// A runner.
  /// - Parameter openNetwork: Reads a network from a file; by default one that names its network.
  /// - Throws: `PluginError` if a plugin is not there, and what the architecture and a method throw
  ///   when they are made.
  public init(
    _ experiment: ResolvedExperiment, registry: PluginRegistry, data: EvaluationData,
    workers: Workers,
    open: @escaping @Sendable (URL) throws -> any CheckpointSource,
    openNetwork: (@Sendable (URL) throws -> TrainedNetwork)? = nil,
    write: @escaping @Sendable (Checkpoint, URL) throws -> Void
  ) throws {
    let family = try registry.architecture(experiment.architecture)
    network = try family.network(
      inputShape: data.train.sampleShape, classes: data.train.classes)
    let layers = network.weightedLayers.count
    if let head = experiment.heads.first(where: { $0 > layers }) {
      throw EnsembleError.noSuchHead(head, weightedLayers: layers)
    }
    for method in experiment.joiningMethods { _ = try registry.connection(method) }
    for fit in experiment.usedFits { _ = try StepRunner.learner(fit, registry) }
    for method in experiment.planes where WeightPlane.isDegenerate(for: method, registry) {
      throw WeightPlane.degenerate(method)
    }
    self.experiment = experiment
    steps = experiment.stepsByWork
    self.registry = registry
    self.data = data
    self.workers = workers
    self.open = open
    self.openNetwork = openNetwork ?? { try open($0).trainedNetwork(from: registry) }
    self.write = { checkpoint, file in
      try OwnFolder.removeLink(file)
      try write(checkpoint, file)
    }
  }

  /// Does a step whose needs are done, and keeps its result.
  public func run(_ step: Step, in folder: ResultFolder) throws {
    let start = ContinuousClock.now
    let result: [String: JSONValue] =
      switch step.work {
      case .train(let number): try train(number, step, in: folder)
      case .open(let number): try openNetwork(number, step, in: folder)
      case .fit(let fit): try self.fit(fit, step, in: folder)
      case .learn(let method, let pair): try learn(method, pair, step, in: folder)
      case .connect(let method, let pair): try connect(method, pair, step, in: folder)
      case .ensemble(let head): try ensemble(head, in: folder)
      case .middles(let methods, let pair): try middles(methods, pair, step, in: folder)
      case .plane(let method, let pair): try plane(method, pair, step, in: folder)
      }
    try folder.keep(
      result, of: step, seconds: (ContinuousClock.now - start).seconds, threads: workers.count)
  }

  /// The samples that paths are measured with.
  var measured: EvaluationData {
    guard let count = experiment.evaluation.samples else { return data }
    return EvaluationData(train: data.train.prefix(count), test: data.test.prefix(count))
  }

  func trained(_ number: Int, in folder: ResultFolder) throws -> Weights {
    try product(experiment.networkWork(number), in: folder).trainedNetwork(from: registry).weights
  }

  func ends(_ pair: NetworkPair, in folder: ResultFolder) throws -> (Weights, Weights) {
    (try trained(pair.first, in: folder), try trained(pair.second, in: folder))
  }

  /// The file of weights that another step has made.
  /// - Throws: ``ExperimentError/damagedResult(file:reason:)`` if it is not that step's.
  func product(_ work: Step.Work, in folder: ResultFolder) throws -> any CheckpointSource {
    try checkedProduct(step(work), in: folder)
  }

  private func checkedProduct(
    _ step: Step?, in folder: ResultFolder
  ) throws -> any CheckpointSource {
    let file = try file(step, in: folder)
    let source = try open(file)
    if let step { try ProductCheck(experiment).check(source, of: step, file: file) }
    return source
  }

  /// The step that does a work, if the experiment has it.
  func step(_ work: Step.Work) -> Step? { steps[work] }

  /// The step that fits the model that methods name as `@name`.
  private func fitStep(_ name: String) -> Step? {
    experiment.usedFits.first { $0.name == name }.flatMap { step(.fit($0)) }
  }

  func file(_ step: Step?, in folder: ResultFolder) throws -> URL {
    guard let step, let file = folder.product(of: step) else {
      throw ExperimentError.unknownStep("a step whose result another needs")
    }
    return file
  }

  /// What a method may use; `@name` is the file of that fit's model.
  func context(in folder: ResultFolder, store: StateStore? = nil) -> ConnectionContext {
    ConnectionContext(
      samples: data.train, seed: 0, workers: workers, store: store,
      open: { reference in
        reference.hasPrefix("@")
          ? try checkedProduct(fitStep(String(reference.dropFirst())), in: folder)
          : try open(URL(fileURLWithPath: reference))
      },
      progress: { [progress] in
        store?.workBegins()
        try progress($0)
      })
  }

  // MARK: The kinds of work

  /// Tells how far a pass over samples has come.
  func share(_ activity: String) -> @Sendable (Double) throws -> Void {
    { [progress] in try progress(ConnectionProgress(activity, share: $0)) }
  }

  private func train(
    _ number: Int, _ step: Step, in folder: ResultFolder
  ) throws -> [String: JSONValue] {
    var plan = experiment.training
    plan.seed = UInt64(number)
    var origin: [String: JSONValue] = ["threads": .integer(workers.count)]
    origin[Trainer.precisionField] = MatrixPrecision.nameOnTiles.map(JSONValue.string)
    let trained = try resuming(step, in: folder) { store in
      var work = NetworkTraining(try Trainer(network, plan: plan), on: data.train) { trainer in
        trainer.checkpoint(
          architecture: experiment.architecture, dataset: experiment.dataset, more: origin)
      }
      // A state of another number of threads would give other last bits.
      if let state = try store.restore() { try work.trainer.resume(from: state, origin: origin) }
      try context(in: folder, store: store).finish(&work)
      return work
    }
    let work = trained.result
    try write(work.checkpoint(work.trainer), try file(step, in: folder))
    return try metrics(of: work.trainer.weights).merging(trained.start.json) { $1 }
  }

  /// What a network's result says of it: measured on all samples, since its key does not say how paths are
  /// measured.
  func metrics(of weights: Weights) throws -> [String: JSONValue] {
    let runner = try Runner(network)
    let measuring = share("measuring")
    return [
      "test": try runner.evaluate(
        weights, on: data.test, workers: workers, progress: measuring
      ).json,
      "train": try runner.evaluate(
        weights, on: data.train, workers: workers, progress: measuring
      ).json,
    ]
  }

  private func connect(
    _ method: MethodExpression, _ pair: NetworkPair, _ step: Step, in folder: ResultFolder
  ) throws -> [String: JSONValue] {
    let start = ContinuousClock.now
    let path = try self.path(method, pair, step, in: folder)
    let constructed = ContinuousClock.now
    // Others with the other threads may run beside this step.
    let share = Double(workers.count) / Double(max(workers.count, Workers.available.count))
    let limit = Int(Double(KeptProducts.standardLimit) * share)
    let evaluator = PathEvaluator(
      workers: workers,
      keeping: experiment.evaluation.isMiddleAlone ? nil : KeptProducts(limit: limit),
      progress: progress)
    let evaluation =
      experiment.evaluation.isMiddleAlone
      ? try evaluator.evaluateMiddle(path, on: measured)
      : try evaluator.evaluate(
        path, on: measured, pointsPerUnit: experiment.evaluation.points,
        refining: experiment.evaluation.refines)
    let measuring = (ContinuousClock.now - constructed).seconds
    let learning = try experiment.learned[method].flatMap { self.step(.learn($0, pair)) }
      .flatMap(folder.result(of:))?.object
    let learningSeconds = learning?["seconds"]?.double ?? 0
    var measured = MeasuredPath(
      path, evaluation,
      constructionSeconds: (constructed - start).seconds + learningSeconds,
      measuringSeconds: measuring)
    measured.isResumed = learning?["resumed"]?.bool ?? false
    return measured.json(learningSeconds: learningSeconds)
  }

  private func ensemble(_ head: Int, in folder: ResultFolder) throws -> [String: JSONValue] {
    let members = try (1...experiment.networks).map { try trained($0, in: folder) }
    let ensemble = try Ensemble(
      of: members, head: head, samples: data.train, workers: workers, progress: progress)
    let measuring = share("measuring ensembles")
    let counts = 1...members.count
    return [
      "multiply_adds": .array(counts.map { .integer(ensemble.multiplyAdds(count: $0)) }),
      "stored_values": .array(counts.map { .integer(ensemble.storedValues(count: $0)) }),
      "test": .array(
        try ensemble.evaluate(on: measured.test, workers: workers, progress: measuring).map(\.json)),
      "train": .array(
        try ensemble.evaluate(on: measured.train, workers: workers, progress: measuring)
          .map(\.json)),
    ]
  }
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
