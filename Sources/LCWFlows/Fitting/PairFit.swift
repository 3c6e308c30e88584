// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWFiles
import LCWNumerics
public import LCWPaths

/// Fitting a transformation to the loss between pairs of networks of one hidden layer.
public struct PairFit: Sendable {
  /// The networks whose pairs are learned from.
  public var networks: [Weights]
  /// The networks whose pairs only tell when to stop.
  public var heldOut: [Weights]
  /// The training samples.
  public var samples: SampleSet
  /// What a step takes.
  public var amounts: BijectionFit.Amounts
  /// The epochs and rates.
  public var plan: FitPlan
  /// Threads, progress and store.
  public var context: ConnectionContext

  /// A fit.
  public init(
    networks: [Weights], heldOut: [Weights], samples: SampleSet, amounts: BijectionFit.Amounts,
    plan: FitPlan, context: ConnectionContext
  ) {
    self.networks = networks
    self.heldOut = heldOut
    self.samples = samples
    self.amounts = amounts
    self.plan = plan
    self.context = context
  }

  /// The fitted model. With a store in the context, a state is kept after each epoch.
  ///
  /// - Parameters:
  ///   - method: The method that fits.
  ///   - file: A model to begin with, or an empty text.
  ///   - design: The design for the neurons of a layer, where there is no such model.
  /// - Throws: ``FlowError``, and what the context's progress and store throw.
  public func model(
    method: String, startingFrom file: String, design: (HiddenPopulation) -> TransformationDesign
  ) throws -> TransformationModel {
    guard Set((networks + heldOut).map(\.digest)).count == networks.count + heldOut.count else {
      throw FlowError.sameNetwork
    }
    guard let network = networks.first?.network else {
      throw FlowError.tooFewNetworks(needed: 2, found: 0)
    }
    let layers = network.weightedLayers
    guard layers.count >= 2 else {
      throw ConnectionError.tooFewLayers(method: method, needed: 2, found: layers.count)
    }
    guard layers.count == 2 else {
      throw FlowError.deepNetwork(method: method, layers: layers.count)
    }
    let population = try HiddenPopulation(of: network, hidden: 0)
    let bytes = population.sampleBytes(networks: networks.count + heldOut.count)
    if file.isEmpty {
      try design(population).checkFits(in: Machine.physicalMemory, besides: bytes)
    }
    let start = try start(file, population, method: method, design: design)
    try start.transformation.design.checkFits(
      in: Machine.physicalMemory, besides: bytes, isNew: file.isEmpty)
    var fit = try BijectionFit(
      start.transformation, population, networks: networks, heldOut: heldOut, samples: samples,
      amounts: amounts, plan: plan, workers: context.workers)
    let origin = origin(start: start.digest)
    if let state = try context.store?.restore() { try fit.resume(from: state, origin: origin) }
    var work = FitWork(
      fit: fit, keepsStart: false, line: { EpochProgress($0, unit: "nats of loss") },
      kept: { $0.state(origin: origin) })
    if let milestone = work.milestone { try context.progress(milestone) }
    try context.finish(&work)
    let training = work.fit.training
    try requireInverse(of: training.best, on: networks + heldOut, population, context)
    let name = population.name
    var model = TransformationModel(
      method: method, network: network, transformations: [name: training.best])
    var histories: [String: JSONValue] = [:]
    for (figure, values) in training.historyJSON.object ?? [:] {
      histories["\(name)/\(figure)"] = values
    }
    model.record["figure"] = "loss, in nats"
    model.record["histories"] = .object(histories)
    if let warning = training.warning { model.record["warnings"] = .array([.string(warning)]) }
    model.record["plan"] = .object(
      plan.json.merging([
        "batch": .integer(amounts.batch), "pairing": .string(amounts.pairing.rawValue),
        "steps": .integer(amounts.steps), "times": .integer(amounts.times),
      ]) { $1 })
    return model
  }

  private func start(
    _ file: String, _ population: HiddenPopulation, method: String,
    design: (HiddenPopulation) -> TransformationDesign
  ) throws -> (transformation: Transformation, digest: String) {
    guard !file.isEmpty else {
      let new = try Transformation(
        design(population), standardisedOn: networks.map { population.neurons(of: $0) },
        seed: plan.seed, workers: context.workers)
      return (new, "")
    }
    guard let open = context.open else { throw FlowError.cannotOpen(method: method) }
    let source = try open(file)
    // Whoever fitted it, it is a transformation of neurons.
    let model = try TransformationModel(
      reading: source, fittedBy: source.metadata["fitted-by"]?.string ?? method)
    let layer = population.network.weightedLayers[0]
    let known = try model.transformation(ofUnitsIn: layer, of: population.network).transformation
    return (known, SHA256.hexDigest(of: known.namedTensors.flatMap(\.tensor.bytes)))
  }

  private func origin(start: String) -> [String: JSONValue] {
    var origin: [String: JSONValue] = [
      "batch": .integer(amounts.batch), "fit": "loss", "start": .string(start),
      "held-out": .array(heldOut.map { .string($0.digest) }),
      "networks": .array(networks.map { .string($0.digest) }),
      "samples": .string(samples.digest), "step-count": .integer(amounts.steps),
      "threads": .integer(context.workers.count), "times": .integer(amounts.times),
    ]
    origin["precision"] = MatrixPrecision.nameOnTiles.map(JSONValue.string)
    // States of before there was a choice have none.
    if amounts.pairing == .random { origin["pairing"] = .string(amounts.pairing.rawValue) }
    return origin
  }
}
