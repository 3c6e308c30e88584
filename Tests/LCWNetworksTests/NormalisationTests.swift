// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import Testing

/// Batch normalisation against what PyTorch made of the same input; the file is written by
/// Tests/Reference/convolution_fixtures.py.
struct PyTorchNormalisationTests {
  private struct Case: Decodable {
    var samples: Int
    var image: [Int]
    var input: [Float]
    var weight: [Float]
    var bias: [Float]
    var mean: [Float]
    var variance: [Float]
    var evaluation: [Double]
    var output: [Double]
    var gradient: [Float]
    var inputGradient: [Double]
    var weightGradient: [Double]
    var biasGradient: [Double]
    var meanAfter: [Double]
    var varianceAfter: [Double]
  }

  private func cases() throws -> [Case] {
    let file = try #require(
      Bundle.module.url(
        forResource: "normalisation", withExtension: "json", subdirectory: "Fixtures"))
    return try JSONDecoder().decode([Case].self, from: Data(contentsOf: file))
  }

  @Test
  func `outputs and gradients are PyTorch's`() throws {
    let cases = try cases()
    #expect(cases.count == 4)
    for c in cases {
      let sample = Shape(c.image)
      let normalisation = ChannelNormalisation(over: sample)
      let input = try Tensor(c.input, shape: sample.batched(c.samples))
      let (scale, shift) = (Tensor(c.weight), Tensor(c.bias))
      let running = ChannelNormalisation.Moments(
        mean: Tensor(c.mean), variance: Tensor(c.variance))
      let evaluated = normalisation.output(
        of: input, moments: running, scale: scale, shift: shift)
      #expect(differ(evaluated, c.evaluation) < 1e-5)
      for workers in [Workers.serial, Workers(3)] {
        let moments = normalisation.moments(of: input, workers: workers)
        let output = normalisation.output(
          of: input, moments: moments, scale: scale, shift: shift, workers: workers)
        #expect(differ(output, c.output) < 1e-5)
        var gradient = try Tensor(c.gradient, shape: input.shape)
        let own = normalisation.backward(
          &gradient, block: input, moments: moments, scale: scale, workers: workers)
        #expect(differ(gradient, c.inputGradient) < 2e-5)
        #expect(differ(own.scale, c.weightGradient) < 2e-5)
        #expect(differ(own.shift, c.biasGradient) < 2e-5)
      }
    }
  }

  /// A step of training moves the running statistics as PyTorch's momentum of 0.1 does.
  @Test
  func `running statistics are PyTorch's`() throws {
    for c in try cases() {
      let network = try Network(
        inputShape: Shape(c.image),
        layers: [.batchNorm, .flatten, .dense(outputs: 2, bias: false)])
      var weights = try Weights(randomFor: network, seed: 1)
      for (index, values) in [c.weight, c.bias, c.mean, c.variance].enumerated() {
        weights[index] = Tensor(values)
      }
      var optimiser = Optimiser(.sgd(momentum: 0.9, decay: 1e-4), for: network)
      let runner = try Runner(network)
      _ = runner.accumulateGradients(
        of: try Tensor(c.input, shape: Shape(c.image).batched(c.samples)),
        labels: [Int32](repeating: 0, count: c.samples)[...], weights: weights,
        into: &optimiser.gradients, carry: optimiser.carry, random: nil, workers: Workers(2))
      optimiser.step(&weights, rate: 0.1, workers: Workers(2))
      #expect(differ(weights[2], c.meanAfter) < 1e-6)
      #expect(differ(weights[3], c.varianceAfter) < 1e-6)
    }
  }
}

struct NormalisationTests {
  private static let chain: [Layer] = [
    .convolution(.init(filters: 20, kernel: 3, padding: 1, bias: false)), .batchNorm, .relu,
    .maxPool(.init(size: 2, stride: 2)), .flatten, .dense(outputs: 200, bias: true), .batchNorm,
    .relu, .dense(outputs: 4, bias: true),
  ]

  private func network() throws -> Network {
    try Network(inputShape: [3, 12, 12], layers: Self.chain)
  }

