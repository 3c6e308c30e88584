// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks

extension ResolvedExperiment {
  /// All steps, each once and behind those it needs.
  ///
  /// Each has a SHA-256: whoever asks often keeps them.
  public var steps: [Step] {
    var known: Set<String> = []
    return spelledSteps.filter { known.insert($0.key).inserted }
  }

  /// The step of each work. One that is written in two ways is one step with two works.
  var stepsByWork: [Step.Work: Step] {
    Dictionary(spelledSteps.map { ($0.work, $0) }) { first, _ in first }
  }

  private var spelledSteps: [Step] {
    let opening = trained.map(networkStep)
    let training = Dictionary(uniqueKeysWithValues: zip(trained, opening))
    var fitting: [Step] = []
    for fit in plan.usedFits { fitting.append(fittingStep(fit, training, fitting)) }
    var joining = Joining(training: training, fitting: fitting, experiment: self)
    var learning: [Step] = []
    let methodsInOrder = Set(learned.values).sorted { "\($0)" < "\($1)" }
    for method in methodsInOrder {
      for pair in joining.pairs(of: method) {
        let step = joining.learning(method, pair)
        joining.learned[.learn(method, pair)] = step
        learning.append(step)
      }
    }
    let connecting = plan.methods.flatMap { method in
      pairs.map { pair in
        Step(
          .connect(method, pair), name: "\(method) \(pair)",
          inputs: evaluationInputs.merging(keyFields(of: method)) { $1 }
            .merging(["kind": "connect"]) { $1 },
          needs: joining.needs(method, pair))
      }
    }
    let ensembles = plan.heads.map { head in
      Step(
        .ensemble(head: head), name: "ensemble of heads of \(head)",
        inputs: sampleInputs.merging(["head": .integer(head), "kind": "ensemble"]) { $1 },
        needs: (1...networks).compactMap { training[$0] })
    }
    return opening + fitting + learning + connecting + ensembles + pictures(joining)
  }

  private func pictures(_ joining: Joining) -> [Step] {
    guard let pair = pairs.first else { return [] }
    let projecting =
      plan.middles.isEmpty
      ? []
      : [
        Step(
          .middles(plan.middles, pair), name: "neurons in the middle \(pair)",
          inputs: middlesInputs,
          needs: joining.ends(pair)
            + plan.middles.flatMap { joining.needs($0, pair).dropFirst(2) })
      ]
    return projecting
      + plan.planes.map { method in
        Step(
          .plane(method, pair), name: "plane of \(method) \(pair)",
          inputs: sampleInputs.merging(keyFields(of: method)) { $1 }
            .merging(["kind": "plane", "middle": Self.middle]) { $1 },
          needs: joining.needs(method, pair))
      }
  }

  /// What a key says of a method: it with all its options, and the files these name, if there are
  /// any.
  private func keyFields(of method: MethodExpression) -> [String: JSONValue] {
    let identity = identity(of: method)
    return ["method": .string("\(identity.expression)")].merging(
      identity.fileDigests.isEmpty
        ? [:] : ["files": .array(identity.fileDigests.map(JSONValue.string))]
    ) { $1 }
  }

  /// What a key says of the middle of a path, `ConnectionPath.middle`: results of before it counted moving
  /// stages alone are others.
  private static let middle: JSONValue = "of moving stages"

  private var middlesInputs: [String: JSONValue] {
    let files = plan.middles.flatMap { identity(of: $0).fileDigests }
    return [
      "dataset": .string("\(plan.dataset)"), "kind": "middles", "middle": Self.middle,
      "methods": .array(plan.middles.map { .string("\(identity(of: $0).expression)") }),
    ].merging(files.isEmpty ? [:] : ["files": .array(files.map(JSONValue.string))]) { $1 }
  }

  /// The steps that a path needs.
  private struct Joining {
    var training: [Int: Step]
    var fitting: [Step]
    var experiment: ResolvedExperiment
    var learned: [Step.Work: Step] = [:]

    func ends(_ pair: NetworkPair) -> [Step] {
      [training[pair.first], training[pair.second]].compactMap(\.self)
    }

    /// The pairs whose paths are asked for that a method learns.
    func pairs(of method: MethodExpression) -> [NetworkPair] {
      experiment.methods.contains { experiment.learned[$0] == method }
        ? experiment.pairs : Array(experiment.pairs.prefix(1))
    }

    /// Points say nothing of a path, so that with more of them no path is learned anew.
    func learning(_ method: MethodExpression, _ pair: NetworkPair) -> Step {
      Step(
        .learn(method, pair), name: "learn \(method) \(pair)",
        inputs: experiment.keyFields(of: method).merging([
          "dataset": .string("\(experiment.dataset)"), "kind": "learn",
        ]) { $1 }, needs: ends(pair) + models(of: method))
    }

    /// Both ends, and then what else a path needs.
    func needs(_ method: MethodExpression, _ pair: NetworkPair) -> [Step] {
      ends(pair)
        + (experiment.learned[method].flatMap { learned[.learn($0, pair)] }.map { [$0] }
          ?? models(of: method))
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

  private func fittingStep(_ fit: Experiment.Fit, _ training: [Int: Step], _ fitting: [Step])
    -> Step
  {
    Step(
      .fit(fit), name: "fit \(fit.name)",
      inputs: keyFields(of: fit.method).merging([
        "dataset": .string("\(plan.dataset)"), "held-out": .integer(fit.heldOut), "kind": "fit",
      ]) { $1 },
      needs: fit.networks.compactMap { training[$0] } + models(of: fit.method, among: fitting))
  }

  /// What gives a network: its training, or the file it is read from.
  func networkWork(_ network: Int) -> Step.Work {
    files.isEmpty ? .train(network: network) : .open(network: network)
  }

  private func networkStep(_ network: Int) -> Step {
    guard files.isEmpty else {
      let file = files[network - 1]
      return Step(
        .open(network: network), name: "network \(network) of \(file.name)",
        inputs: [
          "architecture": .string("\(plan.architecture)"), "dataset": .string("\(plan.dataset)"),
          "digest": .string(file.digest), "kind": "open",
        ], needs: [])
    }
    let settings = plan.training.settings.filter(\.isWritten).map { ($0.name, $0.value) }
    return Step(
      .train(network: network), name: "train \(network)",
      inputs: [
        "architecture": .string("\(plan.architecture)"), "dataset": .string("\(plan.dataset)"),
        "kind": "train", "seed": .integer(network),
      ].merging(settings) { $1 }, needs: [])
  }

  private var sampleInputs: [String: JSONValue] {
    ["dataset": .string("\(plan.dataset)"), "samples": .integer(plan.evaluation.samples ?? 0)]
  }

  private var evaluationInputs: [String: JSONValue] {
    sampleInputs.merging([
      "points": plan.evaluation.isMiddleAlone ? "middle" : .integer(plan.evaluation.points),
      "refine": .bool(plan.evaluation.refines),
    ]) { $1 }
  }
}
