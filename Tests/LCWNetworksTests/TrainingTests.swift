// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import Testing

struct TrainingTests {
  private let network: Network
  private let samples: SampleSet

  init() throws {
    network = try Network(
      inputShape: [20],
      layers: [
        .dense(outputs: 32, bias: true), .relu, .dropout(rate: 0.1), .dense(outputs: 4, bias: true),
      ])
    samples = try learnableSamples(count: 400, width: 20, classes: 4)
  }

  private func plan(_ rule: OptimiserRule = .sgd(momentum: 0.9, decay: 1e-4)) -> TrainingPlan {
    TrainingPlan(epochs: 6, batch: 32, rate: 0.02, schedule: .paper, rule: rule, seed: 9)
  }

  private func trained(_ plan: TrainingPlan, epochs: Int) throws -> Trainer {
    var trainer = try Trainer(network, plan: plan)
    for _ in 0..<epochs { try trainer.runEpoch(on: samples, workers: Workers(2)) }
    return trainer
  }

  @Test(arguments: [
    OptimiserRule.sgd(momentum: 0.9, decay: 1e-4),
    .adam(beta1: 0.9, beta2: 0.999, decay: 0),
  ])
  func `training learns`(rule: OptimiserRule) throws {
    let trainer = try trained(plan(rule), epochs: 6)
    let metrics = try Runner(network).evaluate(trainer.weights, on: samples)
    #expect(metrics.accuracy > 0.97)
    #expect(trainer.history.count == 6)
    #expect(trainer.history[5].crossEntropy < trainer.history[0].crossEntropy / 3)
  }

  @Test
  func `one seed gives the same bits, another gives others`() throws {
    let first = try trained(plan(), epochs: 2)
    let second = try trained(plan(), epochs: 2)
    #expect(first.weights.isIdentical(to: second.weights))
    var other = plan()
    other.seed = 10
    #expect(try !trained(other, epochs: 2).weights.isIdentical(to: first.weights))
  }

  @Test(arguments: [
    OptimiserRule.sgd(momentum: 0.9, decay: 1e-4),
    .adam(beta1: 0.9, beta2: 0.999, decay: 1e-3),
  ])
  func `a resumed run ends at the same bits`(rule: OptimiserRule) throws {
    let uninterrupted = try trained(plan(rule), epochs: 6)
    let half = try trained(plan(rule), epochs: 3)
    let saved = half.checkpoint(
      architecture: PluginReference(name: "mlp"), dataset: PluginReference(name: "digits"))
    var resumed = try Trainer(network, plan: plan(rule))
    try resumed.resume(from: saved)
    #expect(resumed.epoch == 3)
    while !resumed.isFinished { try resumed.runEpoch(on: samples, workers: Workers(2)) }
    #expect(resumed.weights.isIdentical(to: uninterrupted.weights))
    #expect(resumed.history == uninterrupted.history)
  }

