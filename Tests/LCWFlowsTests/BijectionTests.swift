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

/// Fitting to the loss between networks, on small networks that are trained here.
struct BijectionTests {
  private let network: Network
  private let samples: SampleSet
  private let trained: [Weights]
  private let registry: PluginRegistry

  init() throws {
    registry = try PluginRegistry.linked()
    network = try Network(
      inputShape: [6],
      layers: [.dense(outputs: 60, bias: true), .relu, .dense(outputs: 3, bias: true)])
    var random = RandomStream(seed: 7)
    let inputs = random.normal([600, 6])
    // Labels that a network can learn: the largest of the first three values.
    let labels = (0..<600).map { row -> Int32 in
      let values = Array(inputs.row(row).prefix(3))
      return Int32(values.indices.max { values[$0] < values[$1] } ?? 0)
    }
    samples = try SampleSet(
      name: "largest", sampleShape: [6], classes: 3, labels: labels,
      values: .floats(inputs.elements))
    var networks: [Weights] = []
    for seed in 1...8 {
      var trainer = try Trainer(
        network,
        plan: TrainingPlan(epochs: 15, batch: 16, rate: 0.05, seed: UInt64(seed)))
      while !trainer.isFinished { try trainer.runEpoch(on: samples) }
      networks.append(trainer.weights)
    }
    trained = networks
  }

  private func learner(_ text: String) throws -> any LearnableMethod {
    try #require(try registry.method(PluginReference(text)) as? any LearnableMethod)
  }

  private func context(
    _ models: [String: Checkpoint] = [:], store: (any ConnectionStore)? = nil,
    progress: @escaping @Sendable (ConnectionProgress) throws -> Void = { _ in }
  ) -> ConnectionContext {
    var context = ConnectionContext(
      samples: samples, seed: 4, workers: Workers(2), store: store, progress: progress)
    context.open = { name in
      guard let model = models[name] else { throw FlowError.needsModel(method: name) }
      return model
    }
    return context
  }

  private static let small = "layers=4,width=2,epochs=4,steps=50,batch=64,rate=0.005"

