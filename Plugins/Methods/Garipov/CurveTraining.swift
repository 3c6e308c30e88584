// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics

/// Training of a curve's inner control points, epoch by epoch.
///
/// Each batch is run at one t drawn uniformly; point j gets cⱼ(t) times the gradient of the weights
/// there, with a velocity of its own.
struct CurveTraining: EpochwiseWork {
  private let curve: Curve
  private let plan: TrainingPlan
  private let origin: [String: JSONValue]
  private let network: Network
  private let samples: SampleSet
  private let runner: Runner
  /// The control points, the two networks first and last.
  private var points: [Weights]
  /// A velocity for each parameter of each inner point.
  private var velocities: [[Tensor]]
  private var gradients: [Tensor]
  private var epoch = 0

  /// - Parameter origin: What else makes a state this computation's: networks, samples, threads.
  init(
    _ curve: Curve, from a: Weights, to b: Weights, on samples: SampleSet, plan: TrainingPlan,
    origin: [String: JSONValue]
  ) throws {
    try samples.check(fits: a.network)
    self.samples = samples
    self.curve = curve
    self.origin = origin
    self.plan = plan
    network = a.network
    runner = try Runner(network)
    points = try (0..<curve.count).map { point in
      let share = Double(point) / Double(curve.count - 1)
      return try Weights(
        network: a.network,
        tensors: zip(a.tensors, b.tensors).map {
          Tensor.combination([$0, $1], coefficients: [1 - share, share], shape: $0.shape)
        })
    }
    let zeros = network.parameters.map { Tensor(zeros: $0.shape) }
    velocities = (1..<curve.count - 1).map { _ in zeros }
    gradients = zeros
  }

  var isFinished: Bool { epoch >= plan.epochs }

  /// The curve as it is now.
  var path: ExplicitPath {
    get throws {
      let motions = network.parameters.indices.map { index in
        Motion.combination(points.map { $0[index] }, curve)
      }
      return try ExplicitPath(
        network: network, stages: [PathStage(label: "\(curve)", motions: motions)])
    }
  }

  /// One pass over the samples; if it throws, the curve is between two epochs and of no use.
  mutating func runEpoch(in context: ConnectionContext) throws {
    let workers = context.workers
    let batches = TrainingBatches(of: samples, plan: plan, epoch: epoch)
    var times = RandomStream(seed: plan.seed, purpose: .connection, index: epoch)
    var sums = ClassificationSums()
    try batches.forEach(workers: workers) { batch in
      let coefficients = curve.coefficients(at: times.uniformDouble())
      sums += runner.accumulateGradients(
        of: batch.samples, labels: batch.labels, weights: try weights(coefficients),
        into: &gradients, random: batch.dropout, workers: workers)
      step(coefficients, rate: batches.rate, workers: workers)
      let share = Double(sums.samples) / Double(samples.count)
      let loss = String(Metrics(sums).crossEntropy, decimals: 4)
      try context.progress(
        ConnectionProgress(
          "epoch \(epoch + 1)/\(plan.epochs)  loss \(loss)",
          share: (Double(epoch) + share) / Double(plan.epochs)))
    }
    guard Metrics(sums).crossEntropy.isFinite else {
      throw ConnectionError.diverged(method: Garipov.name, advice: "try a smaller rate")
    }
    epoch += 1
  }

  func outcome(of error: any Error) -> EpochOutcome {
    // The state of the epoch before would come to the same.
    error is ConnectionError ? .failed : .interrupted
  }

  private func weights(_ coefficients: [Double]) throws -> Weights {
    try Weights(
      network: network,
      tensors: network.parameters.indices.map { index in
        Tensor.combination(
          points.map { $0[index] }, coefficients: coefficients,
          shape: network.parameters[index].shape)
      })
  }

  private mutating func step(_ coefficients: [Double], rate: Float, workers: Workers) {
    guard case .sgd(let momentum, let decay) = plan.rule else { return }
    for inner in velocities.indices {
      for index in network.parameters.indices where network.parameters[index].isTrained {
        points[inner + 1][index].sgdStep(
          velocity: &velocities[inner][index], gradient: gradients[index],
          share: Float(coefficients[inner + 1]), momentum: momentum, rate: rate, decay: decay,
          workers: workers)
      }
    }
  }
}

// MARK: - Going on after an interruption

extension CurveTraining {
  /// What must be kept to go on to the same bits; nothing at the end.
  var state: Checkpoint? {
    guard !isFinished else { return nil }
    var tensors: [NamedTensor] = []
    for inner in velocities.indices {
      for (index, parameter) in network.parameters.enumerated() {
        tensors.append(
          NamedTensor(
            "point\(inner + 1)/\(parameter.name)", StoredTensor(points[inner + 1][index])))
        tensors.append(
          NamedTensor(
            "velocity\(inner + 1)/\(parameter.name)", StoredTensor(velocities[inner][index])))
      }
    }
    return Checkpoint(
      kind: .checkpoint, metadata: identity.merging(["completed": .integer(epoch)]) { $1 },
      tensors: tensors)
  }

  /// What makes a state this computation's and no other's.
  private var identity: [String: JSONValue] {
    plan.written.merging([
      "curve": .string("\(curve)"), "method": .string(Garipov.name),
      "network": .string("\(network)"),
    ]) { $1 }.merging(origin) { $1 }
  }

  /// Goes on from a state that was kept.
  /// - Throws: ``TrainingError/otherRun(field:expected:found:)`` if it is another computation's,
  ///   and what reading a tensor throws.
  mutating func resume(from state: Checkpoint) throws {
    for (field, expected) in identity.sorted(by: { $0.key < $1.key }) {
      guard let found = state.metadata[field], expected.means(found) else {
        throw TrainingError.otherRun(
          field: field, expected: expected.compactText,
          found: state.metadata[field]?.compactText ?? "not known")
      }
    }
    guard let completed = state.metadata["completed"]?.integer,
      (1..<plan.epochs).contains(completed)
    else { throw TrainingError.notResumable }
    var next = self
    for inner in velocities.indices {
      func tensors(_ list: String) throws -> [Tensor] {
        try network.parameters.map {
          try state.floats(named: "\(list)\(inner + 1)/\($0.name)")
        }
      }
      next.points[inner + 1] = try Weights(network: network, tensors: try tensors("point"))
      next.velocities[inner] = try Weights(network: network, tensors: try tensors("velocity"))
        .tensors
    }
    next.epoch = completed
    self = next
  }
}
