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
    /// Reads a network from its file and measures it.
    case open(network: Int)
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

    /// The number of the network that it gives, if it gives one.
    var network: Int? {
      switch self {
      case .train(let network), .open(let network): network
      case .fit, .learn, .connect, .ensemble, .middles, .plane: nil
      }
    }
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

  /// The folder of the result, such as `connect-linear-wa-1-2-` and the start of the key.
  ///
  /// Nothing in it but what the key is of: two ways to write one method name one folder.
  public var folderName: String {
    func plugins(_ method: MethodExpression) -> [String] {
      [method.method.name] + method.modifiers.map(\.name)
    }
    func ends(_ pair: NetworkPair) -> [String] { ["\(pair.first)", "\(pair.second)"] }
    let words =
      switch work {
      case .train(let network): ["train", "\(network)"]
      case .open(let network): ["network", "\(network)"]
      case .fit(let fit): ["fit"] + plugins(fit.method)
      case .learn(let method, let pair): ["learn"] + plugins(method) + ends(pair)
      case .connect(let method, let pair): ["connect"] + plugins(method) + ends(pair)
      case .ensemble(let head): ["ensemble", "\(head)"]
      case .middles(_, let pair): ["middles"] + ends(pair)
      case .plane(let method, let pair): ["plane"] + plugins(method) + ends(pair)
      }
    return "\(words.joined(separator: "-").prefix(100))-\(key.prefix(16))"
  }

  /// Whether a name may be that of a step's folder: it ends in a hyphen and a key's start.
  static func isFolderName(_ name: String) -> Bool {
    let end = name.utf8.suffix(17)
    return end.count == 17 && end.first == 45
      && end.dropFirst().allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
  }

  /// Whether its own work can be gone on from where it was interrupted.
  var isResumable: Bool {
    switch work {
    case .train, .fit, .learn: true
    case .open, .connect, .ensemble, .middles, .plane: false
    }
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
    let networks = trained.map(networkStep)
    let training = Dictionary(uniqueKeysWithValues: zip(trained, networks))
    var fitting: [Step] = []
    for fit in usedFits { fitting.append(fittingStep(fit, training, fitting)) }
    var joining = Joining(training: training, fitting: fitting, experiment: self)
    var learning: [Step] = []
    let methodsInOrder = Set(methods + middles + planes).intersection(learned)
      .sorted { "\($0)" < "\($1)" }
    for method in methodsInOrder {
      for pair in joining.pairs(of: method) {
        let step = joining.learning(method, pair)
        joining.learned[.learn(method, pair)] = step
        learning.append(step)
      }
    }
    let connecting = methods.flatMap { method in
      pairs.map { pair in
        Step(
          .connect(method, pair), name: "\(method) \(pair)",
          inputs: evaluationInputs.merging(identity(of: method)) { $1 }
            .merging(["kind": "connect"]) { $1 },
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

  private func pictures(_ joining: Joining) -> [Step] {
    guard let pair = pairs.first else { return [] }
    let projecting =
      middles.isEmpty
      ? []
      : [
        Step(
          .middles(middles, pair), name: "neurons in the middle \(pair)",
          inputs: middlesInputs,
          needs: joining.ends(pair)
            + middles.flatMap { joining.needs($0, pair).dropFirst(2) })
      ]
    return projecting
      + planes.map { method in
        Step(
          .plane(method, pair), name: "plane of \(method) \(pair)",
          inputs: sampleInputs.merging(identity(of: method)) { $1 }
            .merging(["kind": "plane", "middle": Self.middle]) { $1 },
          needs: joining.needs(method, pair))
      }
  }

  /// What a key says of a method: it with all its options, and the files these name, if there are
  /// any.
  private func identity(of method: MethodExpression) -> [String: JSONValue] {
    ["method": .string(keyed(method))].merging(
      fileDigests[method].map { ["files": .array($0.map(JSONValue.string))] } ?? [:]
    ) { $1 }
  }

  private func keyed(_ method: MethodExpression) -> String {
    "\(completedMethods[method] ?? method)"
  }

  /// What a key says of the middle of a path, `ConnectionPath.middle`: results of before it counted moving
  /// stages alone are others.
  private static let middle: JSONValue = "of moving stages"

  private var middlesInputs: [String: JSONValue] {
    let files = middles.flatMap { fileDigests[$0] ?? [] }
    return [
      "dataset": .string("\(dataset)"), "kind": "middles", "middle": Self.middle,
      "methods": .array(middles.map { .string(keyed($0)) }),
    ].merging(files.isEmpty ? [:] : ["files": .array(files.map(JSONValue.string))]) { $1 }
  }

  /// The steps that a path needs.
  private struct Joining {
    var training: [Int: Step]
    var fitting: [Step]
    var experiment: Experiment
    var learned: [Step.Work: Step] = [:]

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
        inputs: experiment.identity(of: method).merging([
          "dataset": .string("\(experiment.dataset)"), "kind": "learn",
        ]) { $1 }, needs: ends(pair) + models(of: method))
    }

    /// Both ends, and then what else a path needs.
    func needs(_ method: MethodExpression, _ pair: NetworkPair) -> [Step] {
      ends(pair)
        + (learned[.learn(method, pair)].map { [$0] } ?? models(of: method))
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
      inputs: identity(of: fit.method).merging([
        "dataset": .string("\(dataset)"), "held-out": .integer(fit.heldOut), "kind": "fit",
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
          "architecture": .string("\(architecture)"), "dataset": .string("\(dataset)"),
          "digest": .string(file.digest), "kind": "open",
        ], needs: [])
    }
    return Step(
      .train(network: network), name: "train \(network)",
      inputs: [
        "architecture": .string("\(architecture)"), "batch": .integer(training.batch),
        "dataset": .string("\(dataset)"), "epochs": .integer(training.epochs), "kind": "train",
        "optimiser": .string("\(training.rule)"), "rate": JSONValue(training.rate),
        "schedule": .string("\(training.schedule)"), "seed": .integer(network),
      ].merging(training.gain == 1 ? [:] : ["gain": JSONValue(training.gain)]) { $1 }, needs: [])
  }

  private var sampleInputs: [String: JSONValue] {
    ["dataset": .string("\(dataset)"), "samples": .integer(evaluation.samples ?? 0)]
  }

  private var evaluationInputs: [String: JSONValue] {
    sampleInputs.merging([
      "points": evaluation.isMiddleAlone ? "middle" : .integer(evaluation.points),
      "refine": .bool(evaluation.refines),
    ]) { $1 }
  }
}