  @Test
  func `moments are of the whole batch, whatever the number of workers`() throws {
    var random = RandomStream(seed: 3)
    for shape in [[40, 16, 30, 30], [300, 700], [3, 2, 50, 60]] as [Shape] {
      let block = random.normal(shape, deviation: 3)
      let normalisation = ChannelNormalisation(over: Shape(Array(shape.dimensions.dropFirst())))
      let one = normalisation.moments(of: block)
      for count in [2, 3, 5] {
        #expect(normalisation.moments(of: block, workers: Workers(count)) == one)
      }
      let channel = (0..<block.count).filter {
        $0 / normalisation.positions % normalisation.channels == 1
      }.map { Double(block.elements[$0]) }
      let mean = channel.reduce(0, +) / Double(channel.count)
      let square = channel.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(channel.count)
      #expect(abs(Double(one.mean.elements[1]) - mean) < 1e-6)
      #expect(abs(Double(one.variance.elements[1]) / square - 1) < 1e-5)
    }
  }

  @Test
  func `training learns, and its running statistics repeat`() throws {
    let network = try network()
    let samples = try learnableSamples(count: 320, width: 432, classes: 4)
    let images = try SampleSet(
      name: "images", sampleShape: [3, 12, 12], classes: 4, labels: samples.labels,
      values: samples.values)
    let plan = TrainingPlan(epochs: 3, batch: 32, rate: 0.02, schedule: .constant, seed: 4)
    let runs = try [2, 2, 3].map { workers in
      var trainer = try Trainer(network, plan: plan)
      while !trainer.isFinished { try trainer.runEpoch(on: images, workers: Workers(workers)) }
      return trainer
    }
    #expect(runs[0].weights.isIdentical(to: runs[1].weights))
    for index in network.parameters.indices where !network.parameters[index].isTrained {
      for (x, y) in zip(runs[0].weights[index].elements, runs[2].weights[index].elements) {
        #expect(abs(x - y) < 1e-2 * max(1, abs(x)))
      }
    }
    let runner = try Runner(network)
    #expect(try runner.evaluate(runs[0].weights, on: images).accuracy > 0.97)
    // By the moments it began with, the same network does not tell the classes apart as well.
    var unmoved = runs[0].weights
    let fresh = try Weights(randomFor: network, seed: 4)
    for index in network.parameters.indices where !network.parameters[index].isTrained {
      unmoved[index] = fresh[index]
    }
    let (moved, initial) = (
      try runner.evaluate(runs[0].weights, on: images),
      try runner.evaluate(unmoved, on: images)
    )
    #expect(initial.crossEntropy > 1.5 * moved.crossEntropy)
  }

  @Test
  func `a run goes on with its running statistics`() throws {
    let network = try network()
    let samples = try randomSamples(count: 64, shape: [3, 12, 12], classes: 4)
    let plan = TrainingPlan(epochs: 2, batch: 16, rate: 0.01, schedule: .constant, seed: 4)
    var whole = try Trainer(network, plan: plan)
    try whole.runEpoch(on: samples, workers: Workers(2))
    let saved = whole.checkpoint(
      architecture: PluginReference(name: "own"), dataset: PluginReference(name: "own"))
    try whole.runEpoch(on: samples, workers: Workers(2))
    var resumed = try Trainer(network, plan: plan)
    try resumed.resume(from: saved)
    try resumed.runEpoch(on: samples, workers: Workers(2))
    #expect(resumed.weights.isIdentical(to: whole.weights))
  }

