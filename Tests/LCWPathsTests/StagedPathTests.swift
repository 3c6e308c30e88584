// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWPaths
import Testing

/// The laws of the methods that go through several stages.
struct StagedPathTests {
  static let methods = [
    "ot", "ot:path=arc,cost=incoming", "linear+wa", "arc+wa:bias=kept", "ot+wa", "linear+bfly",
    "arc+bfly", "ot+bfly",
  ]
  static let networks: [[Int]] = [[6, 9, 4], [6, 9, 8, 4], [6, 7, 9, 8, 4]]

  private struct Case {
    var a: Weights
    var b: Weights
    var samples: SampleSet
    var path: any ConnectionPath
  }

  private func make(_ method: String, _ sizes: [Int], bias: Bool = true) throws -> Case {
    let network = try denseNetwork(sizes, bias: bias)
    let a = try Weights(randomFor: network, seed: 1)
    let b = try Weights(randomFor: network, seed: 2)
    let samples = try randomSamples(
      count: 400, shape: [sizes[0]], classes: sizes[sizes.count - 1])
    return Case(a: a, b: b, samples: samples, path: try path(method, a, b, samples: samples))
  }

  @Test(arguments: methods, networks)
  func `a path starts at A and ends at B, to the bit`(method: String, sizes: [Int]) throws {
    for bias in [true, false] {
      let made = try make(method, sizes, bias: bias)
      let end = made.path.domain.upperBound
      #expect(try made.path.weights(at: 0).isIdentical(to: made.a))
      #expect(try made.path.weights(at: end).isIdentical(to: made.b))
      for share in [0.1, 0.37, 0.5, 0.93] {
        #expect(try made.path.weights(at: share * end).isFinite)
      }
    }
  }

  @Test(arguments: methods, networks)
  func `weights and outputs are continuous`(method: String, sizes: [Int]) throws {
    // Where a unit dies, adjusted weights move fast but for a ridge; 400 points must resolve it.
    let smooth = method.hasSuffix("+wa") ? method + ":ridge=0.05" : method
    let made = try make(smooth, sizes)
    let runner = try Runner(made.path.network)
    let block = made.samples.block(0..<50)
    // Fine enough that the moves of single units are steps of many pieces.
    func largestSteps(_ perStage: Int) throws -> (weights: Double, outputs: Double) {
      let steps = perStage * made.path.stages.count
      let points = try made.path.weights(
        atEach: (0...steps).map { Double($0) / Double(perStage) })
      let outputs = points.map { runner.output(of: block, weights: $0) }
      return (
        zip(points, points.dropFirst()).map { $0.distance(to: $1) }.max() ?? 0,
        zip(outputs, outputs.dropFirst()).map { $0.squaredDistance(to: $1).squareRoot() }.max() ?? 0
      )
    }
    let (coarse, fine) = (try largestSteps(200), try largestSteps(400))
    #expect(fine.weights < 0.65 * coarse.weights)
    #expect(fine.outputs < 0.65 * coarse.outputs)
  }

  /// With the default ridge weights may move fast, but where they do, finer points show no jump.
  @Test(arguments: ["linear+wa", "arc+wa", "ot+wa"], networks)
  func `the largest step is no jump`(method: String, sizes: [Int]) throws {
    let made = try make(method, sizes)
    func steps(_ times: [Double]) throws -> [Double] {
      let points = try made.path.weights(atEach: times)
      return zip(points, points.dropFirst()).map { $0.distance(to: $1) }
    }
    let times = (0...made.path.stages.count * 50).map { Double($0) / 50 }
    let coarse = try steps(times)
    let worst = try #require(coarse.indices.max { coarse[$0] < coarse[$1] })
    func largest(_ parts: Int) throws -> Double {
      let inside = (0...parts).map { times[worst] + Double($0) / Double(50 * parts) }
      return try steps(inside).max() ?? 0
    }
    let (few, many) = (try largest(200), try largest(2000))
    #expect(many < 0.25 * few)
  }

