// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFlows
import LCWNumerics
import Testing

/// Fits to samples whose density is known: the likelihood of held-out samples comes close to that
/// of the true density, and does not pass it by more than chance.
struct LikelihoodTests {
  /// Samples, and the mean logarithm of their true density in nats per coordinate.
  struct Known {
    var train: Tensor
    var heldOut: Tensor
    var truth: Double
  }

  /// x₁ normal, each xₖ = 0.8 xₖ₋₁ + 0.6 εₖ, scaled.
  static func correlated(count: Int) -> Known {
    samples(count, dimension: 5) { noise in
      var x = [noise[0]]
      var log = normal(noise[0])
      for k in 1..<5 {
        x.append(0.8 * x[k - 1] + 0.6 * noise[k])
        log += normal(noise[k]) - Foundation.log(0.6)
      }
      return (x.map { 0.3 * $0 }, log - 5 * Foundation.log(0.3))
    }
  }

  /// A banana: y = ε₂ / 2 + x² with x normal.
  static func banana(count: Int) -> Known {
    samples(count, dimension: 2) { noise in
      let (x, y) = (noise[0], 0.5 * noise[1] + noise[0] * noise[0])
      return ([x, y], normal(noise[0]) + normal(noise[1]) - Foundation.log(0.5))
    }
  }

  private static func normal(_ x: Double) -> Double { -x * x / 2 - log(2 * Double.pi) / 2 }

  private static func samples(
    _ count: Int, dimension: Int, _ body: ([Double]) -> (row: [Double], log: Double)
  ) -> Known {
    var random = RandomStream(seed: 11)
    func draw(_ count: Int) -> (Tensor, Double) {
      var (rows, sum) = ([Float](), 0.0)
      let noise = random.normal([count, dimension])
      for index in 0..<count {
        let (row, log) = body(noise.row(index).map(Double.init))
        rows += row.map { Float($0) }
        sum += log
      }
      return (Tensor(rows).reshaped([count, dimension]), sum / Double(count * dimension))
    }
    let train = draw(count).0
    let (heldOut, truth) = draw(count)
    return Known(train: train, heldOut: heldOut, truth: truth)
  }

  private func fit(
    _ known: Known, _ kind: TransformationKind, layers: Int, epochs: Int,
    normalisation: TransformationNormalisation = .fixed
  ) throws -> LikelihoodFit {
    let design = TransformationDesign(
      kind: kind, dimension: known.train.shape.rowCount, layers: layers, hidden: 32,
      normalisation: normalisation)
    let start = try Transformation(design, standardisedOn: [known.train], seed: 1)
    var fit = try LikelihoodFit(
      start, to: known.train, heldOut: known.heldOut, batch: 200,
      plan: FitPlan(epochs: epochs, rate: 5e-3, decay: 0.5, decayEpochs: epochs / 4, seed: 2),
      workers: Workers(2))
    while !fit.isFinished { try fit.runEpoch(workers: Workers(2)) }
    return fit
  }

  @Test(arguments: TransformationKind.allCases)
  func `a correlated Gaussian is found`(kind: TransformationKind) throws {
    let known = Self.correlated(count: 4000)
    let fit = try fit(known, kind, layers: kind == .iaf ? 2 : 4, epochs: 24)
    let found = try #require(fit.training.history[fit.training.bestEpoch].heldOut)
    // Independent coordinates miss 4 · log(1 / 0.6) / 5 = 0.41 nats per coordinate.
    let start = try #require(fit.training.history[0].heldOut)
    #expect(abs(known.truth - start - 0.41) < 0.05)
    #expect(abs(found - known.truth) < 0.012, "\(found), the truth is \(known.truth)")
  }

  @Test(arguments: TransformationKind.allCases, TransformationNormalisation.allCases)
  func `a banana is found`(
    kind: TransformationKind, normalisation: TransformationNormalisation
  ) throws {
    let known = Self.banana(count: 4000)
    let fit = try fit(known, kind, layers: 4, epochs: 40, normalisation: normalisation)
    let found = try #require(fit.training.history[fit.training.bestEpoch].heldOut)
    let start = try #require(fit.training.history[0].heldOut)
    #expect(known.truth - start > 0.3)
    #expect(abs(found - known.truth) < 0.03, "\(found), the truth is \(known.truth)")
  }

