// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWFlows
import LCWNetworks
import LCWNumerics
import LCWOperations
import LCWPaths
import Testing

/// A fit ends with a model that joins its networks, or with an error.
struct UsableModelTests {
  private let registry: PluginRegistry
  private let samples: SampleSet

  init() throws {
    registry = try PluginRegistry.linked()
    var random = RandomStream(seed: 7)
    samples = try SampleSet(
      name: "random", sampleShape: [5], classes: 3, labels: (0..<60).map { Int32($0 % 3) },
      values: .floats(random.normal([60 * 5]).elements))
  }

  private func networks(scale: Float, offset: Float = 0) throws -> [Weights] {
    let network = try Network(
      inputShape: [5],
      layers: [.dense(outputs: 30, bias: true), .relu, .dense(outputs: 3, bias: true)])
    return try (1...3).map { seed in
      var weights = try Weights(randomFor: network, seed: UInt64(seed))
      for index in network.parameters.indices {
        for place in weights[index].elements.indices {
          weights[index].elements[place] = weights[index].elements[place] * scale + offset
        }
      }
      return weights
    }
  }

  private func context(_ model: Checkpoint? = nil) -> ConnectionContext {
    var context = ConnectionContext(samples: samples, seed: 4, workers: Workers(2))
    if let model { context.open = { _ in model } }
    return context
  }

  @Test(
    arguments: ["flow:kind=realnvp", "flow:kind=iaf", "bijection:kind=realnvp,steps=3,batch=20"],
    [
      (Float(1e-37), Float(0)), (1e-30, 0), (1e-15, 0), (1, 0), (1e9, 0), (1e18, 0), (1e36, 0),
      (1, 1e4), (1, 1e6),
    ])
  func `a fit is usable or fails, whatever the scale`(
    method: String, numbers: (scale: Float, offset: Float)
  ) throws {
    let networks = try networks(scale: numbers.scale, offset: numbers.offset)
    let learner = try #require(
      try registry.method(PluginReference("\(method),layers=2,epochs=3"))
        as? any LearnableMethod)
    let model: Checkpoint
    do {
      model = try learner.fit(to: Array(networks.prefix(2)), heldOut: [networks[2]], in: context())
    } catch let error as FlowError {
      #expect(error.category == .data || error.category == .failure)
      return
    }
    let name = method.prefix { $0 != ":" }
    let connection = try registry.connection(MethodExpression("\(name):model=nu.lcw"))
    for (a, b) in [(networks[0], networks[1]), (networks[1], networks[2])] {
      let path = try connection.path(from: a, to: b, in: context(model))
      #expect(try path.weights(at: 0.5).isFinite)
    }
  }

  /// An epoch whose transformation can't be undone counts for none, and the best before is kept.
  @Test func `rates at which a transformation breaks end the fit`() throws {
    let networks = try networks(scale: 1)
    for rate in ["0.3", "1"] {
      let learner = try #require(
        try registry.method(
          PluginReference("flow:layers=4,bound=16,epochs=30,warm-up=0,batch=10,rate=\(rate)"))
          as? any LearnableMethod)
      do {
        let model = try learner.fit(to: Array(networks.prefix(2)), heldOut: [], in: context())
        let path = try registry.connection(MethodExpression("flow:model=nu.lcw"))
          .path(from: networks[0], to: networks[1], in: context(model))
        #expect(try path.weights(at: 0.5).isFinite)
      } catch let error as FlowError {
        #expect(error.category == .data || error.category == .failure)
      }
    }
  }
}
