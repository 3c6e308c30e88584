// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import LCWPaths

/// The work TARGETS compares with PyTorch, on the network 3072-2000-10 and random bytes.
enum DenseBenchmarks {
  static let all: [Benchmark] = [trainingStep, inputs, path("linear"), path("arc"), onePoint]

  private static let inputs50000 = 50_000
  private static let inputs60000 = 60_000

  static func denseNetwork() throws -> Network {
    try Network(
      inputShape: [3072],
      layers: [.dense(outputs: 2000, bias: true), .relu, .dense(outputs: 10, bias: true)])
  }

  static func randomSamples(_ count: Int) throws -> SampleSet {
    var random = RandomStream(seed: 1)
    let words = (0..<count * 3072 / 4).map { _ in random.nextWord() }
    return try SampleSet(
      name: "random", sampleShape: [3, 32, 32], classes: 10,
      labels: (0..<count).map { Int32($0 % 10) },
      values: .bytes(
        words.withUnsafeBytes { [UInt8]($0) },
        [Double](repeating: 0.45, count: 3).map { .init(mean: $0, deviation: 0.225) }))
  }

  static let trainingStep = Benchmark(
    name: "training step", work: "3072-2000-10, batch 128, SGD with momentum, 20 steps",
    prepare: {
      let network = try denseNetwork()
      let runner = try Runner(network)
      let samples = try randomSamples(128)
      let block = samples.block(0..<128)
      var weights = try Weights(randomFor: network, seed: 1)
      var optimiser = Optimiser(.sgd(momentum: 0.9, decay: 1e-4), for: network)
      return {
        for _ in 0..<20 {
          _ = runner.accumulateGradients(
            of: block, labels: samples.labels[...], weights: weights, into: &optimiser.gradients,
            carry: optimiser.carry, random: nil, workers: .available)
          optimiser.step(&weights, rate: 0.001, workers: .available)
        }
      }
    })

  static let inputs = Benchmark(
    name: "evaluating inputs", work: "50,000 inputs on 3072-2000-10",
    prepare: {
      let network = try denseNetwork()
      let runner = try Runner(network)
      let samples = try randomSamples(inputs50000)
      let weights = try Weights(randomFor: network, seed: 1)
      return { _ = try runner.evaluate(weights, on: samples) }
    }, runs: 3)

  static func path(_ method: String) -> Benchmark {
    Benchmark(
      name: "\(method) path", work: "61 points on 60,000 inputs, 3072-2000-10",
      prepare: {
        let network = try denseNetwork()
        let samples = try randomSamples(inputs60000)
        let path = try PluginRegistry.linked().connection(MethodExpression(method)).path(
          from: Weights(randomFor: network, seed: 1), to: Weights(randomFor: network, seed: 2))
        let times = (0...60).map { Double($0) / 60 }
        return { _ = try PathEvaluator().evaluate(path, at: times, on: samples) }
      }, runs: 3)
  }

  static let onePoint = Benchmark(
    name: "one point of a path", work: "60,000 inputs on 3072-2000-10, point by point",
    prepare: {
      let network = try denseNetwork()
      let samples = try randomSamples(inputs60000)
      let path = try PluginRegistry.linked().connection(MethodExpression("linear")).path(
        from: Weights(randomFor: network, seed: 1), to: Weights(randomFor: network, seed: 2))
      return {
        _ = try PathEvaluator(strategy: .pointByPoint).evaluate(path, at: [0.5], on: samples)
      }
    }, runs: 3)
}
