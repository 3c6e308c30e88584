// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import LCWPaths
import Testing

/// Matching by the correlations of activations.
struct ActivationMatchingTests {
  private func samples(_ network: Network, _ count: Int) throws -> SampleSet {
    try randomSamples(
      count: count, shape: network.inputShape, classes: network.outputShape.count, seed: 17)
  }

  @Test(arguments: MatchingNetworks.allCases)
  func `planted orders are found`(kind: MatchingNetworks) throws {
    let network = try kind.network()
    let a = try network.weights(seed: 1)
    let planted = a.shuffled(seed: 1)
    let result = try ActivationMatching().result(from: a, to: planted, on: samples(network, 300))
    // Units that no sample wakes are told from each other by nothing; all others meet themselves.
    let found = result.matching.applied(to: planted).weights
    let block = try samples(network, 40).block(0..<40)
    for population in HiddenPopulation.all(of: network) {
      for place in population.group.places {
        let runner = try Runner(network, from: [.sample], to: [place.value])
        let (x, y) = (
          runner.output(of: block, weights: found), runner.output(of: block, weights: a)
        )
        #expect(x.squaredDistance(to: y) < 1e-8 * Double(x.count), "\(kind) \(population.name)")
      }
    }
    #expect(result.correlations.allSatisfy { $0 <= 1 + 1e-5 && $0 > 0.4 })
  }

  /// Correlations by loops over all values, and the best of all orders.
  @Test(arguments: MatchingNetworks.allCases)
  func `it agrees with the slow obvious version`(kind: MatchingNetworks) throws {
    let network = try kind.network(units: 4)
    let (a, b) = (try network.weights(seed: 2), try network.weights(seed: 3))
    let data = try samples(network, 37)
    let result = try ActivationMatching().result(from: a, to: b, on: data)
    let block = data.block(0..<data.count)
    for (index, population) in result.matching.populations.enumerated() {
      let group = population.group
      let read = Set(group.nodes(.reads, in: network).flatMap { network.nodes[$0].inputs })
      let places = group.places.filter { read.contains($0.value) }
      #expect(!places.isEmpty)
      let correlations = try places.map { place in
        let runner = try Runner(network, from: [.sample], to: [place.value])
        let shape = network.shape(of: place.value)
        func unit(_ unit: Int, of weights: Weights) -> [Double] {
          let output = runner.output(of: block, weights: weights)
          return (0..<data.count).flatMap { sample in
            (0..<place.block * shape.rowCount).map { position in
              Double(
                output.elements[
                  sample * shape.count + (place.offset + unit * place.block) * shape.rowCount
                    + position])
            }
          }
        }
        let (first, second) = (
          (0..<group.count).map { unit($0, of: a) }, (0..<group.count).map { unit($0, of: b) }
        )
        return first.map { x in second.map { correlation(x, $0) } }
      }
      func score(_ order: [Int]) -> Double {
        correlations.reduce(0) { sum, own in
          sum + order.enumerated().reduce(0) { $0 + own[$1.offset][$1.element] }
        } / Double(group.count * places.count)
      }
      let found = score(result.matching.orders[index])
      #expect(abs(found - result.correlations[index]) < 1e-5)
      if group.count <= 7 {
        let best = orders(of: group.count).map(score).max() ?? 0
        #expect(found > best - 1e-5, "\(kind) \(population.name)")
      }
    }
  }

  private func correlation(_ x: [Double], _ y: [Double]) -> Double {
    let count = Double(x.count)
    let (meanX, meanY) = (x.reduce(0, +) / count, y.reduce(0, +) / count)
    var (xx, yy, xy) = (0.0, 0.0, 0.0)
    for (u, v) in zip(x, y) {
      xx += (u - meanX) * (u - meanX)
      yy += (v - meanY) * (v - meanY)
      xy += (u - meanX) * (v - meanY)
    }
    return xx * yy > 0 ? xy / (xx * yy).squareRoot() : 0
  }

  private func orders(of count: Int) -> [[Int]] {
    guard count > 0 else { return [[]] }
    return orders(of: count - 1).flatMap { rest in
      (0...rest.count).map { position in
        var order = rest
        order.insert(count - 1, at: position)
        return order
      }
    }
  }

  @Test func `neither threads nor blocks change it`() throws {
    let network = try MatchingNetworks.residual.network()
    let (a, b) = (try network.weights(seed: 4), try network.weights(seed: 5))
    // Several blocks.
    let data = try samples(network, 2500)
    let results = try [1, 2, 3].map {
      try ActivationMatching().result(from: a, to: b, on: data, workers: Workers($0))
    }
    #expect(results[1] == results[0] && results[2] == results[0])
    let some = try ActivationMatching(samples: 200).result(from: a, to: b, on: data)
    #expect(try some == ActivationMatching().result(from: a, to: b, on: data.prefix(200)))
    #expect(some != results[0])
  }

  @Test func `large means do not hide correlations`() throws {
    let linear = try Network(
      inputShape: [5], layers: [.dense(outputs: 8, bias: true), .dense(outputs: 3, bias: true)])
    var a = try linear.weights(seed: 6)
    for index in a[1].elements.indices { a[1].elements[index] = 3000 + Float(index) }
    let planted = a.shuffled(seed: 2)
    let result = try ActivationMatching().result(from: a, to: planted, on: samples(linear, 200))
    #expect(result.matching.applied(to: planted).weights.isIdentical(to: a))
    #expect(result.correlations[0] > 0.99)
  }

  @Test func `what can't be matched is refused`() throws {
    let network = try denseNetwork([5, 8, 3])
    var huge = try network.weights(seed: 1)
    for index in huge[0].elements.indices { huge[0].elements[index] *= 1e25 }
    let error = #expect(throws: ConnectionError.self) {
      _ = try ActivationMatching().result(from: huge, to: huge, on: samples(network, 20))
    }
    #expect(error?.description.contains("dense1") == true)
    #expect(throws: DataError.self) {
      let weights = try network.weights(seed: 1)
      _ = try ActivationMatching().result(
        from: weights, to: weights, on: randomSamples(count: 4, shape: [6], classes: 3))
    }
  }
}