  @Test
  func `evaluation does not depend on the batch`() throws {
    let network = try network()
    let samples = try randomSamples(count: 33, shape: [3, 12, 12], classes: 4)
    let weights = try normalisedWeights(of: network, seed: 5)
    let runner = try Runner(network)
    let all = runner.output(of: samples.block(0..<33), weights: weights, workers: Workers(2))
    let one = runner.output(of: samples.block(7..<8), weights: weights)
    for (x, y) in zip(all.row(7), one.row(0)) { #expect(abs(x - y) < 1e-4) }
  }

  @Test
  func `a batch that leaves one value to a channel is refused`() throws {
    let network = try network()
    let samples = try randomSamples(count: 33, shape: [3, 12, 12], classes: 4)
    var trainer = try Trainer(network, plan: TrainingPlan(epochs: 1, batch: 16))
    let error = #expect(throws: TrainingError.self) { try trainer.runEpoch(on: samples) }
    #expect(error?.remedy == .changeBatch)
    var other = try Trainer(network, plan: TrainingPlan(epochs: 1, batch: 11))
    try other.runEpoch(on: samples)
    // An image has as many values as positions.
    let images = try Network(
      inputShape: [3, 12, 12], layers: [.batchNorm, .flatten, .dense(outputs: 4, bias: true)])
    var third = try Trainer(images, plan: TrainingPlan(epochs: 1, batch: 16, rate: 1e-3))
    try third.runEpoch(on: samples)
  }
}

/// Random weights with normalisations that change what they get.
func normalisedWeights(of network: Network, seed: UInt64) throws -> Weights {
  var weights = try Weights(randomFor: network, seed: seed)
  var random = RandomStream(seed: seed)
  for (index, parameter) in network.parameters.enumerated() {
    switch parameter.role {
    case .scale, .shift, .mean: weights[index] = random.normal(parameter.shape)
    case .variance: weights[index] = random.uniform(parameter.shape, bound: 0.5)
    default: continue
    }
    if parameter.role == .variance {
      for element in 0..<parameter.shape.count { weights[index].elements[element] += 1 }
    }
  }
  return weights
}

struct FoldingTests {
  static let chains: [[Layer]] = [
    [.convolution(.init(filters: 4, kernel: 3, padding: 1)), .batchNorm, .relu, .flatten],
    [
      .convolution(.init(filters: 4, kernel: 3, stride: 2, padding: 1, bias: false)), .batchNorm,
      .maxPool(.init(size: 2, stride: 1)), .flatten, .dense(outputs: 5, bias: false), .batchNorm,
      .batchNorm, .tanh,
    ],
    [
      .batchNorm,
      .convolution(.init(filters: 3, kernel: [2, 3], stride: 1, padding: 0, bias: false)),
      .relu, .batchNorm, .dropout(rate: 0.5), .flatten,
    ],
    [.batchNorm, .batchNorm, .flatten, .batchNorm],
  ]

  @Test(arguments: chains)
  func `a folded network computes the same`(layers: [Layer]) throws {
    let network = try Network(
      inputShape: [2, 7, 6], layers: layers + [.dense(outputs: 3, bias: false)])
    let weights = try normalisedWeights(of: network, seed: 8)
    let folded = try weights.foldingBatchNorm()
    #expect(!folded.network.layers.contains(.batchNorm))
    #expect(folded.network.layers.count == network.layers.count { $0 != .batchNorm })
    var random = RandomStream(seed: 1)
    let block = random.normal([9, 2, 7, 6])
    let expected = try Runner(network).output(of: block, weights: weights)
    let found = try Runner(folded.network).output(of: block, weights: folded)
    #expect(expected.elements.contains { abs($0) > 0.1 })
    for (x, y) in zip(expected.elements, found.elements) {
      #expect(abs(x - y) < 1e-5 * max(1, abs(x)))
    }
  }

  @Test
  func `a network without normalisations stays as it is`() throws {
    let network = try Network(inputShape: [3], layers: [.dense(outputs: 2, bias: false)])
    let weights = try Weights(randomFor: network, seed: 1)
    #expect(try weights.foldingBatchNorm().isIdentical(to: weights))
  }

  @Test(arguments: [(2, Float.nan), (3, -0.5), (3, .infinity), (0, 3e38)])
  func `moments that can't be are refused, so that no network of NaN is made`(
    tensor: Int, value: Float
  ) throws {
    let network = try Network(
      inputShape: [2, 5, 5],
      layers: [.convolution(.init(filters: 3, kernel: 3)), .batchNorm, .flatten])
    var weights = try normalisedWeights(of: network, seed: 8)
    let parameter = network.parameterIndices(ofLayer: 1)[tensor]
    weights[parameter].elements[1] = value
    if tensor == 0 { weights[0] = Tensor(repeating: 100, shape: weights[0].shape) }
    let error = #expect(throws: FoldingError.self) { try weights.foldingBatchNorm() }
    #expect(error == .notFinite(layer: 1, description: "batchnorm"))
  }

  @Test
  func `a normalisation without a neighbour is refused by name`() throws {
    let convolution = Layer.convolution(.init(filters: 2, kernel: 3, padding: 1))
    let chains: [([Layer], Int, String)] = [
      (
        [convolution, .relu, .batchNorm, convolution, .flatten], 2,
        "conv2, which reads it, pads with zeros"
      ), ([.batchNorm, convolution], 0, "conv1, which reads it, pads with zeros"),
      ([convolution, .batchNorm, .relu, .batchNorm, .relu], 3, "relu2 (relu) reads it"),
    ]
    for (layers, index, reason) in chains {
      let network = try Network(inputShape: [2, 5, 5], layers: layers)
      let error = FoldingError.noNeighbour(
        layer: index, description: "batchnorm", reason: reason)
      #expect(throws: error) { try Weights(randomFor: network, seed: 1).foldingBatchNorm() }
    }
  }
}
