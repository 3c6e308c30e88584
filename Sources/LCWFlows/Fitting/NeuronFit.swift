// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWFiles
import LCWNumerics
public import LCWPaths

/// Fitting transformations to the neurons of trained networks by maximum likelihood, one hidden
/// layer after the other.
public struct NeuronFit: Sendable {
  /// The layers.
  public var populations: [HiddenPopulation]
  /// The networks whose neurons are the samples.
  public var networks: [Weights]
  /// The networks that only tell when to stop.
  public var heldOut: [Weights]
  /// The neurons per step.
  public var batch: Int
  /// The epochs and rates.
  public var plan: FitPlan
  /// Threads, progress and store.
  public var context: ConnectionContext

  /// A fit.
  public init(
    populations: [HiddenPopulation], networks: [Weights], heldOut: [Weights], batch: Int,
    plan: FitPlan, context: ConnectionContext
  ) {
    self.populations = populations
    self.networks = networks
    self.heldOut = heldOut
    self.batch = batch
    self.plan = plan
    self.context = context
  }

  /// The fitted model.
  ///
  /// With a store in the context, a state is kept after each epoch: that of the layer being fitted, and
  /// the transformations of the layers before it.
  ///
  /// - Parameters:
  ///   - method: The method that fits.
  ///   - design: The design for the neurons of a layer.
  /// - Throws: ``FlowError``, and what the context's progress and store throw.
  public func model(
    method: String, design: (HiddenPopulation) -> TransformationDesign
  ) throws -> TransformationModel {
    guard let network = networks.first?.network else {
      throw FlowError.tooFewNetworks(needed: 1, found: 0)
    }
    guard Set((networks + heldOut).map(\.digest)).count == networks.count + heldOut.count else {
      throw FlowError.sameNetwork
    }
    let names = populations.map(\.name)
    for population in populations {
      try design(population).checkFits(
        in: Machine.physicalMemory,
        besides: population.sampleBytes(networks: networks.count + heldOut.count))
    }
    let origin = origin(layers: names, designs: populations.map { design($0) })
    var model = TransformationModel(method: method, network: network, transformations: [:])
    var (histories, warnings): ([String: JSONValue], [JSONValue]) = ([:], [])
    let state = try context.store?.restore()
    if let state {
      try state.requireFit(plan.json.merging(origin) { $1 })
      let layer = state.metadata["layer"]?.string ?? ""
      guard let begun = names.firstIndex(of: layer) else {
        throw FlowError.otherFit(
          field: "layer", expected: names.joined(separator: " or "), found: layer)
      }
      if begun > 0 {
        model.transformations = try TransformationModel.transformations(in: state, prefix: "done/")
        histories = state.metadata["histories"]?.object ?? [:]
        warnings = state.metadata["warnings"]?.array ?? []
      }
      guard Set(model.transformations.keys) == Set(names.prefix(begun)) else {
        throw FlowError.otherFit(
          field: "list of layers done", expected: names.prefix(begun).joined(separator: ", "),
          found: model.transformations.keys.sorted().joined(separator: ", "))
      }
    }
    for (index, population) in populations.enumerated() {
      let name = names[index]
      guard model.transformations[name] == nil else { continue }
      let isResumed = state?.metadata["layer"]?.string == name
      let training = try train(
        population, name: name, index: index, design: design, done: model,
        record: ["histories": .object(histories), "warnings": .array(warnings)], origin: origin,
        state: isResumed ? state : nil)
      try requireInverse(of: training.best, on: networks + heldOut, population, context)
      model.transformations[name] = training.best
      for (figure, values) in training.historyJSON.object ?? [:] {
        histories["\(name)/\(figure)"] = values
      }
      if let warning = training.warning { warnings.append(.string("\(name): \(warning)")) }
    }
    model.record["figure"] = "log-likelihood in nats per coordinate"
    model.record["histories"] = .object(histories)
    if !warnings.isEmpty { model.record["warnings"] = .array(warnings) }
    model.record["plan"] = .object(plan.json.merging(["batch": .integer(batch)]) { $1 })
    return model
  }

