// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

extension Trainer {
  /// The record of training for a checkpoint's metadata: `training` holds the plan and the epochs
  /// done, `history` the loss and accuracy of each epoch's batches.
  public var record: [String: JSONValue] {
    [
      "training": .object(
        plan.written.merging([
          "completed": .integer(epoch), "steps": .integer(optimiser.steps),
        ]) { $1 }),
      "history": .object([
        "accuracy": .array(history.map { JSONValue($0.accuracy) }),
        "loss": .array(history.map { JSONValue($0.crossEntropy) }),
      ]),
    ]
  }

  /// The network as it is now, and while epochs are left what is needed to go on.
  public func checkpoint(
    architecture: PluginReference, dataset: PluginReference, more: [String: JSONValue] = [:]
  ) -> Checkpoint {
    var checkpoint = Checkpoint(
      TrainedNetwork(
        architecture: architecture, weights: weights, dataset: dataset,
        record: record.merging(more) { $1 }))
    guard !isFinished else { return checkpoint }
    for (name, tensors) in optimiser.memory {
      for (parameter, tensor) in zip(weights.network.parameters, tensors) {
        checkpoint.tensors.append(
          NamedTensor(Trainer.memoryName(name, parameter), StoredTensor(tensor)))
      }
    }
    return checkpoint
  }

  /// The field of the metadata that tells the precision of products where they are computed on tiles.
  public static let precisionField = "precision"

  /// Takes over the state of a checkpoint that the same plan made, so that the next epochs give
  /// the same bits as if there had been no interruption.
  ///
  /// - Parameters:
  ///   - source: The checkpoint.
  ///   - origin: Fields of the metadata that must be the same too, such as the architecture and
  ///     the number of threads, on which the last bits depend. The precision must be the same also if it
  ///     is missing.
  ///   - finished: Whether only the result is asked for, which does not depend on the precision any more.
  /// - Throws: ``TrainingError/otherRun(field:expected:found:)`` if the plans, the networks or a
  ///   field differ, ``TrainingError/notResumable`` if there is no state, and what reading throws.
  public mutating func resume(
    from source: any CheckpointSource, origin: [String: JSONValue] = [:], finished: Bool = false
  ) throws {
    guard let training = source.metadata["training"]?.object,
      let completed = training["completed"]?.integer, let steps = training["steps"]?.integer,
      let losses = source.metadata["history"]?.object?["loss"]?.array?.compactMap(\.double),
      let accuracies = source.metadata["history"]?.object?["accuracy"]?.array?.compactMap(\.double),
      losses.count == completed, accuracies.count == completed,
      (0...Trainer.mostSteps).contains(steps)
    else { throw TrainingError.notResumable }
    try plan.require(training)
    // Each epoch has as many steps as the others.
    guard completed <= plan.epochs, completed > 0 ? steps % completed == 0 : steps == 0 else {
      throw TrainingError.contradiction(completed: completed, epochs: plan.epochs, steps: steps)
    }
    let network = weights.network
    let fields = origin.merging(["network": .string("\(network)")]) { $1 }
    for (field, expected) in fields.sorted(by: { $0.key < $1.key })
    where field != Self.precisionField {
      guard let found = source.metadata[field], found == expected else {
        throw TrainingError.otherRun(
          field: field, expected: expected.compactText,
          found: source.metadata[field]?.compactText ?? "not known")
      }
    }
    // With what precision a finished network was trained does not matter. States of before there was a choice
    // have none, and neither have those of processors without one.
    let (expected, found) = (origin[Self.precisionField], source.metadata[Self.precisionField])
    if !finished, expected != found {
      throw TrainingError.otherRun(
        field: Self.precisionField, expected: expected?.compactText ?? "that of BLAS",
        found: found?.compactText ?? "that of BLAS")
    }
    var next = self
    next.weights = try Weights(
      network: network,
      tensors: try network.parameters.map { try source.floats(named: $0.name) })
    if completed < plan.epochs {
      let names = Set(source.entries.map { Array($0.name.utf8) })
      try next.optimiser.restore(steps: steps) { list in
        try network.parameters.map {
          let name = Trainer.memoryName(list, $0)
          guard names.contains(Array(name.utf8)) else {
            throw TrainingError.notResumable
          }
          return try source.floats(named: name)
        }
      }
    }
    // Of a finished run no state is left, and none is needed; what is written of it says the same.
    next.optimiser.steps = steps
    next.epoch = completed
    next.history = zip(losses, accuracies).map { Metrics(crossEntropy: $0, accuracy: $1) }
    self = next
  }

  /// More than any training takes; one step more still fits an integer, and a double tells it apart.
  static let mostSteps = 1 << 53

  private static func memoryName(_ list: String, _ parameter: Parameter) -> String {
    "optimiser/\(list)/\(parameter.name)"
  }
}