  @Test(arguments: methods, networks)
  func `both ways of evaluating agree`(method: String, sizes: [Int]) throws {
    let made = try make(method, sizes)
    let times = (0...made.path.stages.count * 4).map { Double($0) / 4 }
    let structured = try PathEvaluator().evaluate(made.path, at: times, on: made.samples)
    let obvious = try PathEvaluator(strategy: .pointByPoint).evaluate(
      made.path, at: times, on: made.samples)
    for (x, y) in zip(structured, obvious) {
      #expect(abs(x.crossEntropy - y.crossEntropy) < 2e-5)
    }
  }

  @Test(arguments: ["linear+wa", "ot+wa", "arc+bfly"])
  func `equal inputs give equal paths`(method: String) throws {
    let (first, second) = (try make(method, [6, 9, 8, 4]), try make(method, [6, 9, 8, 4]))
    for t in [0.3, 1.5, 2.0, 2.7] {
      #expect(try first.path.weights(at: t).isIdentical(to: second.path.weights(at: t)))
    }
  }

  /// While the first layer moves, the second is the least-squares solution of what the samples say.
  @Test func `an adjusted layer is the solution at its point`() throws {
    let made = try make("linear+wa:ridge=0", [6, 9, 4])
    let runner = try Runner(made.path.network)
    let inputs = made.samples.block(0..<made.samples.count)
    let target = runner.output(of: inputs, weights: made.a)
    for t in [0.25, 0.5, 1] {
      let point = try made.path.weights(at: t - (t == 1 ? 1e-12 : 0))
      let features = try output(of: inputs, point, layers: 2)
      var problem = LeastSquares(features: 9, targets: 4, solvingBias: true)
      problem.add(features, targets: target)
      let expected = try problem.solution()
      #expect(point[2].squaredDistance(to: expected.weights).squareRoot() < 2e-3)
      #expect(point[3].squaredDistance(to: try #require(expected.bias)).squareRoot() < 2e-3)
    }
  }

  @Test func `stages are those of the construction`() throws {
    let labels = try make("linear+wa", [6, 7, 9, 8, 4]).path.stages.map(\.label)
    #expect(
      labels == [
        "dense1 moves", "dense3 is adjusted", "dense2 moves", "dense4 is adjusted", "dense3 moves",
        "dense4 moves",
      ])
    let butterfly = try make("linear+bfly", [6, 9, 8, 4]).path.stages.map(\.label)
    #expect(butterfly == ["dense1 moves", "dense2 moves", "dense3 moves"])
    let transport = try make("ot", [6, 9, 4]).path.stages
    #expect(transport.map(\.label) == ["transport", "free a unit", "reorder", "restore it"])
    #expect(transport.map(\.keepsFunction) == [false, false, true, false])
  }

  @Test(arguments: ["linear+wa", "ot+bfly"])
  func `what is lacking is said`(method: String) throws {
    let network = try denseNetwork([6, 9, 4])
    let (a, b) = (
      try Weights(randomFor: network, seed: 1), try Weights(randomFor: network, seed: 2)
    )
    #expect(throws: ConnectionError.needsSamples(method: method)) { try path(method, a, b) }
    let samples = try randomSamples(count: 50, shape: [6], classes: 4)
    let single = try denseNetwork([6, 4])
    let error = #expect(throws: ConnectionError.self) {
      try path(
        method, Weights(randomFor: single, seed: 1), Weights(randomFor: single, seed: 2),
        samples: samples)
    }
    #expect(error?.description.contains("2 layers") == true)
    var broken = b
    broken[0].elements[3] = .nan
    let weights = broken
    let fault = try #require(weights.fault)
    #expect(fault.reason == .notFinite(count: 1, of: 54))
    #expect(throws: ConnectionError.weights(network: "the second network", fault)) {
      try path(method, a, weights, samples: samples)
    }
    #expect(throws: DataError.self) {
      try path(method, a, b, samples: randomSamples(count: 50, shape: [5], classes: 4))
    }
  }
}
