// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// What determines a run of training, besides the network and the data.
public struct TrainingPlan: Sendable, Hashable {
  /// The passes over the training samples.
  public var epochs: Int
  /// The samples per step.
  public var batch: Int
  /// The learning rate at the start.
  public var rate: Double
  /// How the rate changes.
  public var schedule: Schedule
  /// How gradients become steps.
  public var rule: OptimiserRule
  /// A factor on the random initial weights. Layers with the paper's ±1/√n let signals shrink by 1/√6 each:
  /// √6 ≈ 2.45 keeps their size through any number of layers with ReLU (He et al. 2015).
  public var gain: Double
  /// The seed of the initial weights, the order of samples, dropout and augmentation.
  public var seed: UInt64

  /// A plan; the defaults are the paper's.
  public init(
    epochs: Int = 30, batch: Int = 128, rate: Double = 0.01, schedule: Schedule = .paper,
    rule: OptimiserRule = .sgd(momentum: 0.9, decay: 1e-4), gain: Double = 1, seed: UInt64 = 0
  ) {
    self.epochs = epochs
    self.batch = batch
    self.rate = rate
    self.schedule = schedule
    self.rule = rule
    self.gain = gain
    self.seed = seed
  }
}

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
    // Weights, gradients and moments, and a copy of them all while an epoch may still fail.
    guard plan.gain > 0, plan.gain <= 1000 else {
      throw TrainingError.plan("the gain is a positive number up to 1000")
    }
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
      throw .plan(
        "batch normalisation of single values needs two samples in every batch, but of \(samples.count) "
          + "samples in batches of \(plan.batch) the last is alone; take another --batch")
    }
  }

  private mutating func runBatches(
    of samples: SampleSet, workers: Workers, progress: (Progress) throws -> Void
  ) throws -> ClassificationSums {
    let rate = Float(plan.rate * plan.schedule.factor(epoch: epoch, of: plan.epochs))
    var ordering = RandomStream(seed: plan.seed, purpose: .order, index: epoch)
    let order = ordering.permutation(of: samples.count)
    var sums = ClassificationSums()
    for start in stride(from: 0, to: order.count, by: plan.batch) {
      let indices = Array(order[start..<min(start + plan.batch, order.count)])
      let firstUse = epoch * samples.count + start
      let block = samples.block(
        at: indices,
        augmenting: { [seed = plan.seed] position in
          RandomStream(seed: seed, purpose: .augmentation, index: firstUse + position)
        }, workers: workers)
      sums += runner.accumulateGradients(
        of: block, labels: indices.map { samples.labels[$0] }[...], weights: weights,
        into: &optimiser.gradients, carry: optimiser.carry,
        random: RandomStream(seed: plan.seed, purpose: .dropout, index: firstUse),
        workers: workers)
      optimiser.step(&weights, rate: rate, workers: workers)
      try progress(Progress(epoch: epoch, samples: sums.samples, metrics: Metrics(sums)))
    }
    return sums
  }
}

/// What can be wrong with training.
public enum TrainingError: DescribedError, Hashable {
  /// A plan that can't be carried out.
  case plan(String)
  /// A text that means no schedule.
  case schedule(String)
  /// A text that means no optimiser.
  case optimiser(String)
  /// The loss became infinite or not a number.
  case diverged(epoch: Int)
  /// A checkpoint to continue from belongs to another run.
  case otherRun(field: String, expected: String, found: String)
  /// A checkpoint holds nothing to continue from.
  case notResumable
  /// A checkpoint's counts can't all be right.
  case contradiction(completed: Int, epochs: Int, steps: Int)

  /// Wrong usage, wrong data, or a failure of the run itself.
  public var category: ErrorCategory {
    switch self {
    case .plan, .schedule, .optimiser, .otherRun: .usage
    case .diverged: .failure
    case .notResumable, .contradiction: .data
    }
  }

  /// One line that says what is wrong and what to do.
  public var description: String {
    switch self {
    case .plan(let reason): "training can't start: \(reason)"
    case .schedule(let text):
      "‘\(text)’ is no schedule; there are paper, constant, cosine and step:epochs=20,factor=0.9"
    case .optimiser(let text):
      "‘\(text)’ is no optimiser; there are sgd:momentum=0.9,decay=0.0001 and "
        + "adam:beta1=0.9,beta2=0.999,decay=0"
    case .diverged(let epoch):
      "the loss is no longer finite in epoch \(epoch + 1); try a smaller learning rate"
    case .otherRun(let field, let expected, let found):
      "the checkpoint belongs to another run: its \(field) is \(found), not \(expected)"
    case .contradiction(let completed, let epochs, let steps):
      "the checkpoint says that \(completed) of \(epochs) epochs are done after \(steps) steps, which "
        + "can't be"
    case .notResumable:
      "the checkpoint does not hold an optimiser's state, so that training can't continue from it"
    }
  }
}
