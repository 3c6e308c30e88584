// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import LCWPaths
import Testing

struct LandscapeTests {
  private let samples: SampleSet
  private let networks: [Weights]

  init() throws {
    samples = try randomSamples(count: 300, shape: [6], classes: 4)
    let network = try denseNetwork([6, 10, 8, 4])
    networks = try (1...3).map { try Weights(randomFor: network, seed: $0) }
  }

  @Test
  func `a plane goes through its three points, in lengths of weight space`() throws {
    let plane = try WeightPlane(through: networks[0], networks[1], networks[2])
    let places = networks.map(plane.coordinates)
    for (place, weights) in zip(places, networks) {
      #expect(plane.weights(at: place).distance(to: weights) < 1e-4)
    }
    #expect(places[0].x.magnitude < 1e-9 && places[0].y.magnitude < 1e-9)
    for (i, j) in [(0, 1), (0, 2), (1, 2)] {
      let (dx, dy) = (places[i].x - places[j].x, places[i].y - places[j].y)
      let found = (dx * dx + dy * dy).squareRoot()
      #expect(abs(found - networks[i].distance(to: networks[j])) < 1e-4)
    }
  }

  @Test
  func `points on a line set no plane`() throws {
    var middle = networks[0]
    for index in middle.tensors.indices {
      middle[index] = Tensor.combination(
        [networks[0][index], networks[1][index]], coefficients: [0.25, 0.75],
        shape: middle[index].shape)
    }
    #expect(throws: LandscapeError.collinear) {
      try WeightPlane(through: networks[0], networks[1], middle)
    }
    #expect(throws: LandscapeError.collinear) {
      try WeightPlane(through: networks[0], networks[0], middle)
    }
  }

  @Test(arguments: [1, 4])
  func `a surface is what its points have`(rows: Int) throws {
    let plane = try WeightPlane(through: networks[0], networks[1], networks[2])
    let surface = try LossSurface(
      of: plane, columns: LossSurface.grid(-1...3, count: 5),
      rows: LossSurface.grid(-0.5...2, count: rows), on: samples,
      by: PathEvaluator(workers: Workers(2)))
    let runner = try Runner(networks[0].network)
    #expect(surface.metrics.count == rows)
    for (row, y) in surface.rows.enumerated() {
      for (column, x) in surface.columns.enumerated() {
        let expected = try runner.evaluate(
          plane.weights(at: WeightPlane.Point(x: x, y: y)), on: samples, workers: .serial)
        let found = surface.metrics[row][column]
        #expect(abs(found.crossEntropy - expected.crossEntropy) < 1e-5)
        #expect(abs(found.accuracy - expected.accuracy) <= 1.0 / 300)
      }
    }
  }

  /// Each point has the moments of its own weights, normalisation after normalisation.
  @Test(arguments: [PathEvaluator.Strategy.structured, .pointByPoint])
  func `moments are measured anew at each point`(strategy: PathEvaluator.Strategy) throws {
    let text = """
      conv 4 3x3 pad 1 no-bias; batchnorm; start = relu
      conv 4 3x3 pad 1 no-bias; batchnorm
      add from norm2 start; relu; batchnorm; avgpool 2; flatten; dense classes
      """
    let network = try NetworkText(text, operations: PluginRegistry.linked().operations)
      .network(inputShape: [2, 6, 6], classes: 4)
    let ends = try (1...3).map { try Weights.trainedAlike(network, seed: $0) }
    let samples = try randomSamples(count: 300, shape: [2, 6, 6], classes: 4)
    let points = ends.map { $0.withRunningMoments(of: ends[0]) }
    let plane = try WeightPlane(through: points[0], points[1], points[2])
    for (index, parameter) in network.parameters.enumerated() where !parameter.isTrained {
      #expect(plane.right[index].elements.allSatisfy { $0 == 0 })
      #expect(points[1][index].isIdentical(to: ends[0][index]))
    }
    let surface = try LossSurface(
      of: plane, columns: LossSurface.grid(0...plane.coordinates(of: points[1]).x, count: 3),
      rows: LossSurface.grid(0...1, count: 2), on: samples,
      measuring: MeasuredMoments(of: network, on: samples),
      by: PathEvaluator(strategy: strategy, workers: Workers(2)))
    for (row, y) in surface.rows.enumerated() {
      for (column, x) in surface.columns.enumerated() {
        var point = plane.weights(at: WeightPlane.Point(x: x, y: y))
        for (norm, input) in [("norm1", "conv1"), ("norm2", "conv2"), ("norm3", "relu2")] {
          let found = try ObviousMoments(ofNode: input, in: point, block: samples.block(0..<300))
          point[point.index("\(norm).mean")] = Tensor(found.means.map { Float($0) })
          point[point.index("\(norm).variance")] = Tensor(found.variances.map { Float($0) })
        }
        let expected = try Runner(network).evaluate(point, on: samples, workers: .serial)
        let found = surface.metrics[row][column]
        #expect(abs(found.crossEntropy - expected.crossEntropy) < 1e-4)
        #expect(abs(found.accuracy - expected.accuracy) <= 1.0 / 150)
      }
    }
  }

  @Test
  func `coordinates are right where directions are neither unit vectors nor at right angles`()
    throws
  {
    var random = RandomStream(seed: 3)
    let network = networks[0].network
    let first = WeightDirection(randomFor: network, using: &random)
    let second = WeightDirection(from: networks[0], to: networks[1])
    let plane = WeightPlane(through: networks[0], right: first, up: second)
    let place = WeightPlane.Point(x: 0.7, y: -1.3)
    let found = plane.coordinates(of: plane.weights(at: place))
    #expect(abs(found.x - place.x) < 1e-5 && abs(found.y - place.y) < 1e-5)
  }

  @Test
  func `a normalised direction has the norm of each filter, and moves no bias`() throws {
    let network = try Network(
      inputShape: [2, 6, 6],
      layers: [
        .convolution(Convolution(filters: 3, kernel: 3)),
        .batchNorm(epsilon: 1e-5), .relu, .flatten,
        .dense(outputs: 4, bias: true),
      ])
    let weights = try Weights(randomFor: network, seed: 1)
    var random = RandomStream(seed: 5)
    let plain = WeightDirection(randomFor: network, using: &random)
    let direction = plain.normalised(.filter, to: weights)
    #expect(plain.normalised(.none, to: weights).norm == plain.norm)
    for (index, parameter) in network.parameters.enumerated() {
      let (moved, own) = (direction.tensors[index], weights[index])
      guard parameter.shape.rank > 1 else {
        #expect(moved.elements.allSatisfy { $0 == 0 }, "\(parameter.name)")
        continue
      }
      for row in 0..<own.shape.rows {
        func norm(_ values: ArraySlice<Float>) -> Float {
          values.reduce(0) { $0 + $1 * $1 }.squareRoot()
        }
        #expect(abs(norm(moved.row(row)) - norm(own.row(row))) < 1e-4 * norm(own.row(row)))
      }
    }
  }
}

