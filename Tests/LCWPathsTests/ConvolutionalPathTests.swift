// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import LCWPaths
import Testing

/// The laws of the methods on networks with filters, pooling and a flatten in their chain.
struct ConvolutionalPathTests {
  static let methods = [
    "linear", "arc", "ot", "linear+wa", "arc+wa:bias=kept", "ot+wa", "linear+bfly", "ot+bfly",
    "arc+bfly",
  ]
  static let chains: [[Layer]] = [
    [
      .convolution(.init(filters: 5, kernel: 3, padding: 1)), .relu,
      .maxPool(.init(size: 2, stride: 2)), .convolution(.init(filters: 6, kernel: 3)), .relu,
      .maxPool(.init(size: 2, stride: 1)), .flatten, .dense(outputs: 7, bias: true), .relu,
      .dense(outputs: 4, bias: true),
    ],
    [
      .convolution(.init(filters: 4, kernel: [3, 2], stride: 2, padding: 1, bias: false)), .tanh,
      .averagePool(.init(size: 2, stride: 1)), .flatten, .dense(outputs: 4, bias: true),
    ],
    // Filters of one value, whose blocks have a mean of one value.
    [
      .convolution(.init(filters: 4, kernel: 3)), .relu, .convolution(.init(filters: 3, kernel: 1)),
      .relu, .flatten, .dense(outputs: 4, bias: true),
    ],
    [
      .convolution(.init(filters: 5, kernel: 8)), .relu, .convolution(.init(filters: 4, kernel: 1)),
      .flatten,
    ],
  ]

  private struct Case {
    var a: Weights
    var b: Weights
    var samples: SampleSet
    var path: any ConnectionPath
  }

  private func make(
    _ method: String, _ layers: [Layer], samples count: Int = 90
  ) throws -> Case {
    let network = try Network(inputShape: [2, 8, 8], layers: layers)
    let a = try Weights(randomFor: network, seed: 1)
    let b = try Weights(randomFor: network, seed: 2)
    let samples = try randomSamples(count: count, shape: network.inputShape, classes: 4)
    return Case(a: a, b: b, samples: samples, path: try path(method, a, b, samples: samples))
  }

  @Test(arguments: methods, chains)
  func `a path starts at A and ends at B, to the bit`(method: String, layers: [Layer]) throws {
    let made = try make(method, layers)
    let end = made.path.domain.upperBound
    #expect(try made.path.weights(at: 0).isIdentical(to: made.a))
    #expect(try made.path.weights(at: end).isIdentical(to: made.b))
    #expect(try made.path.weights(at: 0.37 * end).isFinite)
  }

  @Test(arguments: methods, chains)
  func `both ways of evaluating agree`(method: String, layers: [Layer]) throws {
    let made = try make(method, layers)
    let times = (0...made.path.stages.count * 2).map { Double($0) / 2 }
    let structured = try PathEvaluator().evaluate(made.path, at: times, on: made.samples)
    let obvious = try PathEvaluator(strategy: .pointByPoint).evaluate(
      made.path, at: times, on: made.samples)
    for (x, y) in zip(structured, obvious) {
      #expect(abs(x.crossEntropy - y.crossEntropy) < 2e-5)
    }
  }

  /// Curves of several points, bases that broadcast, and one layer after another.
  @Test(arguments: [Curve.chain(points: 4), .bezier(points: 3)], chains)
  func `both ways agree on curves`(curve: Curve, layers: [Layer]) throws {
    let network = try Network(inputShape: [2, 8, 8], layers: layers)
    let corners = try (1...curve.count).map { try Weights(randomFor: network, seed: UInt64($0)) }
    let samples = try randomSamples(count: 150, shape: network.inputShape, classes: 4)
    func motion(_ parameter: Int) -> Motion {
      .combination(corners.map { $0[parameter] }, curve)
    }
    let all = PathStage(label: "all", motions: network.parameters.indices.map { motion($0) })
    let shape = network.parameters[0].shape
    let shared = PathStage(
      label: "shared",
      motions: network.parameters.indices.map { parameter in
        guard parameter == 0 else { return .fixed(corners[0][parameter]) }
        let mean = corners.map { $0[0] }.meanOfRows()
        let place = Tensor(repeating: 0.1, shape: [shape[0], 1, 1, shape[3]])
        return .combination([corners[0][0], mean, corners[1][0], place], .chain(points: 4))
      })
    let later = PathStage(
      label: "later",
      motions: network.parameters.indices.map { parameter in
        network.parameters[parameter].layer == 0
          ? .fixed(corners[0][parameter]) : motion(parameter)
      })
    for stage in [all, shared, later] {
      let path = try ExplicitPath(network: network, stages: [stage])
      let times = [0, 0.2, 0.5, 0.9, 1]
      let structured = try PathEvaluator().evaluate(path, at: times, on: samples)
      let obvious = try PathEvaluator(strategy: .pointByPoint).evaluate(
        path, at: times, on: samples)
      for (x, y) in zip(structured, obvious) {
        #expect(abs(x.crossEntropy - y.crossEntropy) < 1e-5)
      }
      #expect(Set(obvious.map(\.crossEntropy)).count == 5)
    }
  }

