// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWPaths
import Synchronization
import Testing

struct GaripovTests {
  private let network: Network
  private let samples: SampleSet
  private let a: Weights
  private let b: Weights

  init() throws {
    network = try denseNetwork([6, 16, 3])
    // Labels that a network can learn: the largest of the first three values.
    let inputs = try randomSamples(count: 600, shape: [6], classes: 3).block(0..<600)
    let labels = (0..<600).map { row -> Int32 in
      let values = Array(inputs.row(row).prefix(3))
      return Int32(values.indices.max { values[$0] < values[$1] } ?? 0)
    }
    samples = try SampleSet(
      name: "largest", sampleShape: [6], classes: 3, labels: labels,
      values: .floats(inputs.elements))
    var trained: [Weights] = []
    for seed in [1, 2] as [UInt64] {
      var trainer = try Trainer(
        network, plan: TrainingPlan(epochs: 20, batch: 16, rate: 0.05, seed: seed))
      while !trainer.isFinished { try trainer.runEpoch(on: samples) }
      trained.append(trainer.weights)
    }
    (a, b) = (trained[0], trained[1])
  }

  private func connect(
    _ method: String, store: (any ConnectionStore)? = nil,
    progress: @escaping @Sendable (ConnectionProgress) throws -> Void = { _ in }
  ) throws -> any ConnectionPath {
    try PluginRegistry.linked().connection(MethodExpression(method)).path(
      from: a, to: b,
      in: ConnectionContext(
        samples: samples, seed: 3, workers: Workers(1), store: store, progress: progress))
  }

  private func worstLoss(_ path: any ConnectionPath) throws -> Double {
    let times = (0...20).map { Double($0) / 20 }
    return try PathEvaluator().evaluate(path, at: times, on: samples).map(\.crossEntropy).max() ?? 0
  }

  @Test(arguments: ["points=3", "points=5", "points=3,curve=bezier", "points=4,curve=bezier"])
  func `a trained curve is better than the segment, and keeps its ends`(options: String) throws {
    let curve = try connect("garipov:epochs=30,rate=0.05,batch=16,\(options)")
    #expect(try curve.weights(at: 0).isIdentical(to: a))
    #expect(try curve.weights(at: 1).isIdentical(to: b))
    #expect(try worstLoss(curve) < 0.6 * worstLoss(path("linear", a, b)))
    let plain = (curve as? ExplicitPath)?.stages[0].motions.allSatisfy { !$0.isOpaque }
    #expect(plain == true)
  }

  @Test func `an interrupted training goes on to the same bits`() throws {
    let method = "garipov:epochs=6,batch=16"
    let whole = try connect(method)
    let store = MemoryStore()
    struct Stop: Error {}
    let steps = Mutex(0)
    #expect(throws: Stop.self) {
      try connect(method, store: store) { _ in
        // In the middle of the fourth epoch of 38 steps.
        if steps.withLock({
          $0 += 1; return $0
        }) == 130 {
          throw Stop()
        }
      }
    }
    let shares = Mutex<[Double]>([])
    let resumed = try connect(method, store: store) { progress in
      shares.withLock { $0.append(progress.share) }
    }
    #expect(shares.withLock(\.count) == 3 * 38)
    #expect(shares.withLock { $0.last } == 1)
    for t in [0.25, 0.5, 0.8] {
      #expect(try resumed.weights(at: t).isIdentical(to: whole.weights(at: t)))
    }
    let error = #expect(throws: TrainingError.self) {
      try connect("garipov:epochs=7,batch=16", store: store)
    }
    #expect(error?.description.contains("epochs") == true)
    // The same networks the other way round are another computation.
    let swapped = #expect(throws: TrainingError.self) {
      try PluginRegistry.linked().connection(MethodExpression(method)).path(
        from: b, to: a,
        in: ConnectionContext(samples: samples, seed: 3, workers: Workers(1), store: store))
    }
    #expect(swapped?.description.contains("end") == true)
    #expect(throws: TrainingError.self) {
      try PluginRegistry.linked().connection(MethodExpression(method)).path(
        from: a, to: b,
        in: ConnectionContext(
          samples: samples.prefix(500), seed: 3, workers: Workers(1), store: store))
    }
  }

  @Test func `what is wrong is said`() throws {
    #expect(throws: PluginError.self) { try connect("garipov:points=2") }
    #expect(throws: PluginError.self) { try connect("garipov:rate=0") }
    #expect(throws: ConnectionError.needsSamples(method: "garipov")) { try path("garipov", a, b) }
    // A state that would diverge again is not left in the way of a smaller rate.
    let store = MemoryStore()
    #expect(throws: ConnectionError.self) {
      try connect("garipov:rate=100,epochs=20", store: store)
    }
    #expect(try store.restore() == nil)
    #expect(throws: ConnectionError.self) { try connect("garipov+wa") }
  }

  private final class MemoryStore: ConnectionStore {
    private let state = Mutex<Checkpoint?>(nil)
    func restore() throws -> Checkpoint? { state.withLock { $0 } }
    func keep(_ checkpoint: Checkpoint) throws { state.withLock { $0 = checkpoint } }
    func discard() { state.withLock { $0 = nil } }
  }
}
