// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWPaths
import Testing

/// Optimal transport: the matching, and the way back that keeps the function.
struct TransportTests {
  private func network(_ sizes: [Int], seed: UInt64) throws -> Weights {
    try Weights(randomFor: denseNetwork(sizes), seed: seed)
  }

  @Test func `a network meets its own units in another order`() throws {
    let a = try network([6, 40, 4], seed: 1)
    let population = try HiddenPopulation(of: a.network, hidden: 0)
    var random = RandomStream(seed: 3)
    let b = population.reordered(a, by: random.permutation(of: 40))
    #expect(!a.isIdentical(to: b))
    let transport = try path("ot", a, b)
    // The transport stage does not move at all: A is B in A's order.
    for t in [0, 0.5, 1] { #expect(try transport.weights(at: t).isIdentical(to: a)) }
    #expect(try transport.weights(at: 4).isIdentical(to: b))
  }

  @Test func `no other order has a smaller sum of squared distances`() throws {
    let (a, b) = (try network([3, 5, 2], seed: 1), try network([3, 5, 2], seed: 2))
    let population = try HiddenPopulation(of: a.network, hidden: 0)
    func cost(_ order: [Int]) -> Double {
      population.neurons(of: a).squaredDistance(
        to: population.neurons(of: population.reordered(b, by: order)))
    }
    let middle = try path("ot", a, b).weights(at: 1)
    let found = population.neurons(of: a).squaredDistance(to: population.neurons(of: middle))
    let best = permutations(of: 5).map(cost).min()
    #expect(abs(found - (best ?? 0)) < 1e-5)
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

  @Test(arguments: [
    [1, 0, 2, 3], [0, 1, 2, 3], [1, 2, 3, 0], [1, 0, 3, 2], [3, 2, 1, 0], [0, 2, 1, 3],
  ])
  func `every kind of cycle is undone`(order: [Int]) throws {
    let end = try network([3, 4, 2], seed: 5)
    let population = try HiddenPopulation(of: end.network, hidden: 0)
    let way = UnitReordering(of: population, from: order, to: end)
    #expect(try way.weights(at: 0).isIdentical(to: population.reordered(end, by: order)))
    #expect(try way.weights(at: 3).isIdentical(to: end))
  }

  /// Between the loss of one unit and its return the output is that of the network without it.
  @Test(arguments: [12, 60])
  func `reordering keeps the function of the network without one unit`(units: Int) throws {
    let end = try network([6, units, 4], seed: 6)
    let population = try HiddenPopulation(of: end.network, hidden: 0)
    var random = RandomStream(seed: 7)
    let order = random.permutation(of: units)
    let way = UnitReordering(of: population, from: order, to: end)
    let freed = Int(try #require(way.remarks.last).value) - 1
    var without = end
    for output in 0..<4 { without[2].elements[output * units + freed] = 0 }
    let runner = try Runner(end.network)
    let block = try randomSamples(count: 64, shape: [6], classes: 4).block(0..<64)
    let expected = runner.output(of: block, weights: without)
    for step in 0...397 {
      let point = try way.weights(at: 1 + Double(step) / 397)
      let output = runner.output(of: block, weights: point)
      let difference = zip(output.elements, expected.elements).map { abs($0 - $1) }.max() ?? 1
      #expect(difference < 1e-5, "at step \(step)")
    }
    // Before and after, only what the unit contributes changes.
    let whole = runner.output(of: block, weights: end)
    for t in [0.5, 2.5] {
      let output = runner.output(of: block, weights: try way.weights(at: t))
      for index in output.elements.indices {
        let half = (whole.elements[index] + expected.elements[index]) / 2
        #expect(abs(output.elements[index] - half) < 1e-5)
      }
    }
  }

  @Test func `the length told is that of the pieces`() throws {
    let end = try network([6, 10, 4], seed: 9)
    let population = try HiddenPopulation(of: end.network, hidden: 0)
    var random = RandomStream(seed: 10)
    let way = UnitReordering(of: population, from: random.permutation(of: 10), to: end)
    // So fine that the corners between pieces hardly matter.
    let points = try (0...20_000).map { try way.weights(at: 1 + Double($0) / 20_000) }
    let sum = zip(points, points.dropFirst()).reduce(0) { $0 + $1.0.distance(to: $1.1) }
    let told = try #require(way.stages[1].length)
    #expect(abs(told / sum - 1) < 1e-2)
  }

  @Test func `the unit that contributes least is taken out`() throws {
    var end = try network([6, 10, 4], seed: 8)
    for output in 0..<4 { end[2].elements[output * 10 + 7] *= 1e-3 }
    let population = try HiddenPopulation(of: end.network, hidden: 0)
    let way = UnitReordering(of: population, from: [1, 0, 2, 3, 4, 5, 6, 7, 8, 9], to: end)
    #expect(way.remarks.map(\.value) == [2, 8])
  }
}