  @Test(arguments: ["linear", "arc+wa", "ot", "garipov"])
  func `networks with normalisations are joined, and so they are folded`(
    method: String
  ) throws {
    let network = try Network(
      inputShape: [2, 8, 8],
      layers: [
        .convolution(.init(filters: 5, kernel: 3)), .batchNorm, .relu, .flatten,
        .dense(outputs: 4, bias: true),
      ])
    let (a, b) = (
      try Weights(randomFor: network, seed: 1), try Weights(randomFor: network, seed: 2)
    )
    let samples = try randomSamples(count: 90, shape: network.inputShape, classes: 4)
    for (start, end) in [(a, b), (try a.foldingBatchNorm(), try b.foldingBatchNorm())] {
      let joined = try path(method, start, end, samples: samples)
      #expect(try joined.weights(at: 0).isIdentical(to: start))
      #expect(try joined.weights(at: joined.domain.upperBound).isIdentical(to: end))
      #expect(try joined.weights(at: joined.middle).isFinite)
    }
  }

  /// While the first filters move, the second ones are the least-squares solution over the patches.
  @Test(arguments: [
    ("ridge=0,positions=0,patches=0", 90, 4), ("ridge=0,positions=3,patches=0", 90, 3),
    ("ridge=0,positions=1,patches=24", 1080, 1),
    ("ridge=0,positions=40,patches=3,samples=50", 50, 4),
    // However few patches are wanted, they come from a thousand images.
    ("ridge=0,positions=2,patches=3", 1000, 2), ("ridge=0", 90, 4),
  ])
  func `an adjusted convolution is the solution at its point`(
    options: String, count: Int, positions: Int
  ) throws {
    let made = try make(
      "linear+wa:\(options)", Self.chains[0], samples: count > 90 ? 1100 : 90)
    let images = made.samples.block(0..<count)
    let target = try output(of: images, made.a, layers: 4)
    let windows = ImageWindows(over: [5, 4, 4], kernel: [3, 3], stride: 1, padding: 0)
    for t in [0.25, 0.5, 0.75] {
      let point = try made.path.weights(at: t)
      let features = try output(of: images, point, layers: 3)
      var problem = LeastSquares(features: 45, targets: 6, solvingBias: true)
      // What the reference puts out at the same places.
      let original = try output(of: images, made.a, layers: 3)
      let rows = windows.patchRows(of: original, positions: positions)
      var targets = Tensor(zeros: [rows.shape.rows, 6])
      targets.assignProduct(rows.matrix, made.a[2].transposed)
      targets.addBias(made.a[3])
      if positions == 4 {
        let all = rowsOfPositions(target, filters: 6)
        #expect(targets.squaredDistance(to: all) < 1e-6)
      }
      problem.add(windows.patchRows(of: features, positions: positions), targets: targets)
      let expected = try problem.solution()
      #expect(point[2].reshaped([6, 45]).squaredDistance(to: expected.weights) < 4e-6)
      #expect(point[3].squaredDistance(to: try #require(expected.bias)) < 4e-6)
      #expect(point[2].squaredDistance(to: made.a[2]) > 1e-3)
    }
  }

  private func rowsOfPositions(_ output: Tensor, filters: Int) -> Tensor {
    let positions = output.shape.rowCount / filters
    var rows = Tensor(zeros: [output.shape.rows * positions, filters])
    for sample in 0..<output.shape.rows {
      for filter in 0..<filters {
        for position in 0..<positions {
          rows.elements[(sample * positions + position) * filters + filter] =
            output.elements[(sample * filters + filter) * positions + position]
        }
      }
    }
    return rows
  }

  /// With the options' defaults, and more features than samples.
  @Test func `an adjusted layer behind a flatten moves without jumps`() throws {
    let layers: [Layer] = [
      .convolution(.init(filters: 6, kernel: 3, padding: 1)), .relu, .flatten,
      .dense(outputs: 4, bias: true),
    ]
    let network = try Network(inputShape: [2, 8, 8], layers: layers)
    let (a, b) = (
      try Weights(randomFor: network, seed: 1), try Weights(randomFor: network, seed: 2)
    )
    let samples = try randomSamples(count: 200, shape: network.inputShape, classes: 4)
    let joined = try path("linear+wa", a, b, samples: samples)
    func length(_ steps: Int) throws -> (whole: Double, largest: Double) {
      let points = try (0...steps).map {
        try joined.weights(at: 0.2 + 0.6 * Double($0) / Double(steps))
      }
      let parts = zip(points, points.dropFirst()).map { $0.distance(to: $1) }
      return (parts.reduce(0, +), parts.max() ?? 0)
    }
    let (coarse, fine) = (try length(12), try length(48))
    #expect(fine.whole < 1.1 * coarse.whole, "\(coarse) \(fine)")
    #expect(fine.largest < 0.4 * coarse.largest)
    let near = try joined.weights(at: 0.5).distance(to: try joined.weights(at: 0.5 + 1e-6))
    #expect(near < 1e-3 * coarse.whole, "\(near)")
  }
}
