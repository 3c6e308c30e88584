// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// Training that goes on epoch by epoch, as a value: it can be saved between epochs and continued
/// to the same bits.
public struct Trainer: Sendable {
  /// What determines the run.
  public let plan: TrainingPlan
  /// The weights as they are now.
  public internal(set) var weights: Weights
  /// The epochs done.
  public internal(set) var epoch: Int
  /// The mean loss and accuracy of each epoch's batches, as they were met.
  public internal(set) var history: [Metrics]
  var optimiser: Optimiser
  private let runner: Runner

  /// Training from random weights.
  /// - Throws: ``TrainingError`` if the plan can't be, ``RunnerError`` if a layer can't run.
  public init(_ network: Network, plan: TrainingPlan) throws {
    guard plan.epochs >= 0, plan.batch > 0 else {
      throw TrainingError.plan("epochs are 0 or more and a batch has at least one sample")
    }
    guard plan.rate > 0, plan.rate.isFinite else {
      throw TrainingError.plan("the learning rate is a positive number")
    }
    guard plan.gain > 0, plan.gain <= 1000 else {
      throw TrainingError.plan("the gain is a positive number up to 1000")
    }
    // Weights, gradients and moments, and a copy of them all while an epoch may still fail.
    let copies = { if case .adam = plan.rule { 8.0 } else { 4.0 } }()
    let bytes = 4 * copies * network.parameters.reduce(0.0) { $0 + Double($1.shape.count) }
    guard bytes <= Machine.physicalMemory else {
      throw TrainingError.plan(
        "the network needs \(Int(bytes / 1e9) + 1) GB of memory, more than there is")
    }
    // What the layers put out is kept until their gradients are computed.
    let outputs = 4 * Double(plan.batch) * network.shapes.reduce(0.0) { $0 + Double($1.count) }
    guard bytes + outputs <= Machine.physicalMemory else {
      throw TrainingError.plan(
        "a batch of \(plan.batch) samples needs \(Int((bytes + outputs) / 1e9) + 1) GB of memory, more "
          + "than there is; a smaller one needs less")
    }
    self.plan = plan
    self.runner = try Runner(network)
    self.weights = try Weights(randomFor: network, seed: plan.seed, gain: plan.gain)
    self.epoch = 0
    self.history = []
    self.optimiser = Optimiser(plan.rule, for: network)
  }

  /// Whether all epochs are done.
  public var isFinished: Bool { epoch >= plan.epochs }

  /// What a step tells of its epoch.
  public struct Progress: Sendable {
    /// The epoch, counted from 0.
    public let epoch: Int
    /// The samples seen in it.
    public let samples: Int
    /// The means over them.
    public let metrics: Metrics
  }

  /// One pass over the samples in an order of its own.
  ///
  /// - Parameters:
  ///   - samples: The training samples.
  ///   - workers: The threads within each step; the result depends on their number in its last
  ///     bits.
  ///   - progress: Is told after each step; if it throws, the trainer is as before the epoch.
  /// - Throws: ``DataError`` if the samples do not fit, ``TrainingError/diverged(epoch:)`` if the
  ///   loss is not finite, and what `progress` throws.
  public mutating func runEpoch(
    on samples: SampleSet, workers: Workers = .available,
    progress: (Progress) throws -> Void = { _ in }
  ) throws {
    try samples.check(fits: weights.network)
    guard samples.count > 0 else { throw TrainingError.plan("there are no samples") }
    try checkBatches(of: samples)
    var next = self
    let sums = try next.runBatches(of: samples, workers: workers, progress: progress)
    let metrics = Metrics(sums)
    guard metrics.crossEntropy.isFinite else { throw TrainingError.diverged(epoch: epoch) }
    next.history.append(metrics)
    next.epoch += 1
    self = next
  }

  /// A channel of one value has no variance: a network would learn from zeros.
  private func checkBatches(of samples: SampleSet) throws(TrainingError) {
    let network = weights.network
    let last = samples.count % plan.batch
    let smallest = min(samples.count, last == 0 ? plan.batch : last)
    let isSingle = network.nodes.indices.contains {
      network.nodes[$0].operation.needsSeveralSamples(inputs: network.inputShapes(of: $0))
    }
    guard smallest > 1 || !isSingle else {
      throw .loneSample(
        "batch normalisation of single values needs two samples in every batch, but of \(samples.count) "
          + "samples in batches of \(plan.batch) the last is alone")
    }
  }

  private mutating func runBatches(
    of samples: SampleSet, workers: Workers, progress: (Progress) throws -> Void
  ) throws -> ClassificationSums {
    let batches = TrainingBatches(of: samples, plan: plan, epoch: epoch)
    var sums = ClassificationSums()
    try batches.forEach(workers: workers) { batch in
      sums += runner.accumulateGradients(
        of: batch.samples, labels: batch.labels, weights: weights, into: &optimiser.gradients,
        carry: optimiser.carry, random: batch.dropout, workers: workers)
      optimiser.step(&weights, rate: batches.rate, workers: workers)
      try progress(Progress(epoch: epoch, samples: sums.samples, metrics: Metrics(sums)))
    }
    return sums
  }
}
