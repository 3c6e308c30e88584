// SPDX-License-Identifier: Apache-2.0
public import LCWCore

/// The training of a network as work that can be interrupted: an epoch that throws leaves the trainer as
/// it was.
public struct NetworkTraining: EpochwiseWork {
  /// The training.
  public var trainer: Trainer
  /// What is written of it.
  public let checkpoint: (Trainer) -> Checkpoint
  private let samples: SampleSet

  /// The training of a network on samples.
  /// - Parameter checkpoint: What is kept after an epoch.
  public init(
    _ trainer: Trainer, on samples: SampleSet, checkpoint: @escaping (Trainer) -> Checkpoint
  ) {
    self.trainer = trainer
    self.samples = samples
    self.checkpoint = checkpoint
  }

  /// Whether all epochs are done.
  public var isFinished: Bool { trainer.isFinished }

  /// The checkpoint, while epochs are left.
  public var state: Checkpoint? { isFinished ? nil : checkpoint(trainer) }

  /// Does the next epoch.
  /// - Throws: As ``Trainer/runEpoch(on:workers:progress:)``.
  public mutating func runEpoch(in context: ConnectionContext) throws {
    let (epoch, epochs) = (trainer.epoch, trainer.plan.epochs)
    let count = samples.count
    try trainer.runEpoch(on: samples, workers: context.workers) { progress in
      let share = Double(progress.samples) / Double(count)
      try context.progress(
        ConnectionProgress(
          "epoch \(epoch + 1)/\(epochs)", share: (Double(epoch) + share) / Double(epochs)))
    }
  }
}
