// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWPaths
import Testing

/// Layers along paths, against the same figures computed unit by unit.
struct LayerDiagnosticsTests {
  private static let chain = "dense 9; relu; dense 8 no-bias; tanh; dense 7; relu; dense classes"
  private static let residual = """
    conv 6 3x3 pad 1 no-bias; batchnorm; start = relu
    conv 5 3x3 pad 1 no-bias; batchnorm; relu
    conv 6 3x3 pad 1 no-bias; batchnorm
    add from norm3 start; relu; avgpool 2; flatten; dense classes
    """
  private static let places = [
    chain: ["dense1", "dense2", "dense3"], residual: ["norm1", "norm2", "norm3"],
  ]

  private static func ends(_ text: String) throws -> (Weights, Weights) {
    let network = try NetworkText(text, operations: PluginRegistry.linked().operations)
      .network(inputShape: text == chain ? [5] : [2, 6, 6], classes: 4)
    return (
      try Weights.trainedAlike(network, seed: 1), try Weights.trainedAlike(network, seed: 2)
    )
  }

  /// What a unit of a node is for each sample and position, for all units.
  private func units(_ node: String, _ weights: Weights, _ block: Tensor) throws -> [[Double]] {
    let network = weights.network
    let index = try #require(network.nodes.firstIndex { $0.name == node })
    let value = Network.Value(index: index + 1)
    let output = try Runner(network, from: [.sample], to: [value])
      .output(of: block, weights: weights)
    let shape = network.shape(of: value)
    return (0..<shape[0]).map { unit in
      (0..<block.shape.rows).flatMap { sample in
        (0..<shape.rowCount).map { position in
          Double(output.elements[(sample * shape[0] + unit) * shape.rowCount + position])
        }
      }
    }
  }

  private func covariance(_ x: [Double], _ y: [Double]) -> Double {
    let (meanX, meanY) = (
      x.reduce(0, +) / Double(x.count), y.reduce(0, +) / Double(y.count)
    )
    return zip(x, y).reduce(0) { $0 + ($1.0 - meanX) * ($1.1 - meanY) } / Double(x.count)
  }

  private func deviation(_ x: [Double]) -> Double { covariance(x, x).squareRoot() }

  private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

  @Test(arguments: [chain, residual], ["linear", "arc", "rebasin", "linear+repair"])
  func `layers are what a slow computation finds`(text: String, method: String) throws {
    let (a, b) = try Self.ends(text)
    let samples = try randomSamples(count: 300, shape: a.network.inputShape, classes: 4)
    let block = samples.block(0..<300)
    let path = try path(method, a, b, samples: samples)
    let found = try PathEvaluator(workers: Workers(2)).diagnoseLayers(
      of: path, at: [0, 0.3, 1], on: samples)
    #expect(found.samples == 300 && found.times == [0, 0.3, 1] && found.middle == 0.5)
    let places = try #require(Self.places[text])
    #expect(found.layers.map(\.name) == places)
    let last = try path.weights(at: 1)
    for (place, layer) in zip(places, found.layers) {
      let (first, second) = (try units(place, a, block), try units(place, last, block))
      #expect(layer.units == first.count && layer.silentUnits == 0)
      let correlations = zip(first, second).map {
        covariance($0, $1) / (deviation($0) * deviation($1))
      }
      #expect(abs(try #require(layer.correlation) - mean(correlations)) < 1e-5)
      let ratios = [layer.varianceRatioInMiddle] + layer.varianceRatios
      for (t, ratio) in zip([0.5, 0, 0.3, 1], ratios) {
        let own = try units(place, path.weights(at: t), block)
        let expected = own.indices.map {
          deviation(own[$0]) / ((1 - t) * deviation(first[$0]) + t * deviation(second[$0]))
        }
        #expect(abs(try #require(ratio) - mean(expected)) < 1e-5, "\(place) at \(t)")
      }
    }
  }

