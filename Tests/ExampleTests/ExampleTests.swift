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
  @Test(arguments: ["ranks", "ranks:incoming=true"])
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
  func `a deep network meets its own units in other orders`() throws {
    let network = try network([6, 20, 16, 12, 4])
    let a = try Weights(randomFor: network, seed: 1)
    var random = RandomStream(seed: 2)
    var b = a
    for hidden in 0..<3 {
      let population = try HiddenPopulation(of: network, hidden: hidden)
      b = population.reordered(b, by: random.permutation(of: population.count))
    }
    #expect(a.distance(to: b) > 1)
    // A unit's size is the same wherever it stands, but for the rounding of its sum.
    let matched = try path("ranks:incoming=false", a, b)
    #expect(try a.distance(to: matched.weights(at: 1)) < 0.5 * a.distance(to: b))
    #expect(try matched.weights(at: matched.domain.upperBound).isIdentical(to: b))
  }

  @Test(arguments: ["ranks", "ranks:incoming=true"])
  func `units of one rank meet`(method: String) throws {
    let network = try network([6, 9, 4])
    let (a, b) = (
      try Weights(randomFor: network, seed: 1), try Weights(randomFor: network, seed: 2)
    )
    let population = try HiddenPopulation(of: network, hidden: 0)
    func sizes(_ weights: Weights) -> [Float] {
      let neurons = population.neurons(of: weights)
      let columns = method == "ranks" ? population.dimension : population.incomingColumns
      return (0..<9).map { neurons.row($0).prefix(columns).reduce(0) { $0 + $1 * $1 } }
    }
    let (first, second) = (sizes(a), sizes(try path(method, a, b).weights(at: 1)))
    for (i, j) in zip(0..<9, 1..<9) { #expect((first[i] < first[j]) == (second[i] < second[j])) }
    #expect(second.sorted() == sizes(b).sorted())
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
