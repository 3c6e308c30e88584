// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// A fit of a transformation, epoch by epoch.
protocol EpochFit {
  /// The transformation and its figures.
  var training: TransformationTraining { get }

  mutating func runEpoch(workers: Workers, progress: (Double) throws -> Void) throws

  /// Ends the fit at an epoch that diverged, with the best of those before.
  /// - Throws: The error, if none of them was better than the start and that is not to be kept.
  mutating func end(after error: FlowError, keepingStart: Bool) throws
}

extension LikelihoodFit: EpochFit {}
extension BijectionFit: EpochFit {}

/// A fit as work that can be interrupted.
struct FitWork<Fit: EpochFit>: EpochwiseWork {
  /// The fit.
  var fit: Fit
  /// Whether the start is kept where no epoch was better.
  let keepsStart: Bool
  /// The line of progress for the figures so far.
  let line: (TransformationTraining) -> EpochProgress
  /// What is kept of them.
  let kept: (TransformationTraining) -> Checkpoint

  var isFinished: Bool { fit.training.isFinished }

  // A state in the middle of an epoch is none to go on from; the one before comes here again.
  var state: Checkpoint? { fit.training.endedEarly == nil ? kept(fit.training) : nil }

  var milestone: ConnectionProgress? { line(fit.training).milestone }

  mutating func runEpoch(in context: ConnectionContext) throws {
    let line = line(fit.training)
    try fit.runEpoch(workers: context.workers) { try context.progress(line.within($0)) }
  }

  mutating func outcome(of error: any Error) -> EpochOutcome {
    guard let error = error as? FlowError else { return .interrupted }
    do { try fit.end(after: error, keepingStart: keepsStart) } catch { return .failed }
    return .ended
  }
}
