// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import LCWPaths
import Synchronization
import Testing

/// The structured evaluation against the one that computes each point by itself.
struct EvaluatorTests {
  private let times = [0, 0.1, 0.25, 0.5, 0.77, 1]

  private func expectAgreement(
    _ path: any ConnectionPath, _ samples: SampleSet, at times: [Double]
  ) throws {
    let structured = try PathEvaluator().evaluate(path, at: times, on: samples)
    let obvious = try PathEvaluator(strategy: .pointByPoint).evaluate(path, at: times, on: samples)
    #expect(structured.count == times.count)
    for (x, y) in zip(structured, obvious) {
      #expect(abs(x.crossEntropy - y.crossEntropy) < 1e-5)
      #expect(abs(x.accuracy - y.accuracy) <= 2 / Double(samples.count))
    }
  }

  @Test(arguments: ["linear", "arc"], MethodTests.networks)
  func `both ways agree on the methods' paths`(method: String, sizes: [Int]) throws {
    for activation in [Layer.relu, .tanh] {
      for bias in [true, false] {
        let network = try denseNetwork(sizes, bias: bias, activation: activation)
        let samples = try randomSamples(
          count: 700, shape: [sizes[0]], classes: sizes[sizes.count - 1])
        let path = try path(
          method, Weights(randomFor: network, seed: 1), Weights(randomFor: network, seed: 2))
        try expectAgreement(path, samples, at: times)
      }
    }
  }

  /// A network 6-9-8-4 and five of its weights.
  private func corners() throws -> (network: Network, corners: [Weights]) {
    let network = try denseNetwork([6, 9, 8, 4])
    return (network, try (1...5).map { try Weights(randomFor: network, seed: $0) })
  }

  @Test(arguments: [
    Curve.chain(points: 5), .bezier(points: 5), .chain(points: 3), .bezier(points: 4),
  ])
  func `both ways agree on chains and Bézier curves`(curve: Curve) throws {
    let (network, corners) = try corners()
    let motions = network.parameters.indices.map { parameter in
      Motion.combination(corners.prefix(curve.count).map { $0[parameter] }, curve)
    }
    let path = try ExplicitPath(
      network: network, stages: [PathStage(label: "curve", motions: motions)])
    let samples = try randomSamples(count: 300, shape: [6], classes: 4)
    try expectAgreement(path, samples, at: times)
  }

  @Test
  func `both ways agree where layers move one after the other`() throws {
    let (network, corners) = try corners()
    // Layer by layer from the first corner to the second; biases and weights of a layer apart.
    var stages: [PathStage] = []
    for moving in network.parameters.indices.reversed() {
      let motions = network.parameters.indices.map { parameter in
        parameter == moving
          ? Motion.combination([corners[0][parameter], corners[1][parameter]], .line)
          : .fixed(corners[parameter > moving ? 1 : 0][parameter])
      }
      stages.append(PathStage(label: "parameter \(moving)", motions: motions))
    }
    let path = try ExplicitPath(network: network, stages: stages)
    #expect(try path.weights(at: 0).isIdentical(to: corners[0]))
    #expect(try path.weights(at: 6).isIdentical(to: corners[1]))
    let samples = try randomSamples(count: 300, shape: [6], classes: 4)
    try expectAgreement(path, samples, at: [0, 0.5, 1, 1.3, 2, 2.5, 3.1, 4.7, 5, 5.9, 6])
  }

  @Test
  func `both ways agree where a basis broadcasts`() throws {
    let (network, corners) = try corners()
    let motions = network.parameters.indices.map { parameter in
      let shape = network.parameters[parameter].shape
      // A mean over columns rather than rows, and a scalar for everything.
      let center = Tensor(repeating: 0.05, shape: shape.rank == 2 ? [shape[0], 1] : [1])
      return Motion.combination([center, corners[0][parameter], corners[1][parameter]], .arc)
    }
    let path = try ExplicitPath(
      network: network, stages: [PathStage(label: "broadcast", motions: motions)])
    try expectAgreement(path, randomSamples(count: 300, shape: [6], classes: 4), at: times)
  }

  @Test
  func `both ways agree where only shared rows combine`() throws {
    let (network, _) = try corners()
    var random = RandomStream(seed: 4)
    let motions = network.parameters.map { parameter in
      let shape = parameter.shape.rank == 2 ? Shape([1, parameter.shape[1]]) : parameter.shape
      return Motion.combination([random.normal(shape), random.normal(shape)], .line)
    }
    let path = try ExplicitPath(
      network: network, stages: [PathStage(label: "shared", motions: motions)])
    try expectAgreement(path, randomSamples(count: 100, shape: [6], classes: 4), at: times)
  }

  /// A path that tells nothing of its motion.
  private struct OpaquePath: ConnectionPath {
    let inner: any ConnectionPath
    var network: Network { inner.network }
    var stages: [PathStage] {
      [PathStage(label: "opaque", motions: network.parameters.map { _ in .opaque })]
    }
    func weights(at t: Double) throws -> Weights { try inner.weights(at: t) }
  }