  /// Units that are averaged keep of their variance what their correlation leaves them.
  @Test func `in the first layer of a straight line both figures tell of one another`() throws {
    let (a, b) = try Self.ends(Self.chain)
    let samples = try randomSamples(count: 400, shape: [5], classes: 4)
    let block = samples.block(0..<400)
    let layer = try #require(
      try PathEvaluator().diagnoseLayers(of: path("linear", a, b), at: [], on: samples)
        .layers.first)
    let ratios = try zip(units("dense1", a, block), units("dense1", b, block)).map { x, y in
      let variance = covariance(x, x) + covariance(y, y) + 2 * covariance(x, y)
      return variance.squareRoot() / (deviation(x) + deviation(y))
    }
    #expect(abs(try #require(layer.varianceRatioInMiddle) - mean(ratios)) < 1e-5)
    #expect(mean(ratios) < 0.95)
  }

  @Test func `units that change places alone are correlated where they are matched`() throws {
    let network = try denseNetwork([6, 12, 8, 4])
    let a = try Weights(randomFor: network, seed: 1)
    var random = RandomStream(seed: 9)
    let b = HiddenPopulation.all(of: network).reduce(a) { weights, population in
      population.reordered(weights, by: random.permutation(of: population.count))
    }
    let samples = try randomSamples(count: 200, shape: [6], classes: 4)
    for (method, isMatched) in [("linear", false), ("ot", true), ("rebasin", true)] {
      let path = try path(method, a, b, samples: samples)
      let found = try PathEvaluator().diagnoseLayers(
        of: path, at: [0, 0.5, 1, path.domain.upperBound], on: samples)
      // Where units only find their places there is nothing to measure.
      #expect(found.times == (isMatched ? [0, 0.5, 1] : [0, 0.5, 1, 1]), "\(method)")
      for layer in found.layers {
        let (correlation, ratio) = (
          try #require(layer.correlation), try #require(layer.varianceRatioInMiddle)
        )
        #expect((correlation > 0.9999) == isMatched, "\(method) \(correlation)")
        #expect((ratio > 0.999) == isMatched, "\(method) \(ratio)")
      }
    }
  }

  @Test func `silent units are counted and left out`() throws {
    var (a, b) = try Self.ends(Self.chain)
    for index in 0..<5 {
      a[0].elements[index] = 0
      b[0].elements[index] = 0
      b[0].elements[5 + index] = 0
    }
    let samples = try randomSamples(count: 200, shape: [5], classes: 4)
    let evaluator = PathEvaluator()
    let layer = try evaluator.diagnoseLayers(of: path("linear", a, b), at: [], on: samples)
      .layers[0]
    #expect(layer.silentUnits == 2)
    let block = samples.block(0..<200)
    let (first, second) = (try units("dense1", a, block), try units("dense1", b, block))
    let own = try units("dense1", path("linear", a, b).weights(at: 0.5), block)
    let correlations = (2..<9).map {
      covariance(first[$0], second[$0]) / (deviation(first[$0]) * deviation(second[$0]))
    }
    #expect(abs(try #require(layer.correlation) - mean(correlations)) < 1e-5)
    // A unit of one network alone has half of its deviation in the middle, as it should.
    let ratios = (1..<9).map {
      2 * deviation(own[$0]) / (deviation(first[$0]) + deviation(second[$0]))
    }
    #expect(abs(try #require(layer.varianceRatioInMiddle) - mean(ratios)) < 1e-5)
    let zeros = Weights(zeros: a.network)
    let silent = try evaluator.diagnoseLayers(
      of: path("linear", zeros, zeros), at: [0.25], on: samples)
    for layer in silent.layers {
      #expect(layer.silentUnits == layer.units && layer.correlation == nil)
      #expect(layer.varianceRatioInMiddle == nil && layer.varianceRatios == [nil])
    }
  }

  @Test func `so many samples are taken at equal distances, by any number of workers`() throws {
    let (a, b) = try Self.ends(Self.residual)
    let samples = try randomSamples(count: 1500, shape: [2, 6, 6], classes: 4)
    let few = try SampleSet(
      name: "few", sampleShape: [2, 6, 6], classes: 4,
      labels: (0..<500).map { samples.labels[3 * $0] },
      values: .floats(samples.block(at: (0..<500).map { 3 * $0 }).elements))
    let path = try path("arc", a, b)
    let found = try [1, 3].map { count in
      try PathEvaluator(workers: Workers(count)).diagnoseLayers(
        of: path, at: [0.25], on: samples, count: 500)
    }
    #expect(found[0] == found[1] && found[0].samples == 500)
    #expect(try PathEvaluator().diagnoseLayers(of: path, at: [0.25], on: few) == found[0])
  }

  @Test func `a network without hidden layers has none to measure`() throws {
    let network = try denseNetwork([4, 3])
    let (a, b) = (
      try Weights(randomFor: network, seed: 1), try Weights(randomFor: network, seed: 2)
    )
    let samples = try randomSamples(count: 20, shape: [4], classes: 3)
    #expect(
      try PathEvaluator().diagnoseLayers(of: path("linear", a, b), at: [0.5], on: samples)
        .layers.isEmpty)
  }
}
