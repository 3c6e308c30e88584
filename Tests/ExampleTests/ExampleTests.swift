// SPDX-License-Identifier: Apache-2.0
import LCWConformance
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import LCWPaths
import Testing

/// The worked examples of Docs/Examples.
struct ExampleTests {
  @Test(arguments: ["git-rebasin", "git-rebasin:sweeps=1"])
  func `the method conforms`(method: String) throws { try Conformance.require(method: method) }

  @Test(arguments: ["spirals", "spirals:arms=2,count=40,noise=0.1,seed=9,turns=2"])
  func `the data set conforms`(dataset: String) throws {
    try Conformance.require(dataset: dataset)
  }

  private func network(_ sizes: [Int]) throws -> Network {
    let layers = sizes.dropFirst().flatMap { [Layer.dense(outputs: $0, bias: true), .relu] }
    return try Network(inputShape: [sizes[0]], layers: layers.dropLast())
  }

  private func path(_ method: String, _ a: Weights, _ b: Weights) throws -> any ConnectionPath {
    try PluginRegistry.linked().connection(MethodExpression(method))
      .path(from: a, to: b, in: ConnectionContext(seed: 3, workers: Workers(2)))
  }

  @Test
  func `a deep network meets its own units in other orders, all layers at once`() throws {
    let network = try network([6, 20, 16, 12, 4])
    let a = try Weights(randomFor: network, seed: 1)
    var random = RandomStream(seed: 2)
    var b = a
    for hidden in 0..<3 {
      let population = try HiddenPopulation(of: network, hidden: hidden)
      b = population.reordered(b, by: random.permutation(of: population.count))
    }
    #expect(a.distance(to: b) > 1)
    let matched = try path("git-rebasin", a, b)
    #expect(try matched.weights(at: 1).isIdentical(to: a))
    #expect(try matched.weights(at: matched.domain.upperBound).isIdentical(to: b))
  }

  @Test(arguments: [4, 5, 6])
  func `no other order of one layer brings the networks nearer`(seed: UInt64) throws {
    let network = try network([4, 5, 4, 3])
    let a = try Weights(randomFor: network, seed: seed)
    let b = try Weights(randomFor: network, seed: seed + 10)
    let matched = try path("git-rebasin", a, b).weights(at: 1)
    let distance = a.distance(to: matched)
    for hidden in 0..<2 {
      let population = try HiddenPopulation(of: network, hidden: hidden)
      for order in permutations(of: population.count) {
        let other = a.distance(to: population.reordered(matched, by: order))
        #expect(other > distance - 1e-6)
      }
    }
    // Layer by layer in their order, as optimal transport does it, can be no nearer than a little.
    let transport = try a.distance(to: path("ot", a, b).weights(at: 1))
    #expect(distance < a.distance(to: b) && distance < transport * 1.2)
  }

  private func permutations(of count: Int) -> [[Int]] {
    guard count > 0 else { return [[]] }
    return permutations(of: count - 1).flatMap { rest in
      (0...rest.count).map { position in
        var order = rest
        order.insert(count - 1, at: position)
        return order
      }
    }
  }

  @Test
  func `with one hidden layer it is optimal transport`() throws {
    let network = try network([6, 30, 4])
    let a = try Weights(randomFor: network, seed: 1)
    let b = try Weights(randomFor: network, seed: 2)
    let (matched, transport) = (try path("git-rebasin", a, b), try path("ot", a, b))
    for t in [0.5, 1, 2.5, 4] {
      #expect(try matched.weights(at: t).isIdentical(to: transport.weights(at: t)))
    }
  }

  @Test
  func `spirals can be learned, but not by a straight line`() throws {
    let dataset = try PluginRegistry.linked().dataset(PluginReference("spirals"))
    let locations = DataLocations(folders: [])
    let (train, test) = (
      try dataset.samples(.train, in: locations), try dataset.samples(.test, in: locations)
    )
    func accuracy(_ sizes: [Int]) throws -> Double {
      let plan = TrainingPlan(epochs: 60, batch: 30, rate: 0.1)
      var trainer = try Trainer(network(sizes), plan: plan)
      while !trainer.isFinished { try trainer.runEpoch(on: train, workers: .serial) }
      return try Runner(trainer.weights.network)
        .evaluate(trainer.weights, on: test, workers: .serial).accuracy
    }
    #expect(try accuracy([2, 50, 3]) > 0.9)
    #expect(try accuracy([2, 3]) < 0.7)
  }
}