  @Test
  func `an opaque path is evaluated by its points`() throws {
    let network = try denseNetwork([6, 9, 4])
    let inner = try path(
      "arc", Weights(randomFor: network, seed: 1), Weights(randomFor: network, seed: 2))
    let samples = try randomSamples(count: 300, shape: [6], classes: 4)
    try expectAgreement(OpaquePath(inner: inner), samples, at: times)
  }

  @Test
  func `results do not depend on the number of workers`() throws {
    let network = try denseNetwork([6, 30, 4])
    let path = try path(
      "arc", Weights(randomFor: network, seed: 1), Weights(randomFor: network, seed: 2))
    let samples = try randomSamples(count: 3000, shape: [6], classes: 4)
    let one = try PathEvaluator(workers: .serial).evaluate(path, at: times, on: samples)
    let three = try PathEvaluator(workers: Workers(3)).evaluate(path, at: times, on: samples)
    #expect(one == three)
  }

  @Test
  func `the worst point is found between the points of the grid`() throws {
    // Along a polygonal chain with its corner at 1/3, which a grid of five points misses.
    let network = try denseNetwork([6, 9, 4])
    let a = try Weights(randomFor: network, seed: 1)
    let b = try Weights(randomFor: network, seed: 2)
    var bad = a
    for index in bad.tensors.indices {
      bad[index] = Tensor.combination(
        [bad[index]], coefficients: [-6], shape: bad[index].shape)
    }
    let motions = network.parameters.indices.map {
      Motion.combination([a[$0], bad[$0], a[$0], b[$0]], .chain(points: 4))
    }
    let path = try ExplicitPath(
      network: network, stages: [PathStage(label: "detour", motions: motions)])
    let samples = try randomSamples(count: 400, shape: [6], classes: 4)
    let data = EvaluationData(train: samples, test: samples)
    let evaluator = PathEvaluator()
    let refined = try evaluator.evaluate(path, on: data, pointsPerUnit: 5)
    let coarse = try evaluator.evaluate(path, on: data, pointsPerUnit: 5, refining: false)
    let exact = try evaluator.evaluate(path, at: [1.0 / 3], on: samples)[0].crossEntropy
    #expect(coarse.train.worstLoss < 0.9 * exact)
    #expect(refined.train.worstLoss > 0.97 * exact)
    #expect(abs(refined.train.worstLossTime - 1.0 / 3) < 0.02)
    #expect(refined.grid == coarse.points)
    #expect(refined.points.map(\.t) == refined.points.map(\.t).sorted())
  }

  @Test
  func `the figures of a path are those of their definitions`() throws {
    let network = try denseNetwork([6, 9, 4])
    let a = try Weights(randomFor: network, seed: 1)
    let b = try Weights(randomFor: network, seed: 2)
    let path = try path("linear", a, b)
    let train = try randomSamples(count: 400, shape: [6], classes: 4)
    let test = try randomSamples(count: 200, shape: [6], classes: 4, seed: 8)
    let evaluation = try PathEvaluator().evaluate(
      path, on: EvaluationData(train: train, test: test), pointsPerUnit: 11, refining: false)
    #expect(evaluation.points.count == 11)
    #expect(abs(evaluation.length - a.distance(to: b)) < 1e-4)
    #expect(abs(evaluation.distance - a.distance(to: b)) < 1e-9)
    let losses = evaluation.points.map(\.test.crossEntropy)
    let trapezoid = zip(losses, losses.dropFirst()).reduce(0) { $0 + ($1.0 + $1.1) / 2 } / 10
    #expect(abs(evaluation.test.meanLoss - trapezoid) < 1e-5)
    #expect(evaluation.test.worstLoss == losses.max())
    #expect(evaluation.test.worstAccuracy == evaluation.points.map(\.test.accuracy).min())
    let excess = losses.enumerated().map { index, loss in
      loss - (losses[0] + (losses[10] - losses[0]) * Double(index) / 10)
    }
    #expect(abs(evaluation.test.barrier - (excess.max() ?? 0)) < 1e-12)
    #expect(
      evaluation.train.endLoss
        == (evaluation.points[0].train.crossEntropy
          + evaluation.points[10].train.crossEntropy) / 2)
  }

  @Test func `progress counts the points that are measured, not the stages that are passed by`()
    throws
  {
    let network = try denseNetwork([6, 9, 4])
    let samples = try randomSamples(count: 300, shape: [6], classes: 4)
    let path = try path(
      "ot", Weights(randomFor: network, seed: 1), Weights(randomFor: network, seed: 2))
    try #require(path.stages.count == 4)
    let reports = Mutex<[Double]>([])
    let evaluator = PathEvaluator(workers: Workers(1)) { progress in
      reports.withLock { $0.append(progress.share) }
    }
    _ = try evaluator.evaluate(path, at: [2.25, 2.75, 3.5], on: samples)
    let shares = reports.withLock { $0 }
    #expect(shares.first == 0 && shares == shares.sorted())
    #expect(shares.contains(0.5) && shares.allSatisfy { $0 <= 1 })
  }
}
