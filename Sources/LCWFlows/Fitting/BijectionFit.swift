// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNetworks
public import LCWNumerics
public import LCWPaths

/// Which hidden units of two networks are on the two ends of a path while a transformation is fitted.
public enum UnitPairing: String, OptionChoice {
  /// Others in each step: the numbers of units mean nothing, so that these are pairs of networks as
  /// likely as any, and as many as there are permutations.
  case random
  /// Always those of the same number.
  case fixed
}

/// Fitting a transformation so that the networks between two others have a low loss: the mean over
/// t uniform on (0, 1) and over pairs A, B of a set of networks of the task loss of
/// ν⁻¹[cos(πt/2) ν(A) + sin(πt/2) ν(B)] (Anokhin and Yarotsky 2020, "Bijection").
///
/// The gradient of the loss by the network's weights goes back through ν⁻¹, and from there through
/// both ν.
public struct BijectionFit: Sendable {
  /// How much of the data a step and an epoch look at.
  public struct Amounts: Sendable, Hashable {
    /// The steps per epoch.
    public var steps: Int
    /// The samples per step, drawn anew for each t.
    public var batch: Int
    /// The values of t per step, all on the way between one pair.
    public var times: Int
    /// Which units are paired in a step.
    public var pairing: UnitPairing

    /// Amounts.
    public init(steps: Int, batch: Int, times: Int, pairing: UnitPairing = .random) {
      self.steps = steps
      self.batch = batch
      self.times = times
      self.pairing = pairing
    }
  }

  /// The transformation and its figures: mean cross-entropies in nats of the transformation at the end
  /// of an epoch, always at the same points between the same pairs.
  public private(set) var training: TransformationTraining
  private let networks: [(weights: Weights, neurons: Tensor)]
  /// The pairs learned from whose loss stands for that of all.
  private let judgedPairs: [BijectionPair]
  private let heldOut: [BijectionPair]
  private let population: HiddenPopulation
  private let samples: SampleSet
  private let amounts: Amounts
  private let runner: Runner
  private let judge: Judge
  /// Neurons that have to come back from behind the transformation.
  private let checked: Tensor

  /// The samples, and the points between each of so many pairs, that figures are of.
  private static let judged = (samples: 2000, times: [0.25, 0.5, 0.75], pairs: 3)

  /// A fit.
  ///
  /// - Parameters:
  ///   - start: The transformation to begin with.
  ///   - population: The only hidden layer's units.
  ///   - networks: Two networks or more, whose pairs are learned from.
  ///   - heldOut: Networks whose pairs only tell when to stop; a single one is paired with the
  ///     first that is learned from.
  ///   - samples: The training samples.
  ///   - amounts: What a step takes.
  ///   - plan: The epochs and rates.
  ///   - workers: The threads.
  /// - Throws: ``FlowError``, ``RunnerError``, and ``DataError`` if the samples do not fit.
  public init(
    _ start: Transformation, _ population: HiddenPopulation, networks: [Weights],
    heldOut: [Weights], samples: SampleSet, amounts: Amounts, plan: FitPlan, workers: Workers
  ) throws {
    guard networks.count >= 2 else {
      throw FlowError.tooFewNetworks(needed: 2, found: networks.count)
    }
    let layers = population.network.weightedLayers.count
    guard layers == 2 else { throw FlowError.deepNetwork(method: "bijection", layers: layers) }
    try samples.check(fits: population.network)
    self.population = population
    self.samples = samples
    self.amounts = amounts
    runner = try Runner(population.network)
    func pair(_ a: Weights, _ b: Weights) -> BijectionPair {
      BijectionPair(
        population: population, a: a, b: b,
        neurons: [population.neurons(of: a), population.neurons(of: b)])
    }
    self.networks = networks.map { ($0, population.neurons(of: $0)) }
    for network in self.networks where !network.neurons.isFinite {
      throw FlowError.notFinite(rows: "the networks' weights")
    }
    guard heldOut.allSatisfy(\.isFinite) else {
      throw FlowError.notFinite(rows: "the held-out networks' weights")
    }
    func neighbours(_ networks: [Weights]) -> [BijectionPair] {
      zip(networks, networks.dropFirst()).prefix(Self.judged.pairs).map(pair)
    }
    judgedPairs = neighbours(networks)
    self.heldOut = neighbours(heldOut.count == 1 ? [networks[0]] + heldOut : heldOut)
    judge = Judge(
      runner: runner, samples: samples.prefix(Self.judged.samples), times: Self.judged.times)
    checked = self.networks[0].neurons
    try start.requireInverse(on: checked, workers: workers)
    let figures = try judge.figures(start, judgedPairs, self.heldOut, workers)
    // No rate of learning is to blame for what is so before the first step.
    guard figures.train.isFinite, figures.heldOut?.isFinite ?? true else {
      throw FlowError.unusableStart(
        figures: "the losses between the networks",
        reason: "outputs are too large for single precision")
    }
    training = TransformationTraining(start, figures: figures, isAscending: false, plan: plan)
  }

