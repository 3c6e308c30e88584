// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFlows
import LCWNetworks
import LCWNumerics
import LCWOperations
import LCWPaths
import Synchronization
import Testing

/// The method `flow` as a program uses it, by way of the registry.
struct FlowMethodTests {
  private let registry: PluginRegistry
  private let samples: SampleSet

  init() throws {
    registry = try PluginRegistry.linked()
    var random = RandomStream(seed: 7)
    samples = try SampleSet(
      name: "random", sampleShape: [5], classes: 3, labels: (0..<60).map { Int32($0 % 3) },
      values: .floats(random.normal([60 * 5]).elements))
  }

  private func network(_ sizes: [Int], bias: Bool = true) throws -> Network {
    var layers: [Layer] = []
    for (index, size) in sizes.dropFirst().enumerated() {
      if index > 0 { layers.append(.relu) }
      layers.append(.dense(outputs: size, bias: bias))
    }
    return try Network(inputShape: [sizes[0]], layers: layers)
  }

  private func networks(_ sizes: [Int], _ count: Int) throws -> [Weights] {
    let network = try network(sizes)
    return try (1...count).map { try Weights(randomFor: network, seed: UInt64($0)) }
  }

  private func learner(_ text: String) throws -> any LearnableMethod {
    try #require(try registry.method(PluginReference(text)) as? any LearnableMethod)
  }

  private func context(
    _ model: Checkpoint? = nil, store: (any ConnectionStore)? = nil,
    progress: @escaping @Sendable (ConnectionProgress) throws -> Void = { _ in }
  ) -> ConnectionContext {
    var context = ConnectionContext(
      samples: samples, seed: 4, workers: Workers(2), store: store, progress: progress)
    if let model {
      context.open = { name in
        guard name == "nu.lcw" else { throw FlowError.needsModel(method: name) }
        return model
      }
    }
    return context
  }

  private static let small = "layers=2,width=1,epochs=5,batch=20,rate=0.01"

  @Test(arguments: TransformationKind.allCases)
  func `a fitted model joins networks that it has not seen`(kind: TransformationKind) throws {
    let all = try networks([5, 40, 3], 6)
    let model = try learner("flow:kind=\(kind.rawValue),\(Self.small)")
      .fit(to: Array(all[0..<3]), heldOut: [all[3]], in: context())
    #expect(model.kind == .connectionModel)
    let figures = try #require(model.metadata["histories"]?.object)
    #expect(figures["dense1/train"]?.array?.count == 6)
    #expect(figures["dense1/held-out"]?.array?.count == 6)
    let (a, b) = (all[4], all[5])
    let path = try registry.connection(MethodExpression("flow:model=nu.lcw"))
      .path(from: a, to: b, in: context(model))
    #expect(try path.weights(at: 0).isIdentical(to: a))
    #expect(try path.weights(at: 1).isIdentical(to: b))
    // Continuous at the ends as between: halving the spacing halves the largest step.
    func largestStep(_ steps: Int) throws -> Double {
      let points = try (0...steps).map { try path.weights(at: Double($0) / Double(steps)) }
      return zip(points, points.dropFirst()).map { $0.distance(to: $1) }.max() ?? 0
    }
    let ratio = try largestStep(32) / largestStep(64)
    #expect((1.8...2.2).contains(ratio))
    #expect(try path.weights(at: 1e-6).distance(to: a) < 1e-4)
    // The middle is the formula's.
    let population = try HiddenPopulation(of: a.network, hidden: 0)
    let nu = try TransformationModel(reading: model, fittedBy: "flow")
      .transformation(ofUnitsIn: 0, of: a.network).transformation
    let (first, second) = (
      try nu.forward(population.neurons(of: a)).rows, try nu.forward(population.neurons(of: b)).rows
    )
    let half = 0.5.squareRoot()
    let expected = try nu.inverse(
      Tensor.combination([first, second], coefficients: [half, half], shape: first.shape))
    let middle = population.neurons(of: try path.weights(at: 0.5))
    #expect(middle.squaredDistance(to: expected).squareRoot() < 1e-4 * norm(expected))
  }

