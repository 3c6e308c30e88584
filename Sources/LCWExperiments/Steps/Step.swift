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
    /// Fits a model to networks.
    case fit(Experiment.Fit)
    /// Learns the path of two networks.
    case learn(MethodExpression, NetworkPair)
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
    let networks = trained.map(trainingStep)
    let training = Dictionary(uniqueKeysWithValues: zip(trained, networks))
    var fitting: [Step] = []
    for fit in usedFits { fitting.append(fittingStep(fit, training, fitting)) }
    let joining = Joining(training: training, fitting: fitting, experiment: self)
    let learning = Set(methods + middles + planes).intersection(learned)
      .sorted { "\($0)" < "\($1)" }
      .flatMap { method in joining.pairs(of: method).map { joining.learning(method, $0) } }
    let connecting = methods.flatMap { method in
      pairs.map { pair in
        Step(
          .connect(method, pair), name: "\(method) \(pair)",
          inputs: evaluationInputs.merging([
            "kind": "connect", "method": identity(of: method),
          ]) { $1 },
          needs: joining.needs(method, pair))
      }
    }
    let ensembles = heads.map { head in
      Step(
        .ensemble(head: head), name: "ensemble of heads of \(head)",
        inputs: sampleInputs.merging(["head": .integer(head), "kind": "ensemble"]) { $1 },
        needs: (1...self.networks).compactMap { training[$0] })
    }
    return networks + fitting + learning + connecting + ensembles + pictures(joining)
  }

  /// The step that does a work, if the experiment has it.
  func step(_ work: Step.Work) -> Step? { steps.first { $0.work == work } }

  /// The step that fits the model that methods name as `@name`.
  func fitStep(_ name: String) -> Step? {
    usedFits.first { $0.name == name }.flatMap { step(.fit($0)) }
  }

  private func pictures(_ joining: Joining) -> [Step] {
    guard let pair = pairs.first else { return [] }
    let projecting =
      middles.isEmpty
      ? []
      : [
        Step(
          .middles(middles, pair), name: "neurons in the middle \(pair)",
          inputs: [
            "dataset": .string("\(dataset)"), "kind": "middles",
            "methods": .array(middles.map(identity)),
          ],
          needs: joining.ends(pair)
            + middles.flatMap { joining.needs($0, pair).dropFirst(2) })
      ]
    return projecting
      + planes.map { method in
        Step(
          .plane(method, pair), name: "plane of \(method) \(pair)",
          inputs: sampleInputs.merging([
            "kind": "plane", "method": identity(of: method),
          ]) { $1 },
          needs: joining.needs(method, pair))
      }
  }

  private func identity(of method: MethodExpression) -> JSONValue {
    .string("\(completedMethods[method] ?? method)")
  }

  /// The steps that a path needs.
  private struct Joining {
    var training: [Int: Step]
    var fitting: [Step]
    var experiment: Experiment

    func ends(_ pair: NetworkPair) -> [Step] {
      [training[pair.first], training[pair.second]].compactMap(\.self)
    }

    /// The pairs whose paths by a method are asked for.
    func pairs(of method: MethodExpression) -> [NetworkPair] {
      experiment.methods.contains(method) ? experiment.pairs : Array(experiment.pairs.prefix(1))
    }

    /// Points say nothing of a path, so that with more of them no path is learned anew.
    func learning(_ method: MethodExpression, _ pair: NetworkPair) -> Step {
      Step(
        .learn(method, pair), name: "learn \(method) \(pair)",
        inputs: [
          "dataset": .string("\(experiment.dataset)"), "kind": "learn",
          "method": experiment.identity(of: method),
        ], needs: ends(pair) + models(of: method))
    }

    /// Both ends, and then what else a path needs.
    func needs(_ method: MethodExpression, _ pair: NetworkPair) -> [Step] {
      ends(pair)
        + (experiment.learned.contains(method) ? [learning(method, pair)] : models(of: method))
    }

    func models(of method: MethodExpression) -> [Step] {
      experiment.models(of: method, among: fitting)
    }
  }

  private func models(of method: MethodExpression, among fitting: [Step]) -> [Step] {
    let names = method.fitNames
    return fitting.filter { step in
      if case .fit(let fit) = step.work { names.contains(fit.name) } else { false }
    }
  }

  private func fittingStep(_ fit: Fit, _ training: [Int: Step], _ fitting: [Step]) -> Step {
    Step(
      .fit(fit), name: "fit \(fit.name)",
      inputs: [
        "dataset": .string("\(dataset)"), "held-out": .integer(fit.heldOut), "kind": "fit",
        "method": identity(of: fit.method),
      ],
      needs: fit.networks.compactMap { training[$0] } + models(of: fit.method, among: fitting))
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

  private var sampleInputs: [String: JSONValue] {
    ["dataset": .string("\(dataset)"), "samples": .integer(evaluation.samples ?? 0)]
  }

  private var evaluationInputs: [String: JSONValue] {
    sampleInputs.merging([
      "points": .integer(evaluation.points), "refine": .bool(evaluation.refines),
    ]) { $1 }
  }
}
