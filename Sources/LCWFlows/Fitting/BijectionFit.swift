// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNetworks
public import LCWNumerics
public import LCWPaths

/// Fitting a transformation so that the networks between two others have a low loss: the mean over
/// t uniform on (0, 1) and over pairs A, B of a set of networks of the task loss of
/// ν⁻¹[cos(πt/2) ν(A) + sin(πt/2) ν(B)] (Anokhin and Yarotsky 2020, "Bijection").
///
/// The gradient of the loss by the network's weights goes back through ν⁻¹, and from there through
/// both ν.
public struct BijectionFit: Sendable {
  /// How much of the data a step and an epoch look at.
  public struct Amounts: Sendable, Hashable {
    /// The steps of an epoch.
    public var steps: Int
    /// The samples of a step, drawn anew for each t.
    public var batch: Int
    /// The values of t of a step, all on the way between one pair.
    public var times: Int

    /// Amounts.
    public init(steps: Int, batch: Int, times: Int) {
      self.steps = steps
      self.batch = batch
      self.times = times
    }
  }

  /// The transformation and its figures: mean cross-entropies in nats.
  public private(set) var training: TransformationTraining
  private let networks: [(weights: Weights, neurons: Tensor)]
  private let heldOut: [BijectionPair]
  private let population: HiddenPopulation
  private let samples: SampleSet
  private let amounts: Amounts
  private let runner: Runner
  private let judge: Judge

  /// The samples and the points between each held-out pair that tell when to stop.
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
    let judged = heldOut.count == 1 ? [networks[0]] + heldOut : heldOut
    self.heldOut = zip(judged, judged.dropFirst()).prefix(Self.judged.pairs).map(pair)
    judge = Judge(
      runner: runner, samples: samples.prefix(Self.judged.samples), times: Self.judged.times)
    // Before any step there is no mean over steps: a pair that is learned from is judged like the
    // held-out ones.
    let figures = FitFigures(
      train: try judge.loss(start, [pair(networks[0], networks[1])], workers),
      heldOut: self.heldOut.isEmpty ? nil : try judge.loss(start, self.heldOut, workers))
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
  /// - Throws: ``FlowError/diverged(what:epoch:)``, and what `progress` throws.
  public mutating func runEpoch(
    workers: Workers, progress: (Double) throws -> Void = { _ in }
  ) throws {
    var loss = 0.0
    for step in 0..<amounts.steps {
      loss += try takeStep(training.epoch * amounts.steps + step, workers: workers)
      try progress(Double(step + 1) / Double(amounts.steps))
    }
    try training.finishEpoch(
      FitFigures(
        train: loss / Double(amounts.steps),
        heldOut: heldOut.isEmpty ? nil : try judge.loss(training.current, heldOut, workers)),
      of: "the loss")
  }

  private mutating func takeStep(_ index: Int, workers: Workers) throws -> Double {
    var random = RandomStream(seed: training.plan.seed, purpose: .connection, index: index)
    let first = random.integer(below: networks.count)
    let other = random.integer(below: networks.count - 1)
    let (a, b) = (networks[first], networks[other < first ? other : other + 1])
    let batches = (0..<amounts.times).map { _ in
      Batch(
        time: random.uniformDouble(),
        samples: (0..<amounts.batch).map { _ in random.integer(below: samples.count) })
    }
    let loss = try BijectionFit.lossGradient(
      of: training.current,
      BijectionPair(
        population: population, a: a.weights, b: b.weights, neurons: [a.neurons, b.neurons]),
      batches, samples: samples, runner: runner, into: &training.gradients, workers: workers)
    guard loss.isFinite else {
      throw FlowError.diverged(what: "the loss", epoch: training.epoch)
    }
    training.step(workers: workers)
    return loss
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

  /// The mean cross-entropy over the pairs and the points between them.
  func loss(
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
