// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWFiles
import LCWNetworks

/// One piece of an experiment's work, with a result of its own.
public struct Step: Sendable, Hashable {
  /// What a step does.
  public enum Work: Sendable, Hashable {
    /// Trains and measures a network.
    case train(network: Int)
    /// Joins two networks and measures along the path.
    case connect(MethodExpression, NetworkPair)
    /// Measures ensembles of all networks, of one, two and so on.
    case ensemble(head: Int)
    /// Projects the neurons in the middle of paths.
    case middles([MethodExpression], NetworkPair)
    /// Measures the loss on the plane through two networks and the middle of a path.
    case plane(MethodExpression, NetworkPair)
  }

  /// What is done.
  public let work: Work
  /// What it is called, such as `train 3` or `arc 1–2`.
  public let name: String
  /// The SHA-256 of everything the result depends on, in hexadecimal.
  public let key: String
  /// The keys of the steps whose results it needs.
  public let needs: [String]
  /// How many steps one behind the other it needs before it: the array of a cluster it belongs to.
  public let level: Int

  /// The folder of the result: the name for people, the key for certainty.
  public var folderName: String {
    let readable = name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
    return "\(String(readable).prefix(60))-\(key.prefix(16))"
  }

  init(_ work: Work, name: String, inputs: [String: JSONValue], needs: [Step]) {
    self.work = work
    self.name = name
    self.needs = needs.map(\.key)
    level = (needs.map(\.level).max() ?? -1) + 1
    let identity = inputs.merging([
      "layout": .integer(Step.layout), "needs": .array(needs.map { .string($0.key) }),
    ]) { $1 }
    key = SHA256.hexDigest(of: Array(JSONValue.object(identity).compactText.utf8))
  }

  /// Is raised when what results hold, or how they are found, changes.
  private static let layout = 3
}

extension Experiment {
  /// All steps, each behind those it needs.
  public var steps: [Step] {
    let training = (1...networks).map(trainingStep)
    let connecting = methods.flatMap { method in
      pairs.map { pair in
        Step(
          .connect(method, pair), name: "\(method) \(pair)",
          inputs: evaluationInputs.merging([
            "kind": "connect", "method": identity(of: method),
          ]) { $1 },
          needs: [training[pair.first - 1], training[pair.second - 1]])
      }
    }
    let ensembles = heads.map { head in
      Step(
        .ensemble(head: head), name: "ensemble of heads of \(head)",
        inputs: evaluationInputs.merging(["head": .integer(head), "kind": "ensemble"]) { $1 },
        needs: training)
    }
    return training + connecting + ensembles + pictures(training)
  }

  private func pictures(_ training: [Step]) -> [Step] {
    guard let pair = pairs.first else { return [] }
    let ends = [training[pair.first - 1], training[pair.second - 1]]
    let projecting =
      middles.isEmpty
      ? []
      : [
        Step(
          .middles(middles, pair), name: "neurons in the middle \(pair)",
          inputs: [
            "dataset": .string("\(dataset)"), "kind": "middles",
            "methods": .array(middles.map(identity)),
          ], needs: ends)
      ]
    return projecting
      + planes.map { method in
        Step(
          .plane(method, pair), name: "plane of \(method) \(pair)",
          inputs: evaluationInputs.merging([
            "kind": "plane", "method": identity(of: method),
          ]) { $1 },
          needs: ends)
      }
  }

  private func identity(of method: MethodExpression) -> JSONValue {
    .string("\(completedMethods[method] ?? method)")
  }

  private func trainingStep(_ network: Int) -> Step {
    Step(
      .train(network: network), name: "train \(network)",
      inputs: [
        "architecture": .string("\(architecture)"), "batch": .integer(training.batch),
        "dataset": .string("\(dataset)"), "epochs": .integer(training.epochs), "kind": "train",
        "optimiser": .string("\(training.rule)"), "rate": JSONValue(training.rate),
        "schedule": .string("\(training.schedule)"), "seed": .integer(network),
      ], needs: [])
  }

  private var evaluationInputs: [String: JSONValue] {
    [
      "dataset": .string("\(dataset)"), "points": .integer(evaluation.points),
      "refine": .bool(evaluation.refines), "samples": .integer(evaluation.samples ?? 0),
    ]
  }
}