  @Test
  func `a gain multiplies the random initial weights, and a run keeps its own`() throws {
    var wide = plan()
    wide.gain = 2
    let (plain, gained) = (try Trainer(network, plan: plan()), try Trainer(network, plan: wide))
    for (one, two) in zip(plain.weights.tensors, gained.weights.tensors) {
      #expect(zip(one.elements, two.elements).allSatisfy { 2 * $0 == $1 })
    }
    let (architecture, dataset) = (PluginReference(name: "mlp"), PluginReference(name: "digits"))
    let saved = gained.checkpoint(architecture: architecture, dataset: dataset)
    #expect(saved.metadata["training"]?.object?["gain"]?.double == 2)
    #expect(plain.record["training"]?.object?["gain"] == nil)
    var resumed = try Trainer(network, plan: plan())
    #expect(throws: TrainingError.otherRun(field: "gain", expected: "1", found: "2.0")) {
      try resumed.resume(from: saved)
    }
    for gain in [0, -1, .nan, .infinity, 1001] {
      wide.gain = gain
      #expect(throws: TrainingError.self) { try Trainer(network, plan: wide) }
    }
  }

  /// As where a run was interrupted after its last epoch, before it was measured.
  @Test
  func `a finished run that is taken up again is written as it was`() throws {
    let (architecture, dataset) = (PluginReference(name: "mlp"), PluginReference(name: "digits"))
    let saved = try trained(plan(), epochs: 6)
      .checkpoint(architecture: architecture, dataset: dataset)
    #expect(saved.metadata["training"]?.object?["steps"]?.integer == 78)
    var resumed = try Trainer(network, plan: plan())
    try resumed.resume(from: saved)
    #expect(resumed.checkpoint(architecture: architecture, dataset: dataset) == saved)
  }

  @Test(arguments: [("completed", 7), ("steps", 77), ("steps", (1 << 53) - 1)])
  func `a state whose counts can't all be right is refused`(field: String, value: Int) throws {
    var saved = try trained(plan(), epochs: 6).checkpoint(
      architecture: PluginReference(name: "mlp"), dataset: PluginReference(name: "digits"))
    var training = try #require(saved.metadata["training"]?.object)
    training[field] = .integer(value)
    saved.metadata["training"] = .object(training)
    if field == "completed" {
      let history = JSONValue.array([JSONValue](repeating: .number(0.5), count: value))
      saved.metadata["history"] = .object(["accuracy": history, "loss": history])
    }
    var resumed = try Trainer(network, plan: plan())
    let error = #expect(throws: TrainingError.self) { try resumed.resume(from: saved) }
    #expect(error?.category == .data && error?.description.contains("\(value)") == true)
  }

  @Test
  func `an epoch that is interrupted changes nothing`() throws {
    struct Stop: Error {}
    var trainer = try trained(plan(), epochs: 1)
    let before = trainer
    var steps = 0
    #expect(throws: Stop.self) {
      try trainer.runEpoch(on: samples) { _ in
        steps += 1
        if steps == 5 { throw Stop() }
      }
    }
    #expect(trainer.epoch == 1)
    #expect(trainer.weights.isIdentical(to: before.weights))
    try trainer.runEpoch(on: samples, workers: Workers(2))
    #expect(trainer.weights.isIdentical(to: try trained(plan(), epochs: 2).weights))
  }

  @Test
  func `a finished run keeps no optimiser's state, an unfinished one does`() throws {
    let reference = PluginReference(name: "mlp")
    let finished = try trained(plan(), epochs: 6).checkpoint(
      architecture: reference, dataset: reference)
    #expect(finished.tensors.map(\.name) == network.parameters.map(\.name))
    let unfinished = try trained(plan(), epochs: 1).checkpoint(
      architecture: reference, dataset: reference)
    #expect(unfinished.tensors.count == 8)
  }

  @Test
  func `another run's checkpoint is refused by the field that differs`() throws {
    let saved = try trained(plan(), epochs: 1).checkpoint(
      architecture: PluginReference(name: "mlp"), dataset: PluginReference(name: "digits"))
    var other = plan()
    other.batch = 64
    var trainer = try Trainer(network, plan: other)
    #expect(throws: TrainingError.otherRun(field: "batch", expected: "64", found: "32")) {
      try trainer.resume(from: saved)
    }
    var stateless = saved
    stateless.tensors.removeAll { $0.name.hasPrefix("optimiser/") }
    var same = try Trainer(network, plan: plan())
    #expect(throws: TrainingError.notResumable) { try same.resume(from: stateless) }
  }

  @Test
  func `a loss that is not finite stops the run`() throws {
    var wild = plan()
    wild.rate = 1e20
    var trainer = try Trainer(network, plan: wild)
    #expect(throws: TrainingError.diverged(epoch: 0)) {
      try trainer.runEpoch(on: samples)
      try trainer.runEpoch(on: samples)
    }
  }

  @Test
  func `SGD steps as PyTorch's do`() throws {
    // Two steps by hand on one weight: v ← 0.9 v + g + d w; w ← w − r v.
    let single = try Network(inputShape: [1], layers: [.dense(outputs: 1, bias: false)])
    var optimiser = Optimiser(.sgd(momentum: 0.9, decay: 0.1), for: single)
    var weights = Weights(zeros: single)
    weights[0] = try Tensor([2], shape: [1, 1])
    var (w, v) = (2.0, 0.0)
    for gradient in [0.5, -0.25] {
      optimiser.gradients[0].elements[0] =
        optimiser.gradients[0].elements[0] * optimiser.carry + Float(gradient)
      optimiser.step(&weights, rate: 0.1, workers: .serial)
      v = 0.9 * v + gradient + 0.1 * w
      w -= 0.1 * v
      #expect(abs(Double(weights[0].elements[0]) - w) < 1e-6)
    }
  }

  @Test
  func `schedules have the published values`() throws {
    #expect(Schedule.paper.factor(epoch: 0, of: 30) == 1)
    #expect(Schedule.paper.factor(epoch: 15, of: 30) == 1)
    #expect(abs(Schedule.paper.factor(epoch: 21, of: 30) - 0.505) < 1e-12)
    #expect(Schedule.paper.factor(epoch: 28, of: 30) == 0.01)
    #expect(Schedule.constant.factor(epoch: 29, of: 30) == 1)
    #expect(abs(Schedule.step(epochs: 10, factor: 0.5).factor(epoch: 25, of: 30) - 0.25) < 1e-12)
    #expect(abs(Schedule.cosine.factor(epoch: 15, of: 30) - 0.5) < 1e-12)
    for text in ["paper", "constant", "cosine", "step:epochs=20,factor=0.9"] {
      #expect(try Schedule(text).description == text)
    }
    for text in ["", "linear", "step:every=3", "step:epochs=0", "paper:epochs=3"] {
      #expect(throws: TrainingError.schedule(text)) { _ = try Schedule(text) }
    }
  }

  @Test
  func `optimisers are read as they are written`() throws {
    #expect(try OptimiserRule("sgd") == .sgd(momentum: 0.9, decay: 1e-4))
    for rule in [
      OptimiserRule.sgd(momentum: 0.5, decay: 0), .adam(beta1: 0.8, beta2: 0.9, decay: 1),
    ] {
      #expect(try OptimiserRule("\(rule)") == rule)
    }
    for text in ["sgd:momentum=1", "sgd:rate=1", "rmsprop", "adam:beta1=-1", "sgd:decay=nan"] {
      #expect(throws: TrainingError.optimiser(text)) { _ = try OptimiserRule(text) }
    }
  }

  @Test
  func `initial weights have the documented spread`() throws {
    let wide = try Network(
      inputShape: [3, 16, 16],
      layers: [
        .convolution(.init(filters: 64, kernel: 5, padding: 2)), .relu, .flatten,
        .dense(outputs: 10, bias: true),
      ])
    let weights = try Weights(randomFor: wide, seed: 4)
    let filters = weights[0].elements.map(Double.init)
    let variance = filters.reduce(0) { $0 + $1 * $1 } / Double(filters.count)
    #expect(abs(variance / (2.0 / (25 * 64)) - 1) < 0.05)
    #expect(weights[1].elements.allSatisfy { $0 == 0 })
    let bound = 1 / Float(64 * 256).squareRoot()
    #expect(weights[2].elements.allSatisfy { abs($0) <= bound })
    #expect((weights[2].elements.max() ?? 0) > 0.99 * bound)
    #expect(try Weights(randomFor: wide, seed: 4).isIdentical(to: weights))
  }
}
