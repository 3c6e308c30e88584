// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// Fitting a transformation by maximum likelihood: so that ν(θ) of samples is standard normal.
///
/// Figures are mean logarithmic densities in nats per coordinate, in the samples' own coordinates,
/// each of the transformation at the end of an epoch; those before the first epoch are of the
/// standardisation alone, that is, of independent normal coordinates.
public struct LikelihoodFit: Sendable {
  /// The transformation and its figures.
  public private(set) var training: TransformationTraining
  private let rows: Tensor
  /// Evenly spaced samples, whose likelihood stands for that of all.
  private let judged: Tensor
  private let heldOut: Tensor?
  private let batch: Int

  private static let judgedRows = 4096

  /// A fit to samples.
  ///
  /// - Parameters:
  ///   - start: The transformation to begin with.
  ///   - rows: The samples, `[n, D]`.
  ///   - heldOut: Samples that only tell when to stop.
  ///   - batch: Batch size.
  ///   - plan: The epochs and rates.
  ///   - workers: The threads.
  /// - Throws: ``FlowError`` if the samples do not fit the transformation, or are of a scale at which it
  ///   can't be computed or undone.
  public init(
    _ start: Transformation, to rows: Tensor, heldOut: Tensor?, batch: Int, plan: FitPlan,
    workers: Workers
  ) throws {
    self.rows = rows
    self.heldOut = heldOut
    self.batch = max(1, min(batch, rows.shape.rows))
    guard rows.isFinite else { throw FlowError.notFinite(rows: "the samples") }
    guard heldOut?.isFinite ?? true else { throw FlowError.notFinite(rows: "the held-out samples") }
    let count = rows.shape.rows
    let (part, limit) = (min(count, Self.judgedRows), max(1, min(count, Self.judgedRows)))
    judged = rows.gatheringRows((0..<part).map { $0 * count / limit }[...])
    let figures = try Self.figures(start, judged, heldOut, workers)
    // No rate of learning is to blame for what is so before the first step.
    guard figures.train.isFinite else {
      throw FlowError.unusableStart(
        figures: "the neurons' likelihoods",
        reason: "their weights are too large or too small for single precision")
    }
    guard figures.heldOut?.isFinite ?? true else {
      throw FlowError.unusableStart(
        figures: "the held-out neurons' likelihoods",
        reason: "their weights are of quite another scale than those learned from")
    }
    try start.requireInverse(on: judged, workers: workers)
    training = TransformationTraining(start, figures: figures, isAscending: true, plan: plan)
  }

  private static func figures(
    _ transformation: Transformation, _ judged: Tensor, _ heldOut: Tensor?, _ workers: Workers
  ) throws -> FitFigures {
    FitFigures(
      train: try likelihood(transformation, judged, workers),
      heldOut: try heldOut.map { try likelihood(transformation, $0, workers) })
  }

  /// The mean logarithmic density of rows, in nats per coordinate.
  public static func likelihood(
    _ transformation: Transformation, _ rows: Tensor, _ workers: Workers
  ) throws -> Double {
    try transformation.logDensities(of: rows, precision: .standard, workers: workers).reduce(0, +)
      / Double(rows.shape.rows * rows.shape.rowCount)
  }

  /// Whether the fit is done.
  public var isFinished: Bool { training.isFinished }

  /// One pass over the samples, in an order of its own.
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
    var random = RandomStream(
      seed: training.plan.seed, purpose: .order, index: training.epoch)
    let order = random.permutation(of: rows.shape.rows)
    var count = 0
    // The last samples wait for an epoch with another order, rather than make a noisy small step.
    for start in stride(from: 0, through: order.count - batch, by: batch) {
      let block = rows.gatheringRows(order[start..<start + batch])
      let likelihood = try training.current.likelihoodGradient(
        of: block, into: &training.gradients, workers: workers)
      guard likelihood.isFinite else {
        throw FlowError.diverged(what: "the likelihood", epoch: training.epoch)
      }
      training.step(workers: workers)
      count += batch
      try progress(Double(count) / Double(order.count))
    }
    try training.current.requireInverse(on: judged, workers: workers)
    try training.finishEpoch(
      try Self.figures(training.current, judged, heldOut, workers), of: "the likelihood")
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