  /// Whether the fit is done.
  public var isFinished: Bool { training.isFinished }

  /// So many steps as an epoch has.
  ///
  /// - Parameters:
  ///   - workers: The threads; last bits depend on their number.
  ///   - progress: Is told the share of the epoch that is done. If it throws, the fit is in the
  ///     middle of an epoch and of no use.
  /// - Throws: ``FlowError/diverged(what:epoch:)``, or another ``FlowError`` if the transformation can't
  ///   be undone any more, and what `progress` throws.
  public mutating func runEpoch(
    workers: Workers, progress: (Double) throws -> Void = { _ in }
  ) throws {
    for step in 0..<amounts.steps {
      try takeStep(training.epoch * amounts.steps + step, workers: workers)
      try progress(Double(step + 1) / Double(amounts.steps))
    }
    try training.current.requireInverse(on: checked, workers: workers)
    try training.finishEpoch(
      try judge.figures(training.current, judgedPairs, heldOut, workers), of: "the loss")
  }

  private mutating func takeStep(_ index: Int, workers: Workers) throws {
    var random = RandomStream(seed: training.plan.seed, purpose: .connection, index: index)
    let first = random.integer(below: networks.count)
    let other = random.integer(below: networks.count - 1)
    let (a, b) = (networks[first], networks[other < first ? other : other + 1])
    let batches = (0..<amounts.times).map { _ in
      Batch(
        time: random.uniformDouble(),
        samples: (0..<amounts.batch).map { _ in random.integer(below: samples.count) })
    }
    let partners =
      switch amounts.pairing {
      case .random: b.neurons.gatheringRows(random.permutation(of: population.count)[...])
      case .fixed: b.neurons
      }
    let loss = try BijectionFit.lossGradient(
      of: training.current,
      BijectionPair(
        population: population, a: a.weights, b: b.weights, neurons: [a.neurons, partners]),
      batches, samples: samples, runner: runner, into: &training.gradients, workers: workers)
    guard loss.isFinite else {
      throw FlowError.diverged(what: "the loss", epoch: training.epoch)
    }
    training.step(workers: workers)
  }

  /// Ends the fit at an epoch that diverged, with the best of those before.
  /// - Throws: The error, if none of them was better than the start.
  mutating func end(after error: FlowError, keepingStart: Bool) throws {
    try training.end(after: error, keepingStart: keepingStart)
  }

  /// Goes on from a state that ``TransformationTraining/state(origin:)`` gave.
  /// - Throws: As ``TransformationTraining/resume(from:origin:)``.
  public mutating func resume(from state: Checkpoint, origin: [String: JSONValue]) throws {
    try training.resume(from: state, origin: origin)
  }
}

/// Measures a transformation on pairs of networks.
private struct Judge {
  let runner: Runner
  let samples: SampleSet
  let times: [Double]

  /// The losses between pairs that are learned from, and between held-out ones.
  func figures(
    _ transformation: Transformation, _ learned: [BijectionPair], _ heldOut: [BijectionPair],
    _ workers: Workers
  ) throws -> FitFigures {
    FitFigures(
      train: try loss(transformation, learned, workers),
      heldOut: heldOut.isEmpty ? nil : try loss(transformation, heldOut, workers))
  }

  /// The mean cross-entropy over the pairs and the points between them.
  private func loss(
    _ transformation: Transformation, _ pairs: [BijectionPair], _ workers: Workers
  ) throws -> Double {
    var sum = 0.0
    for pair in pairs {
      let images = try pair.neurons.map { try transformation.forward($0, workers: workers).rows }
      for time in times {
        let rows = try transformation.inverse(pair.between(images, at: time), workers: workers)
        sum += try runner.evaluate(
          pair.weights(rows, at: time), on: samples, workers: workers
        ).crossEntropy
      }
    }
    return sum / Double(pairs.count * times.count)
  }
}