  private func train(
    _ population: HiddenPopulation, name: String, index: Int,
    design: (HiddenPopulation) -> TransformationDesign, done: TransformationModel,
    record: [String: JSONValue], origin: [String: JSONValue], state: Checkpoint?
  ) throws -> TransformationTraining {
    let samples = neurons(of: networks, population)
    let start = try Transformation(
      design(population), standardisedOn: [samples], seed: plan.seed,
      workers: context.workers)
    var fit = try LikelihoodFit(
      start, to: samples, heldOut: heldOut.isEmpty ? nil : neurons(of: heldOut, population),
      batch: batch, plan: plan,
      workers: context.workers)
    let origin = origin.merging(["layer": .string(name)]) { $1 }
    if let state { try fit.resume(from: state, origin: origin) }
    let layer = populations.count > 1 ? "\(name)  " : ""
    var work = FitWork(
      fit: fit,
      // The layers that are done would be lost with this one.
      keepsStart: index > 0,
      line: {
        EpochProgress(
          $0, unit: "nats of log-likelihood per coordinate, more is better", prefix: layer,
          before: Double(index) / Double(populations.count), part: 1 / Double(populations.count))
      },
      kept: { self.state(of: $0.state(origin: origin), done: done, record: record) })
    if let milestone = work.milestone { try context.progress(milestone) }
    try context.finish(&work)
    return work.fit.training
  }

  /// The neurons of all networks, `[n, D]`, written one network after the other into one tensor, since
  /// those of twenty networks are gigabytes.
  private func neurons(of networks: [Weights], _ population: HiddenPopulation) -> Tensor {
    Tensor(
      rows: networks.count * population.count, width: population.dimension,
      parts: networks.lazy.map { population.neurons(of: $0) })
  }

  /// The state of a layer's fit, and the layers before it.
  private func state(
    of training: Checkpoint, done: TransformationModel, record: [String: JSONValue]
  ) -> Checkpoint {
    var state = training
    state.metadata.merge(record) { $1 }
    state.metadata["designs"] = .object(done.transformations.mapValues(\.design.json))
    state.tensors += done.namedTensors(prefix: "done/")
    return state
  }

  /// What makes a state this fit's and no other's, whichever layer it has come to.
  private func origin(
    layers: [String], designs: [TransformationDesign]
  ) -> [String: JSONValue] {
    var origin: [String: JSONValue] = [
      "batch": .integer(batch), "fit": "likelihood",
      "fitted-designs": .array(designs.map(\.json)),
      "fitted-layers": .array(layers.map { .string($0) }),
      "held-out": .array(heldOut.map { .string($0.digest) }),
      "networks": .array(networks.map { .string($0.digest) }),
      "threads": .integer(context.workers.count),
    ]
    origin["precision"] = MatrixPrecision.nameOnTiles.map(JSONValue.string)
    return origin
  }
}

/// Requires a fitted transformation to be undone by its inverse on the neurons of all networks of the
/// fit: no network could be joined by it otherwise.
/// - Throws: ``FlowError/notFinite(rows:)`` or ``FlowError/notInverted(rows:share:)`` that tells the number
///   of the network; nothing is kept to go on from then, for that would come to the same.
func requireInverse(
  of transformation: Transformation, on networks: [Weights], _ population: HiddenPopulation,
  _ context: ConnectionContext
) throws {
  do {
    for (number, network) in networks.enumerated() {
      _ = try transformation.roundTrip(
        of: population.neurons(of: network), named: "the neurons of network \(number + 1)",
        workers: context.workers)
    }
  } catch {
    context.store?.discard()
    throw error
  }
}

extension HiddenPopulation {
  /// The bytes of the neurons of so many networks, once as samples and once as what is made of them.
  func sampleBytes(networks: Int) -> Double {
    8 * Double(networks) * Double(count) * Double(dimension)
  }
}
