// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import LCWPaths
import Testing

/// Weight matching of whole networks.
struct WeightMatchingTests {
  @Test(arguments: MatchingNetworks.allCases)
  func `planted orders are found`(kind: MatchingNetworks) throws {
    let network = try kind.network()
    for seed in UInt64(1)...5 {
      let a = try network.weights(seed: seed)
      let planted = a.shuffled(seed: seed)
      #expect(!a.isIdentical(to: planted))
      let result = try WeightMatching().result(from: a, to: planted, seed: seed)
      #expect(result.squaredDistance == 0, "\(kind)")
      #expect(result.matching.applied(to: planted).weights.isIdentical(to: a))
    }
  }

  @Test(arguments: MatchingNetworks.allCases)
  func `a pass never takes networks apart, and the nearest end counts`(
    kind: MatchingNetworks
  ) throws {
    let network = try kind.network()
    let (a, b) = (try network.weights(seed: 11), try network.weights(seed: 12))
    let result = try WeightMatching(starts: 12).result(from: a, to: b, seed: 3)
    #expect(result.descents.count == 12)
    for descent in result.descents {
      #expect(zip(descent, descent.dropFirst()).allSatisfy { $0 >= $1 * (1 - 1e-6) })
      #expect(result.squaredDistance * (1 - 1e-8) <= descent[descent.count - 1])
    }
    #expect(result.squaredDistance < a.trainedDistance(to: b) * 0.99)
    let matched = result.matching.applied(to: b).weights
    #expect(abs(a.trainedDistance(to: matched) - result.squaredDistance) < 1e-9)
    #expect(result.sweeps >= 12)
  }

  @Test(arguments: MatchingNetworks.allCases)
  func `B in its new orders computes what B does`(kind: MatchingNetworks) throws {
    let network = try kind.network()
    let (a, b) = (try network.weights(seed: 21), try network.weights(seed: 22))
    let matched = try WeightMatching(starts: 3).result(from: a, to: b, seed: 3)
      .matching.applied(to: b)
    let block = try randomSamples(
      count: 12, shape: network.inputShape, classes: network.outputShape.count
    ).block(0..<12)
    let runner = try Runner(network)
    let (found, expected) = (
      runner.output(of: block, weights: matched.weights), runner.output(of: block, weights: b)
    )
    let size = expected.squaredDistance(to: Tensor(zeros: expected.shape))
    #expect(found.squaredDistance(to: expected) < 1e-10 * size)
  }

  /// The slow obvious version: all orders of each group, the others held.
  @Test(arguments: MatchingNetworks.allCases)
  func `no other order of one group brings the networks nearer`(kind: MatchingNetworks) throws {
    let network = try kind.network(units: 4)
    let (a, b) = (try network.weights(seed: 31), try network.weights(seed: 32))
    let matched = try WeightMatching(starts: 1).result(from: a, to: b, seed: 3)
      .matching.applied(to: b).weights
    let distance = a.trainedDistance(to: matched)
    // Where a layer reads and writes one group, the step of an assignment is only one way to go on.
    for population in HiddenPopulation.all(of: network) where !population.isReadByItsWriter {
      for order in permutations(of: population.count) {
        let other = a.trainedDistance(to: population.reordered(matched, by: order))
        #expect(other > distance - 1e-5 * distance, "\(kind) \(population.name)")
      }
    }
  }

  @Test func `seed and networks decide, and nothing else`() throws {
    let network = try MatchingNetworks.residual.network()
    let (a, b) = (try network.weights(seed: 41), try network.weights(seed: 42))
    let matching = WeightMatching(starts: 6)
    let first = try matching.result(from: a, to: b, seed: 5, workers: Workers(2))
    #expect(try matching.result(from: a, to: b, seed: 5, workers: Workers(2)) == first)
    #expect(try matching.result(from: a, to: b, seed: 5, workers: .serial) == first)
    // More starts are the same ones and others.
    let more = try WeightMatching(starts: 9).result(from: a, to: b, seed: 5)
    #expect(Array(more.descents.prefix(6)) == first.descents)
  }

  @Test func `equal units keep their places`() throws {
    let network = try denseNetwork([5, 8, 3])
    let population = try HiddenPopulation(of: network, hidden: 0)
    var a = try network.weights(seed: 51)
    // Dead units: nothing enters, nothing leaves.
    var rows = population.neurons(of: a)
    for unit in [2, 5, 6] {
      for column in 0..<rows.shape.rowCount {
        rows.elements[unit * rows.shape.rowCount + column] = 0
      }
    }
    population.assign(rows, to: &a)
    // B is A with some of its living units in other places, and a little larger.
    var b = population.reordered(a, by: [3, 0, 2, 1, 4, 5, 6, 7])
    for index in b[0].elements.indices { b[0].elements[index] *= 1.1 }
    let order = try WeightMatching().result(from: a, to: b, seed: 1).matching.orders[0]
    #expect(order == [1, 3, 2, 0, 4, 5, 6, 7])
  }

  @Test func `what can't be matched is refused`() throws {
    let (small, large) = (try denseNetwork([5, 8, 3]), try denseNetwork([5, 9, 3]))
    #expect(throws: NetworkError.self) {
      _ = try WeightMatching().result(
        from: small.weights(seed: 1), to: large.weights(seed: 1), seed: 1)
    }
    var huge = try small.weights(seed: 1)
    for index in huge[0].elements.indices { huge[0].elements[index] = 1e30 }
    let error = #expect(throws: ConnectionError.self) {
      _ = try WeightMatching().result(from: huge, to: huge, seed: 1)
    }
    #expect(error?.description.contains("dense1") == true)
    let alone = try denseNetwork([5, 3])
    let result = try WeightMatching().result(
      from: alone.weights(seed: 1), to: alone.weights(seed: 2), seed: 1)
    #expect(result.matching.orders.isEmpty && result.matching.movedUnits == 0)
  }
}

extension HiddenPopulation {
  /// Whether a layer both reads and writes the units.
  fileprivate var isReadByItsWriter: Bool {
    !Set(incoming.map(\.parameter)).isDisjoint(with: outgoing.map(\.parameter))
  }
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