  @Test(arguments: TransformationKind.allCases)
  func `with adjustment the first layer moves as without`(kind: TransformationKind) throws {
    let all = try networks([5, 12, 3], 5)
    let model = try learner("flow:kind=\(kind.rawValue),\(Self.small)").fit(
      to: Array(all[0..<3]), heldOut: [], in: context())
    func path(_ expression: String) throws -> any ConnectionPath {
      try registry.connection(MethodExpression(expression))
        .path(from: all[3], to: all[4], in: context(model))
    }
    let (plain, adjusted) = try (path("flow:model=nu.lcw"), path("flow:model=nu.lcw+wa"))
    for t in [0.25, 0.5, 0.75] {
      let (expected, found) = try (plain.weights(at: t), adjusted.weights(at: t))
      for index in all[3].network.parameterIndices(ofLayer: 0) {
        let distance = found[index].squaredDistance(to: expected[index]).squareRoot()
        #expect(distance < 1e-6 * norm(expected[index]))
        #expect(norm(expected[index]) > 0)
      }
      #expect(try plain.weights(at: t).distance(to: adjusted.weights(at: t)) > 1e-3)
    }
  }

  @Test
  func `a fit that would need more memory than there is does not begin`() throws {
    let all = try networks([3000, 4, 3], 3)
    for kind in TransformationKind.allCases {
      let error = #expect(throws: FlowError.self) {
        try learner("flow:kind=\(kind.rawValue),width=64,depth=8,layers=30,bound=1")
          .fit(to: all, heldOut: [], in: context())
      }
      guard case .tooLarge = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
  }

  @Test
  func `a fit that never gets better says so in the model`() throws {
    let all = try networks([5, 12, 10, 3], 4)
    let model = try learner("flow:layers=2,width=1,epochs=3,batch=20,rate=0.9,warm-up=0,patience=2")
      .fit(to: Array(all[0..<3]), heldOut: [all[3]], in: context())
    let warnings = model.metadata["warnings"]?.array?.compactMap(\.string) ?? []
    #expect(warnings.count == 2)
    #expect(warnings.allSatisfy { $0.contains("no epoch was better than the start") })
    #expect(warnings.first?.hasPrefix("dense1") == true)
    let good = try learner("flow:\(Self.small),warm-up=5").fit(
      to: all, heldOut: [], in: context())
    #expect(good.metadata["warnings"] == nil)
  }

  @Test
  func `a new transformation gives the arc around the samples' mean`() throws {
    let all = try networks([5, 40, 3], 2)
    let model = try learner("flow:epochs=0,kind=iaf").fit(to: all, heldOut: [], in: context())
    let path = try registry.connection(MethodExpression("flow:model=nu.lcw"))
      .path(from: all[0], to: all[1], in: context(model))
    let arc = try ExplicitPath(
      network: all[0].network,
      stages: [try UnitCurve.arc.stage(from: all[0], to: all[1], label: "arc")])
    for t in [0.2, 0.5, 0.9] {
      #expect(try path.weights(at: t).distance(to: arc.weights(at: t)) < 1e-4)
    }
  }