  @Test(arguments: [
    TransformationDesign(kind: .realnvp, dimension: 10, layers: 3, hidden: 12),
    TransformationDesign(
      kind: .iaf, dimension: 10, layers: 2, hidden: 14, normalisation: .actnorm),
    TransformationDesign(
      kind: .realnvp, dimension: 10, layers: 3, hidden: 12, axes: 4, incoming: 6),
  ])
  func `the gradient of the loss is that of differences`(design: TransformationDesign) throws {
    let population = try HiddenPopulation(of: network, hidden: 0)
    let neurons = trained.map { population.neurons(of: $0) }
    var random = RandomStream(seed: 9)
    // Not at the start, where scales and shifts are zero and half of the gradients with them.
    let nu = try randomised(
      Transformation(design, standardisedOn: neurons, seed: 1), strength: 0.5, &random)
    let points: [(time: Double, samples: [Int])] = [
      (0.3, Array(0..<300)), (0.65, Array(100..<500)),
    ]
    func loss(_ nu: Transformation) throws -> (Double, [Tensor]) {
      var gradients = nu.zeroGradients
      let loss = try BijectionFit.lossGradient(
        of: nu, between: (trained[0], trained[1]), at: points, samples: samples,
        into: &gradients, workers: Workers(2))
      return (loss, gradients)
    }
    let (_, gradients) = try loss(nu)
    // One coordinate's gradient is too small for single precision: a direction's is not. The loss
    // has kinks where a unit begins to act, so that the step stays short.
    for index in nu.parameters.indices {
      let gradient = gradients[index]
      let size = norm(gradient)
      #expect(size > 0, "parameter \(index) has no gradient")
      let step = 4e-3
      func moved(_ factor: Double) throws -> Double {
        var other = nu
        for place in 0..<gradient.count {
          other.parameters[index].elements[place] += Float(
            factor * Double(gradient.elements[place]) / size)
        }
        return try loss(other).0
      }
      let difference = try (moved(step) - moved(-step)) / (2 * step)
      #expect(
        abs(difference - size) < 0.02 * size + 1e-4,
        "parameter \(index): \(size), by differences \(difference)")
    }
  }

  @Test
  func `dropout has no part in a fit`() throws {
    let dropping = try Network(
      inputShape: [6],
      layers: [
        .dense(outputs: 60, bias: true), .relu, .dropout(rate: 0.9),
        .dense(outputs: 3, bias: true),
      ])
    let same = try trained.prefix(2).map { try Weights(network: dropping, tensors: $0.tensors) }
    let neurons = try trained.map { try HiddenPopulation(of: network, hidden: 0).neurons(of: $0) }
    let nu = try Transformation(
      TransformationDesign(kind: .realnvp, dimension: 10, layers: 2, hidden: 8),
      standardisedOn: neurons, seed: 1)
    func gradient(_ pair: [Weights]) throws -> (Double, [Tensor]) {
      var gradients = nu.zeroGradients
      let loss = try BijectionFit.lossGradient(
        of: nu, between: (pair[0], pair[1]), at: [(0.5, Array(0..<200))], samples: samples,
        into: &gradients, workers: Workers(2))
      return (loss, gradients)
    }
    let (plain, other) = try (gradient(Array(trained.prefix(2))), gradient(same))
    #expect(plain.0 == other.0)
    #expect(plain.1 == other.1)
  }

  private func meanLoss(_ path: any ConnectionPath) throws -> Double {
    let times = (0...10).map { Double($0) / 10 }
    return try PathEvaluator().evaluate(path, at: times, on: samples)
      .reduce(0) { $0 + $1.crossEntropy } / 11
  }

  @Test(arguments: TransformationKind.allCases)
  func `a fit lowers the loss between networks that it has not seen`(
    kind: TransformationKind
  ) throws {
    let lines = Mutex<[String]>([])
    let model = try learner("bijection:kind=\(kind.rawValue),\(Self.small)").fit(
      to: Array(trained[0..<6]), heldOut: [],
      in: context { progress in
        if progress.isMilestone { lines.withLock { $0.append(progress.activity) } }
      })
    #expect(lines.withLock(\.count) == 5)
    let path = try registry.connection(MethodExpression("bijection:model=nu.lcw"))
      .path(from: trained[6], to: trained[7], in: context(["nu.lcw": model]))
    #expect(try path.weights(at: 0).isIdentical(to: trained[6]))
    #expect(try path.weights(at: 1).isIdentical(to: trained[7]))
    let arc = try ExplicitPath(
      network: network,
      stages: [try UnitCurve.arc.stage(from: trained[6], to: trained[7], label: "arc")])
    let (own, its) = (try meanLoss(path), try meanLoss(arc))
    #expect(own < 0.97 * its, "\(own), on the arc \(its)")
  }

  @Test
  func `axes and pairing are the fit's, and a fit is the same again`() throws {
    func fit(_ options: String) throws -> Checkpoint {
      try learner("bijection:layers=2,epochs=1,steps=10,batch=64,\(options)").fit(
        to: Array(trained[0..<3]), heldOut: [], in: context())
    }
    let (random, fixed, axes) = (
      try fit("pairing=random"), try fit("pairing=fixed"), try fit("axes=4")
    )
    #expect(try random.tensors == fit("rate=6e-4").tensors)
    #expect(random.tensors != fixed.tensors)
    let plan = try #require(fixed.metadata["plan"]?.object)
    #expect(plan["pairing"]?.string == "fixed")
    let design = try #require(axes.metadata["designs"]?.object?["dense1"]?.object)
    #expect(design["axes"]?.integer == 4 && design["incoming"]?.integer == 6)
    #expect(design["hidden"]?.integer == 4)
    // More than there are is all of them.
    let all = try fit("axes=100")
    #expect(all.metadata["designs"]?.object?["dense1"]?.object?["axes"]?.integer == 6)
    let path = try registry.connection(MethodExpression("bijection:model=nu.lcw"))
      .path(from: trained[6], to: trained[7], in: context(["nu.lcw": axes]))
    #expect(try path.weights(at: 0).isIdentical(to: trained[6]))
    #expect(try path.weights(at: 1).isIdentical(to: trained[7]))
    #expect(throws: (any Error).self) {
      try learner("bijection:start=nu.lcw,axes=4").fit(
        to: trained, heldOut: [], in: context(["nu.lcw": axes]))
    }
  }

  @Test(arguments: ["pairing=fixed", "axes=4"])
  func `an interrupted fit goes on to the same bits`(option: String) throws {
    let learner = try learner("bijection:\(Self.small),\(option)")
    let heldOut = Array(trained[3...4])
    let whole = try learner.fit(to: Array(trained[0..<3]), heldOut: heldOut, in: context())
    let store = MemoryStore()
    let count = Mutex(0)
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      try learner.fit(
        to: Array(trained[0..<3]), heldOut: heldOut,
        in: context(store: store) { _ in
          if count.withLock({
            $0 += 1
            return $0
          }) == 130 {
            throw Stop()
          }
        })
    }
    let resumed = try learner.fit(
      to: Array(trained[0..<3]), heldOut: heldOut, in: context(store: store))
    #expect(resumed == whole)
    #expect(throws: FlowError.self) {
      try learner.fit(to: Array(trained[1..<4]), heldOut: heldOut, in: context(store: store))
    }
  }

  @Test
  func `a fit begins with the transformation of another`() throws {
    let flow = try learner("flow:layers=2,width=0.5,epochs=3,kind=iaf").fit(
      to: trained, heldOut: [], in: context())
    let same = try learner("bijection:epochs=0,start=flow.lcw").fit(
      to: trained, heldOut: [], in: context(["flow.lcw": flow]))
    #expect(same.metadata["designs"] == flow.metadata["designs"])
    #expect(same.tensors == flow.tensors)
    #expect(same.metadata["fitted-by"] == "bijection")
  }

  @Test
  func `what is wrong is said`() throws {
    let bijection = try learner("bijection:\(Self.small)")
    #expect(throws: FlowError.tooFewNetworks(needed: 2, found: 1)) {
      try bijection.fit(to: [trained[0]], heldOut: [], in: context())
    }
    var bare = context()
    bare.samples = nil
    #expect(throws: ConnectionError.needsSamples(method: "bijection")) {
      try bijection.fit(to: trained, heldOut: [], in: bare)
    }
    let deep = try Network(
      inputShape: [6], layers: [4, 4, 3].map { .dense(outputs: $0, bias: true) })
    let networks = try [1, 2].map { try Weights(randomFor: deep, seed: $0) }
    #expect(throws: FlowError.deepNetwork(method: "bijection", layers: 3)) {
      try bijection.fit(to: networks, heldOut: [], in: context())
    }
    #expect(throws: FlowError.needsModel(method: "absent.lcw")) {
      try learner("bijection:start=absent.lcw").fit(to: trained, heldOut: [], in: context())
    }
    let flow = try learner("flow:layers=0,epochs=0").fit(
      to: trained, heldOut: [], in: context())
    #expect(throws: FlowError.otherModel(method: "bijection", found: "one of flow")) {
      try registry.connection(MethodExpression("bijection:model=nu.lcw"))
        .path(from: trained[0], to: trained[1], in: context(["nu.lcw": flow]))
    }
  }
}
