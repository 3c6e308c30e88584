// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import LCWPaths
import Testing

struct PopulationTests {
  @Test
  func `a neuron is its row, its bias and its column`() throws {
    let network = try denseNetwork([3, 4, 2])
    let weights = try Weights(randomFor: network, seed: 1)
    let population = try HiddenPopulation(of: network, hidden: 0)
    #expect(population.dimension == 6)
    let neurons = population.neurons(of: weights)
    for unit in 0..<4 {
      let expected =
        Array(weights[0].row(unit)) + [weights[1].elements[unit]]
        + [weights[2].elements[unit], weights[2].elements[4 + unit]]
      #expect(Array(neurons.row(unit)) == expected)
    }
  }

  @Test
  func `a filter's outgoing block goes through pooling and flatten`() throws {
    let network = try Network(
      inputShape: [2, 4, 4],
      layers: [
        .convolution(.init(filters: 3, kernel: 3, padding: 1)), .relu,
        .convolution(.init(filters: 5, kernel: 3, padding: 1)), .relu,
        .maxPool(.init(size: 2, stride: 2)), .flatten, .dense(outputs: 6, bias: false),
      ])
    let first = try HiddenPopulation(of: network, hidden: 0)
    #expect(first.count == 3 && first.inputs == 18)
    #expect(first.dimension == 18 + 1 + 45)
    let second = try HiddenPopulation(of: network, hidden: 1)
    #expect(second.count == 5 && second.dimension == 27 + 1 + 6 * 4)
    let weights = try Weights(randomFor: network, seed: 1)
    let neurons = second.neurons(of: weights)
    // Unit 2's four positions in output 1's row.
    let dense = try #require(network.parameters.firstIndex { $0.name == "dense1.weight" })
    let expected = (0..<4).map { weights[dense].elements[20 + 2 * 4 + $0] }
    #expect(Array(neurons.row(2).dropFirst(27 + 1 + 4).prefix(4)) == expected)
  }

  @Test(arguments: [true, false])
  func `neurons written back give the same weights`(bias: Bool) throws {
    let network = try denseNetwork([3, 4, 5, 2], bias: bias)
    let weights = try Weights(randomFor: network, seed: 1)
    for hidden in 0..<2 {
      let population = try HiddenPopulation(of: network, hidden: hidden)
      var copy = Weights(zeros: network)
      population.assign(population.neurons(of: weights), to: &copy)
      for index in population.parameters {
        #expect(copy[index].isIdentical(to: weights[index]))
      }
    }
  }

  @Test
  func `exchanging neurons leaves the function as it is`() throws {
    let network = try denseNetwork([5, 8, 3])
    let weights = try Weights(randomFor: network, seed: 1)
    let population = try HiddenPopulation(of: network, hidden: 0)
    let neurons = population.neurons(of: weights)
    var random = RandomStream(seed: 2)
    let order = random.permutation(of: 8)
    let shuffled = try Tensor(order.flatMap { Array(neurons.row($0)) }, shape: neurons.shape)
    var permuted = weights
    population.assign(shuffled, to: &permuted)
    let runner = try Runner(network)
    let block = try randomSamples(count: 20, shape: [5], classes: 3).block(0..<20)
    let (x, y) = (
      runner.output(of: block, weights: weights), runner.output(of: block, weights: permuted)
    )
    #expect(!permuted.isIdentical(to: weights))
    for (a, b) in zip(x.elements, y.elements) { #expect(abs(a - b) < 1e-5) }
  }

  @Test
  func `what has no hidden units is refused`() throws {
    let single = try denseNetwork([3, 2])
    #expect(throws: PopulationError.noHiddenLayer(weightedLayers: 1)) {
      _ = try HiddenPopulation(of: single, hidden: 0)
    }
  }

  @Test
  func `a normalisation's numbers belong to the units that it passes`() throws {
    let network = try Network(
      inputShape: [3],
      layers: [.dense(outputs: 4, bias: true), .batchNorm, .dense(outputs: 2, bias: true)])
    let population = try HiddenPopulation(of: network, hidden: 0)
    #expect(population.incomingColumns == 3 + 1 + 4 && population.dimension == 3 + 1 + 4 + 2)
    #expect(population.parameters.count == network.parameters.count - 1)
  }

  @Test
  func `the principal plane is that of the largest variance`() throws {
    var random = RandomStream(seed: 5)
    var rows = random.normal([3000, 6])
    for row in 0..<3000 {
      rows.elements[row * 6 + 2] *= 5
      rows.elements[row * 6 + 4] = rows.elements[row * 6 + 4] * 3 + 10
    }
    let plane = try PrincipalPlane(of: [rows])
    #expect(abs(plane.center[4] - 10) < 0.3)
    #expect(plane.directions[0][2] > 0.99)
    #expect(plane.directions[1][4] > 0.99)
    let share = (25.0 + 9) / (25 + 9 + 4)
    #expect(abs(plane.explained - share) < 0.02)
    let points = plane.coordinates(of: rows)
    let variance = points.reduce(0) { $0 + $1.x * $1.x } / 3000
    #expect(abs(variance / 25 - 1) < 0.1)
  }
}