  @Test(arguments: ["wa", "bfly"])
  func `deeper networks take a modifier`(modifier: String) throws {
    let all = try networks([5, 12, 10, 3], 5)
    let model = try learner("flow:\(Self.small)").fit(
      to: Array(all[0..<3]), heldOut: [], in: context())
    #expect(model.metadata["designs"]?.object?.keys.sorted() == ["dense1", "dense2"])
    let path = try registry.connection(MethodExpression("flow:model=nu.lcw+\(modifier)"))
      .path(from: all[3], to: all[4], in: context(model))
    #expect(try path.weights(at: 0).isIdentical(to: all[3]))
    #expect(try path.weights(at: path.domain.upperBound).isIdentical(to: all[4]))
    #expect(try path.weights(at: 1.5).isFinite)
    #expect(throws: FlowError.needsModifier(method: "flow", layers: 3)) {
      try registry.connection(MethodExpression("flow:model=nu.lcw"))
        .path(from: all[3], to: all[4], in: context(model))
    }
    let one = try learner("flow:\(Self.small),layer=2").fit(to: all, heldOut: [], in: context())
    #expect(throws: FlowError.noTransformation(layer: "dense1", known: ["dense2"])) {
      try registry.connection(MethodExpression("flow:model=nu.lcw+wa"))
        .path(from: all[3], to: all[4], in: context(one))
    }
  }

  @Test
  func `an interrupted fit of several layers goes on to the same bits`() throws {
    let all = try networks([5, 12, 10, 3], 3)
    let learner = try learner("flow:\(Self.small)")
    let whole = try learner.fit(to: all, heldOut: [], in: context())
    // Before the first layer is done, and after.
    for stop in [10, 20] {
      let store = MemoryStore()
      let count = Mutex(0)
      struct Stop: Error {}
      #expect(throws: Stop.self) {
        try learner.fit(
          to: all, heldOut: [],
          in: context(store: store) { _ in
            if count.withLock({
              $0 += 1
              return $0
            }) == stop {
              throw Stop()
            }
          })
      }
      #expect(try store.restore() != nil)
      let resumed = try learner.fit(to: all, heldOut: [], in: context(store: store))
      #expect(resumed == whole)
      #expect(throws: FlowError.self) {
        try learner.fit(to: Array(all.reversed()), heldOut: [], in: context(store: store))
      }
    }
  }

  @Test
  func `an epoch that is done is kept though the fit is interrupted then`() throws {
    let all = try networks([5, 12, 3], 3)
    let learner = try learner("flow:\(Self.small)")
    let store = MemoryStore()
    let milestones = Mutex(0)
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      try learner.fit(
        to: all, heldOut: [],
        in: context(store: store) { progress in
          // The first is that of the start.
          let count = milestones.withLock {
            $0 += progress.isMilestone ? 1 : 0
            return $0
          }
          if progress.isMilestone, count == 2 { throw Stop() }
        })
    }
    let kept = try store.restore()?.metadata["history"]?.object?["train"]?.array
    #expect(kept?.count == 2)
    #expect(
      try learner.fit(to: all, heldOut: [], in: context(store: store))
        == learner.fit(to: all, heldOut: [], in: context()))
  }

  /// The state that a fit keeps at its n-th milestone, where it is interrupted, with parameters that
  /// are no numbers, and no epoch better than the start.
  private func poisonedState(
    of learner: any LearnableMethod, to all: [Weights], atMilestone last: Int
  ) throws -> MemoryStore {
    let store = MemoryStore()
    let milestones = Mutex(0)
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      try learner.fit(
        to: all, heldOut: [],
        in: context(store: store) { progress in
          guard progress.isMilestone else { return }
          let isLast = milestones.withLock {
            $0 += 1
            return $0 == last
          }
          if isLast { throw Stop() }
        })
    }
    var state = try #require(try store.restore())
    let place = try #require(state.tensors.firstIndex { $0.name == "current/0" })
    let shape = state.tensors[place].tensor.shape
    state.tensors[place] = NamedTensor(
      "current/0", StoredTensor(Tensor(repeating: .nan, shape: shape)))
    state.metadata["best"] = 0
    try store.keep(state)
    return store
  }

  @Test
  func `a fit that diverges leaves no state that would diverge again`() throws {
    let all = try networks([5, 12, 3], 3)
    let learner = try learner("flow:\(Self.small),patience=0")
    let store = try poisonedState(of: learner, to: all, atMilestone: 2)
    let error = #expect(throws: FlowError.self) {
      try learner.fit(to: all, heldOut: [], in: context(store: store))
    }
    #expect(error?.description.contains("no longer finite") == true)
    #expect(try store.restore() == nil)
  }

  @Test
  func `a layer that diverges does not take those before it along`() throws {
    let all = try networks([5, 12, 10, 3], 3)
    let learner = try learner("flow:\(Self.small),patience=0,warm-up=5")
    let whole = try learner.fit(to: all, heldOut: [], in: context())
    // The start and five epochs of the first layer, then the start and an epoch of the second.
    let store = try poisonedState(of: learner, to: all, atMilestone: 8)
    let model = try learner.fit(to: all, heldOut: [], in: context(store: store))
    let warnings = model.metadata["warnings"]?.array?.compactMap(\.string) ?? []
    #expect(warnings.count == 1 && warnings[0].hasPrefix("dense2: "), "\(warnings)")
    #expect(warnings.first?.hasSuffix("the start is kept") == true)
    let first = { (model: Checkpoint) in model.tensors.filter { $0.name.contains("dense1") } }
    #expect(!first(model).isEmpty && first(model) == first(whole))
  }

  @Test
  func `a fit that hardly began is said to have`() throws {
    let all = try networks([5, 12, 3], 3)
    func warnings(_ text: String) throws -> [String] {
      try learner(text).fit(to: all, heldOut: [], in: context())
        .metadata["warnings"]?.array?.compactMap(\.string) ?? []
    }
    // One step an epoch, all of them while the rate rises.
    let short = try warnings("flow:epochs=3,patience=0")
    #expect(short.first?.contains("3 of the 50 steps") == true, "\(short)")
    #expect(try warnings("flow:epochs=3,patience=0,warm-up=2").isEmpty)
    let none = try warnings("flow:epochs=3,layers=0")
    #expect(none.first?.contains("no layers") == true, "\(none)")
  }

  @Test
  func `what is for a fit does not stand beside a model`() throws {
    for text in ["flow:model=nu.lcw,kind=iaf", "flow:layer=1,model=nu.lcw"] {
      let error = #expect(throws: PluginError.self) { try learner(text) }
      #expect(error?.description.contains("is fitted") == true)
    }
    #expect(throws: PluginError.self) { try learner("bijection:model=nu.lcw,start=mu.lcw") }
  }

  @Test
  func `what is wrong is said`() throws {
    let all = try networks([5, 8, 3], 2)
    func error(_ model: Checkpoint?, _ pair: [Weights]) -> String {
      let error = #expect(throws: (any Error).self) {
        _ = try registry.connection(MethodExpression("flow:model=nu.lcw"))
          .path(from: pair[0], to: pair[1], in: context(model))
      }
      return "\(error.map { "\($0)" } ?? "")"
    }
    let model = try learner("flow:\(Self.small)").fit(to: all, heldOut: [], in: context())
    #expect(error(nil, all).contains("has to open its model's file"))
    #expect(
      error(model, try networks([5, 9, 3], 2)).contains("was fitted for networks ‘5: dense 8"))
    #expect(error(Checkpoint(), all).contains("holds a checkpoint"))
    var other = model
    other.metadata["fitted-by"] = "bijection"
    #expect(error(other, all).contains("holds one of bijection"))
    var damaged = model
    damaged.tensors.removeLast()
    #expect(error(damaged, all).contains("there is no tensor"))
    damaged = model
    damaged.metadata["designs"] = .object(["dense1": .object([:])])
    #expect(error(damaged, all).contains("design/kind"))
    #expect(throws: FlowError.needsModel(method: "flow")) {
      _ = try registry.connection(MethodExpression("flow")).path(
        from: all[0], to: all[1], in: context())
    }
    #expect(throws: PluginError.self) { try learner("flow:layers=65") }
    #expect(throws: FlowError.self) {
      try learner("flow:layer=2").fit(to: all, heldOut: [], in: context())
    }
    #expect(throws: FlowError.self) { try learner("flow").fit(to: [], heldOut: [], in: context()) }
    #expect(throws: ConnectionError.self) {
      try learner("flow").fit(to: try networks([5, 3], 2), heldOut: [], in: context())
    }
  }
}

/// A store in memory.
final class MemoryStore: ConnectionStore {
  private let state = Mutex<Checkpoint?>(nil)
  func restore() throws -> Checkpoint? { state.withLock { $0 } }
  func keep(_ checkpoint: Checkpoint) throws { state.withLock { $0 = checkpoint } }
  func discard() { state.withLock { $0 = nil } }
}
