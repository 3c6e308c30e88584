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
  public let experiment: Experiment
  /// The plugins.
  public let registry: PluginRegistry
  /// The samples.
  public let data: EvaluationData
  /// The threads.
  public let workers: Workers
  /// Reads a file of weights.
  public let open: @Sendable (URL) throws -> any CheckpointSource
  /// Writes a file of weights.
  public let write: @Sendable (Checkpoint, URL) throws -> Void
  /// Is told how far the step that is being done has come. If it throws, the step ends, and can be
  /// gone on with later.
  public var progress: @Sendable (ConnectionProgress) throws -> Void = { _ in }

  private let network: Network
  private let selfContained: PluginReference

  /// A runner.
  /// - Throws: `PluginError` if a plugin is not there, and what the architecture and a method throw
  ///   when they are made.
  public init(
    _ experiment: Experiment, registry: PluginRegistry, data: EvaluationData, workers: Workers,
    open: @escaping @Sendable (URL) throws -> any CheckpointSource,
    write: @escaping @Sendable (Checkpoint, URL) throws -> Void
  ) throws {
    let dataset = try registry.dataset(experiment.dataset)
    let family = try registry.architecture(experiment.architecture)
    network = try family.network(inputShape: dataset.sampleShape, classes: dataset.classes)
    selfContained = family.selfContained(experiment.architecture)
    let layers = network.weightedLayers.count
    if let head = experiment.heads.first(where: { $0 > layers }) {
      throw EnsembleError.noSuchHead(head, weightedLayers: layers)
    }
    for method in experiment.methods + experiment.middles + experiment.planes {
      _ = try registry.connection(method)
    }
    self.experiment = experiment
    self.registry = registry
    self.data = data
    self.workers = workers
    self.open = open
    self.write = write
  }

  /// Does a step whose needs are done, and keeps its result.
  public func run(_ step: Step, in folder: ResultFolder) throws {
    let start = ContinuousClock.now
    let result: [String: JSONValue] =
      switch step.work {
      case .train(let number): try train(number, step, in: folder)
      case .connect(let method, let pair): try connect(method, pair, step, in: folder)
      case .ensemble(let head): try ensemble(head, in: folder)
      case .middles(let methods, let pair): try middles(methods, pair, in: folder)
      case .plane(let method, let pair): try plane(method, pair, in: folder)
      }
    try folder.keep(result, of: step, seconds: (ContinuousClock.now - start).seconds)
  }

  /// The samples that paths are measured with.
  private var measured: EvaluationData {
    guard let count = experiment.evaluation.samples else { return data }
    return EvaluationData(train: data.train.prefix(count), test: data.test.prefix(count))
  }

  private func trained(_ number: Int, in folder: ResultFolder) throws -> Weights {
    let step = experiment.steps[number - 1]
    let source = try open(folder.network(of: step))
    return try source.trainedNetwork(from: registry).weights
  }

  private func ends(_ pair: NetworkPair, in folder: ResultFolder) throws -> (Weights, Weights) {
    (try trained(pair.first, in: folder), try trained(pair.second, in: folder))
  }

  // MARK: The kinds of work

  private func train(
    _ number: Int, _ step: Step, in folder: ResultFolder
  ) throws -> [String: JSONValue] {
    var plan = experiment.training
    plan.seed = UInt64(number)
    var trainer = try Trainer(network, plan: plan)
    let state = folder.state(of: step)
    let origin: [String: JSONValue] = ["threads": .integer(workers.count)]
    var isResumed = false
    if FileManager.default.fileExists(atPath: state.path) {
      // A state of another number of threads would give other last bits: begin anew then.
      do {
        try trainer.resume(from: try open(state), origin: origin)
        isResumed = true
      } catch is TrainingError {}
    }
    func checkpoint() -> Checkpoint {
      trainer.checkpoint(
        architecture: selfContained, dataset: experiment.dataset, more: origin)
    }
    while !trainer.isFinished {
      let epoch = trainer.epoch
      try trainer.runEpoch(on: data.train, workers: workers) { progress in
        let share = Double(progress.samples) / Double(data.train.count)
        try self.progress(
          ConnectionProgress(
            "epoch \(epoch + 1)/\(plan.epochs)",
            share: (Double(epoch) + share) / Double(plan.epochs)
          ))
      }
      if !trainer.isFinished { try write(checkpoint(), state) }
    }
    try write(checkpoint(), folder.network(of: step))
    let runner = try Runner(network)
    // On all samples, since the key of a training does not say how paths are measured.
    return [
      "resumed": .bool(isResumed),
      "test": try runner.evaluate(trainer.weights, on: data.test, workers: workers).json,
      "train": try runner.evaluate(trainer.weights, on: data.train, workers: workers).json,
    ]
  }

  private func path(
    _ method: MethodExpression, _ a: Weights, _ b: Weights, store: (any ConnectionStore)? = nil
  ) throws -> any ConnectionPath {
    try registry.connection(method).path(
      from: a, to: b,
      in: ConnectionContext(
        samples: data.train, seed: 0, workers: workers, store: store, progress: progress))
  }

  private func connect(
    _ method: MethodExpression, _ pair: NetworkPair, _ step: Step, in folder: ResultFolder
  ) throws -> [String: JSONValue] {
    let (a, b) = try ends(pair, in: folder)
    let state = folder.state(of: step)
    let store = StateStore(file: state, open: open, write: write)
    var isResumed = FileManager.default.fileExists(atPath: state.path)
    let path: any ConnectionPath
    do { path = try self.path(method, a, b, store: store) } catch is TrainingError where isResumed {
      // Another number of threads, say: its last bits would be others.
      try FileManager.default.removeItem(at: state)
      isResumed = false
      path = try self.path(method, a, b, store: store)
    }
    let evaluation = try PathEvaluator(workers: workers, progress: progress).evaluate(
      path, on: measured, pointsPerUnit: experiment.evaluation.points,
      refining: experiment.evaluation.refines)
    return [
      "distance": JSONValue(evaluation.distance), "length": JSONValue(evaluation.length),
      "points": .array(evaluation.points.map(\.json)), "resumed": .bool(isResumed),
      "stages": .array(path.stages.map { .string($0.label) }),
      "test": evaluation.test.json, "train": evaluation.train.json,
    ]
  }

  private func ensemble(_ head: Int, in folder: ResultFolder) throws -> [String: JSONValue] {
    let members = try (1...experiment.networks).map { try trained($0, in: folder) }
    let ensemble = try Ensemble(of: members, head: head, samples: data.train, workers: workers)
    let counts = 1...members.count
    return [
      "multiply_adds": .array(counts.map { .integer(ensemble.multiplyAdds(count: $0)) }),
      "stored_values": .array(counts.map { .integer(ensemble.storedValues(count: $0)) }),
      "test": .array(try ensemble.evaluate(on: measured.test, workers: workers).map(\.json)),
      "train": .array(try ensemble.evaluate(on: measured.train, workers: workers).map(\.json)),
    ]
  }

  /// The neurons that a picture of a population shows.
  private static let shownNeurons = 1000

  private func middles(
    _ methods: [MethodExpression], _ pair: NetworkPair, in folder: ResultFolder
  ) throws -> [String: JSONValue] {
    let (a, b) = try ends(pair, in: folder)
    let population = try HiddenPopulation(of: network, hidden: 0)
    guard population.dimension <= PrincipalPlane.practicalDimension else {
      throw ExperimentError.field(
        "middles",
        expected: "left out: a neuron has \(population.dimension) numbers, and more than "
          + "\(PrincipalPlane.practicalDimension) take too long")
    }
    let ends = [a, b].map(population.neurons(of:))
    let plane = try PrincipalPlane(of: ends, workers: workers)
    func points(_ neurons: Tensor) -> JSONValue {
      .array(
        plane.coordinates(of: neurons).prefix(StepRunner.shownNeurons).map {
          .array([JSONValue($0.x), JSONValue($0.y)])
        })
    }
    let middles = try methods.map { method -> JSONValue in
      let path = try path(method, a, b)
      let neurons = population.neurons(of: try path.weights(at: path.domain.upperBound / 2))
      return .object(["name": .string("\(method)"), "points": points(neurons)])
    }
    return [
      "explained": JSONValue(plane.explained),
      "panels": .array(
        [
          .object(["name": "A", "points": points(ends[0])]),
          .object(["name": "B", "points": points(ends[1])]),
        ] + middles),
    ]
  }

  /// The points of a plane's grid in each direction, and the samples it is measured with.
  private static let planeSize = 25
  private static let planeSamples = 10_000

  private func plane(
    _ method: MethodExpression, _ pair: NetworkPair, in folder: ResultFolder
  ) throws -> [String: JSONValue] {
    let (a, b) = try ends(pair, in: folder)
    let path = try path(method, a, b)
    let plane = try WeightPlane(
      through: a, b, try path.weights(at: path.domain.upperBound / 2))
    let size = StepRunner.planeSize
    let runner = try Runner(network)
    let samples = measured.train.prefix(StepRunner.planeSamples)
    var losses: [JSONValue] = []
    for row in 0..<size {
      try progress(
        ConnectionProgress("row \(row + 1) of \(size)", share: Double(row) / Double(size)))
      losses.append(
        .array(
          try (0..<size).map { column in
            let point = plane.point(column: column, row: row, of: size)
            return JSONValue(
              try runner.evaluate(try plane.weights(at: point), on: samples, workers: workers)
                .crossEntropy)
          }))
    }
    let bend = try stride(from: 0, through: path.domain.upperBound, by: path.domain.upperBound / 20)
      .map { plane.coordinates(of: try path.weights(at: $0)).json }
    return [
      "losses": .array(losses), "path": .array(bend), "x": plane.range(\.x),
      "y": plane.range(\.y), "samples": .integer(samples.count),
    ]
  }
}

/// Keeps what a method has learned so far beside its step's result.
private struct StateStore: ConnectionStore {
  var file: URL
  var open: @Sendable (URL) throws -> any CheckpointSource
  var write: @Sendable (Checkpoint, URL) throws -> Void

  func restore() throws -> Checkpoint? {
    guard FileManager.default.fileExists(atPath: file.path) else { return nil }
    return try Checkpoint(reading: try open(file))
  }

  func keep(_ state: Checkpoint) throws { try write(state, file) }
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