struct MergeTests {
  private let networks: [Weights]

  init() throws {
    let network = try denseNetwork([6, 12, 8, 4])
    networks = try (1...3).map { try Weights(randomFor: network, seed: $0) }
  }

  private func merge(
    _ networks: [Weights], _ method: String, to reference: NetworkMerge.Reference = .first
  ) throws -> NetworkMerge {
    try NetworkMerge(
      of: networks, by: PluginRegistry.linked().connection(MethodExpression(method)),
      to: reference, in: ConnectionContext(workers: Workers(2)))
  }

  @Test
  func `by straight lines a merge is the mean`() throws {
    let merged = try merge(networks, "linear")
    for index in networks[0].tensors.indices {
      let mean = Tensor.combination(
        networks.map { $0[index] }, coefficients: [1.0 / 3, 1.0 / 3, 1.0 / 3],
        shape: networks[0][index].shape)
      #expect(merged.weights[index].squaredDistance(to: mean) < 1e-10)
    }
    #expect(abs(merged.spreadBefore - merged.spreadAfter) < 1e-6)
  }

  /// Networks that differ by the order of their units alone are one network.
  @Test(arguments: [NetworkMerge.Reference.first, .centre(rounds: 5)])
  func `reordered networks merge to what they are`(reference: NetworkMerge.Reference) throws {
    var random = RandomStream(seed: 9)
    let copies = (0..<3).map { index in
      HiddenPopulation.all(of: networks[0].network).reduce(networks[0]) { weights, population in
        index == 0
          ? weights
          : population.reordered(weights, by: random.permutation(of: population.count))
      }
    }
    #expect(copies[1].distance(to: copies[0]) > 1)
    let merged = try merge(copies, "ot", to: reference)
    #expect(merged.weights.distance(to: networks[0]) < 1e-4)
    #expect(merged.spreadAfter < 1e-4 && merged.spreadBefore > 1)
  }

  @Test
  func `matching to the mean brings networks no farther from it`() throws {
    let first = try merge(networks, "ot")
    let centre = try merge(networks, "ot", to: .centre(rounds: 10))
    #expect(centre.spreadAfter <= first.spreadAfter * 1.02)
    #expect(first.spreadAfter < first.spreadBefore)
    let again = try merge(networks, "ot", to: .centre(rounds: 10))
    #expect(again.weights.isIdentical(to: centre.weights))
  }

  @Test
  func `half of the way is the middle, and all of it the second network's units`() throws {
    let registry = try PluginRegistry.linked()
    for method in ["linear", "arc", "ot"] {
      let path = try registry.connection(MethodExpression(method))
        .path(from: networks[0], to: networks[1])
      #expect(path.time(atShare: 0.5) == path.middle)
      #expect(path.time(atShare: 0) == 0)
      #expect(path.time(atShare: 1) == 1)
    }
  }
}
