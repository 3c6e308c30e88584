// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// The batches of one epoch, in the order and with the augmentation that a plan's seed gives.
public struct TrainingBatches: Sendable {
  /// One batch.
  public struct Batch: Sendable {
    /// The samples, `[n, …]`, augmented.
    public let samples: Tensor
    /// Their classes.
    public let labels: ArraySlice<Int32>
    /// What dropout draws from.
    public let dropout: RandomStream
  }

  private let samples: SampleSet
  private let plan: TrainingPlan
  private let epoch: Int

  /// The batches of an epoch, which is counted from 0.
  public init(of samples: SampleSet, plan: TrainingPlan, epoch: Int) {
    self.samples = samples
    self.plan = plan
    self.epoch = epoch
  }

  /// The learning rate of the epoch.
  public var rate: Float { Float(plan.rate * plan.schedule.factor(epoch: epoch, of: plan.epochs)) }

  /// Gives each batch, every sample once in an epoch.
  public func forEach(workers: Workers, _ body: (consuming Batch) throws -> Void) rethrows {
    var ordering = RandomStream(seed: plan.seed, purpose: .order, index: epoch)
    let order = ordering.permutation(of: samples.count)
    let seed = plan.seed
    for start in stride(from: 0, to: order.count, by: plan.batch) {
      let indices = Array(order[start..<min(start + plan.batch, order.count)])
      let firstUse = epoch * samples.count + start
      let block = samples.block(
        at: indices,
        augmenting: { position in
          RandomStream(seed: seed, purpose: .augmentation, index: firstUse + position)
        }, workers: workers)
      try body(
        Batch(
          samples: block, labels: indices.map { samples.labels[$0] }[...],
          dropout: RandomStream(seed: seed, purpose: .dropout, index: firstUse)))
    }
  }
}