  @Test
  func `an interrupted fit goes on to the same bits`() throws {
    let known = Self.banana(count: 600)
    let design = TransformationDesign(
      kind: .iaf, dimension: 2, layers: 2, hidden: 8, normalisation: .actnorm)
    let start = try Transformation(design, standardisedOn: [known.train], seed: 1)
    let plan = FitPlan(epochs: 6, rate: 1e-2, seed: 3)
    func new(_ plan: FitPlan) throws -> LikelihoodFit {
      try LikelihoodFit(
        start, to: known.train, heldOut: known.heldOut, batch: 64, plan: plan,
        workers: Workers(2))
    }
    var whole = try new(plan)
    while !whole.isFinished { try whole.runEpoch(workers: Workers(2)) }
    var part = try new(plan)
    for _ in 0..<3 { try part.runEpoch(workers: Workers(2)) }
    let state = part.training.state(origin: ["data": "a"])
    var resumed = try new(plan)
    try resumed.resume(from: state, origin: ["data": "a"])
    #expect(resumed.training.epoch == 3)
    while !resumed.isFinished { try resumed.runEpoch(workers: Workers(2)) }
    #expect(resumed.training.history == whole.training.history)
    for (a, b) in zip(resumed.training.best.parameters, whole.training.best.parameters) {
      #expect(a.isIdentical(to: b))
    }
    let other = #expect(throws: FlowError.self) {
      var other = try new(FitPlan(epochs: 7, rate: 1e-2, seed: 3))
      try other.resume(from: state, origin: ["data": "a"])
    }
    #expect(other?.description.contains("epochs is 6, not 7") == true)
    #expect(throws: FlowError.self) { try resumed.resume(from: state, origin: ["data": "b"]) }
  }

  @Test
  func `a fit stops when nothing gets better, and keeps the best`() throws {
    var random = RandomStream(seed: 5)
    // Noise: there is nothing to find, and a large network only learns the samples by heart.
    let (train, heldOut) = (random.normal([40, 6]), random.normal([40, 6]))
    let design = TransformationDesign(kind: .realnvp, dimension: 6, layers: 4, hidden: 64)
    var fit = try LikelihoodFit(
      Transformation(design, standardisedOn: [train], seed: 1), to: train, heldOut: heldOut,
      batch: 20, plan: FitPlan(epochs: 200, rate: 1e-2, patience: 4, seed: 1),
      workers: Workers(1))
    while !fit.isFinished { try fit.runEpoch(workers: Workers(1)) }
    let training = fit.training
    #expect(training.epoch == training.bestEpoch + 4)
    #expect(training.epoch < 100)
    let best = try LikelihoodFit.likelihood(training.best, heldOut, Workers(1))
    #expect(best == training.history.compactMap(\.heldOut).max())
  }

  @Test
  func `without held-out samples the best epoch is one that was measured`() throws {
    let known = Self.banana(count: 300)
    let design = TransformationDesign(kind: .realnvp, dimension: 2, layers: 4, hidden: 32)
    // One step an epoch, far too large: what it makes is worse than what it was taken from.
    var fit = try LikelihoodFit(
      Transformation(design, standardisedOn: [known.train], seed: 1), to: known.train,
      heldOut: nil, batch: 300, plan: FitPlan(epochs: 6, rate: 0.3, seed: 1),
      workers: Workers(2))
    while !fit.isFinished { try fit.runEpoch(workers: Workers(2)) }
    let training = fit.training
    let best = try LikelihoodFit.likelihood(training.best, known.train, Workers(2))
    #expect(best == training.history.map(\.train).max())
    let last = try LikelihoodFit.likelihood(training.current, known.train, Workers(2))
    #expect(last == training.history.last?.train)
    #expect(training.history.map(\.train).min() ?? 0 < training.history[0].train - 1)
  }

  @Test
  func `a fit that diverges ends with its best epoch, if it has one`() throws {
    let design = TransformationDesign(kind: .realnvp, dimension: 2, layers: 2, hidden: 4)
    let start = try Transformation(
      design, standardisedOn: [Self.banana(count: 50).train], seed: 1)
    var training = TransformationTraining(
      start, figures: FitFigures(train: -2, heldOut: nil), isAscending: true,
      plan: FitPlan(epochs: 9, rate: 1e-3))
    func diverge(_ training: inout TransformationTraining) throws -> FlowError {
      try #require(
        #expect(throws: FlowError.self) {
          try training.finishEpoch(FitFigures(train: .nan, heldOut: nil), of: "the likelihood")
        })
    }
    let atOnce = try diverge(&training)
    #expect(throws: atOnce) { try training.end(after: atOnce) }
    try training.finishEpoch(FitFigures(train: -1, heldOut: nil), of: "the likelihood")
    let later = try diverge(&training)
    #expect(later.description.contains("no longer finite in epoch 2"))
    #expect(throws: FlowError.sameNetwork) { try training.end(after: .sameNetwork) }
    #expect(!training.isFinished)
    try training.end(after: later)
    #expect(training.isFinished && training.bestEpoch == 1)
    #expect(training.endedEarly == later.description)
    #expect(training.history.map(\.train) == [-2, -1])
  }

  @Test
  func `a rate that is too large is said to be`() throws {
    let known = Self.banana(count: 400)
    let design = TransformationDesign(
      kind: .realnvp, dimension: 2, layers: 4, hidden: 32, normalisation: .actnorm, bound: 16)
    var fit = try LikelihoodFit(
      Transformation(design, standardisedOn: [known.train], seed: 1), to: known.train,
      heldOut: nil, batch: 10, plan: FitPlan(epochs: 50, rate: 3, seed: 1), workers: Workers(1))
    let error = #expect(throws: FlowError.self) {
      while !fit.isFinished { try fit.runEpoch(workers: Workers(1)) }
      throw FlowError.needsModel(method: "none")
    }
    #expect(error?.description.contains("try a smaller rate") == true)
  }
}
