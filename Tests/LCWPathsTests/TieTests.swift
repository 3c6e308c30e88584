// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWPaths
import Testing

/// Units that are equal, and what is a path's middle.
struct TieTests {
  /// A network in which units of each hidden layer are equal, as dead ones are: nothing but zeros.
  private func twins(_ sizes: [Int], seed: UInt64) throws -> Weights {
    var weights = try Weights(randomFor: denseNetwork(sizes), seed: seed)
    for hidden in 0..<sizes.count - 2 {
      let population = try HiddenPopulation(of: weights.network, hidden: hidden)
      var neurons = population.neurons(of: weights)
      let width = population.dimension
      func write(_ row: [Float], to unit: Int) {
        neurons.elements.replaceSubrange(unit * width..<(unit + 1) * width, with: row)
      }
      write(Array(neurons.row(2)), to: 7)
      for dead in [4, 5, 11] { write([Float](repeating: 0, count: width), to: dead) }
      population.assign(neurons, to: &weights)
    }
    return weights
  }

  private func length(_ path: any ConnectionPath) throws -> Double {
    let points = try (0...path.stages.count * 8).map { try path.weights(at: Double($0) / 8) }
    return zip(points, points.dropFirst()).reduce(0) { $0 + $1.0.distance(to: $1.1) }
  }

  // Not ot:path=arc: an arc leads around the units' mean, also from a network to itself.
  @Test(arguments: ["ot", "ot:cost=weights", "ot:cost=incoming", "ot+wa", "ot+bfly"])
  func `a network with equal units is at no distance from itself`(method: String) throws {
    let samples = try randomSamples(count: 80, shape: [6], classes: 4)
    for sizes in [[6, 20, 4], [6, 20, 14, 4]] {
      let a = try twins(sizes, seed: 3)
      let way = try path(method, a, a, samples: samples)
      #expect(!way.stages.contains { $0.restoresOrder })
      // A combination of two equal tensors rounds in its last digit.
      #expect(try length(way) < 1e-5)
    }
  }

  @Test func `of equal units no more move than have to`() throws {
    let a = try twins([6, 20, 4], seed: 3)
    let population = try HiddenPopulation(of: a.network, hidden: 0)
    // Units 0, 1 and 2 change places; 2 and 7 are equal, and so are 4, 5 and 11.
    var order = Array(0..<20)
    (order[0], order[1], order[2]) = (1, 2, 0)
    let way = try path("ot", a, population.reordered(a, by: order))
    #expect(try way.weights(at: 1).isIdentical(to: a))
    #expect(way.remarks.first?.value == 3)
  }

  @Test func `equal units of the second network alone stay too`() throws {
    let (a, b) = (
      try Weights(randomFor: denseNetwork([6, 20, 4]), seed: 5), try twins([6, 20, 4], seed: 6)
    )
    let population = try HiddenPopulation(of: a.network, hidden: 0)
    let way = try path("ot", a, b)
    let found = population.neurons(of: try way.weights(at: 1))
    let own = population.neurons(of: b)
    // A slot that got one of the equal units though it holds another of them has moved for nothing.
    for (slot, others) in [(2, [7]), (7, [2]), (4, [5, 11]), (5, [4, 11]), (11, [4, 5])] {
      let isEqual = found.row(slot).elementsEqual(own.row(slot))
      #expect(!others.isEmpty && (isEqual || !found.row(slot).elementsEqual(own.row(others[0]))))
    }
    let moved = (0..<20).count { !found.row($0).elementsEqual(own.row($0)) }
    #expect(Int(try #require(way.remarks.first).value) == moved)
  }

  @Test(arguments: [Float(1e-3), 1e-5])
  func `units that are nearly equal still find their counterparts`(by difference: Float) throws {
    var a = try twins([6, 20, 4], seed: 3)
    a[0].elements[7 * 6] += difference
    let population = try HiddenPopulation(of: a.network, hidden: 0)
    let itself = try path("ot", a, a)
    #expect(itself.stages.count == 1)
    var order = Array(0..<20)
    order.swapAt(2, 7)
    let way = try path("ot", a, population.reordered(a, by: order))
    #expect(try way.weights(at: 1).isIdentical(to: a))
    #expect(way.remarks.first?.value == 2)
  }

  @Test func `equal units that an order exchanges need no way back`() throws {
    let a = try twins([6, 20, 4], seed: 3)
    let population = try HiddenPopulation(of: a.network, hidden: 0)
    var order = Array(0..<20)
    order.swapAt(2, 7)
    (order[4], order[5], order[11]) = (5, 11, 4)
    var network = ReorderedNetwork(a)
    network.reorder(population, by: order)
    #expect(network.pathsBack.isEmpty && network.weights.isIdentical(to: a))
    order.swapAt(0, 1)
    network.reorder(population, by: order)
    #expect(network.weights.isIdentical(to: population.reordered(a, by: order)))
    #expect(network.pathsBack.first?.remarks.first?.value == 2)
  }

  // MARK: The middle

  @Test(arguments: [
    ("linear", [6, 20, 4], 0.5), ("arc", [6, 20, 4], 0.5), ("ot", [6, 20, 4], 0.5),
    ("ot", [6, 20, 14, 4], 0.5), ("linear+wa", [6, 20, 4], 1), ("ot+wa", [6, 20, 4], 1),
    ("ot+bfly", [6, 20, 14, 4], 1.5), ("linear+wa", [6, 20, 14, 4], 2),
  ])
  func `the middle is half of the time in which units move`(
    method: String, sizes: [Int], middle: Double
  ) throws {
    let network = try denseNetwork(sizes)
    let samples = try randomSamples(count: 80, shape: [6], classes: 4)
    let way = try path(
      method, Weights(randomFor: network, seed: 1), Weights(randomFor: network, seed: 2),
      samples: samples)
    #expect(way.middle == middle)
    #expect(method.hasPrefix("ot") == way.stages.contains { $0.restoresOrder })
  }

  @Test func `a path on which units only find their places has its middle at half of the time`()
    throws
  {
    let a = try Weights(randomFor: denseNetwork([6, 20, 4]), seed: 1)
    let population = try HiddenPopulation(of: a.network, hidden: 0)
    let way = UnitReordering(of: population, from: Array((0..<20).reversed()), to: a)
    #expect(way.middle == 1.5)
  }
}
