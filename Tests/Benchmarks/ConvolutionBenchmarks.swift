// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics

/// The convolutional networks TARGETS compares with PyTorch, on a batch of 128 random images.
enum ConvolutionBenchmarks {
  static let all: [Benchmark] =
    ["vgg16", "conv2fc1", "resnet"].flatMap {
      [trainingStep($0), evaluation($0)]
    } + [augmentation]

  private static let batch = 128

  private static func network(_ name: String) throws -> Network {
    try PluginRegistry.linked().architecture(
      PluginReference(name == "resnet" ? "resnet:depth=20,shortcut=projection" : name)
    )
    .network(inputShape: [3, 32, 32], classes: 10)
  }

  static func trainingStep(_ name: String) -> Benchmark {
    Benchmark(
      name: "\(name) training step", work: "\(name), batch \(batch), SGD with momentum, one step",
      prepare: {
        let network = try network(name)
        let runner = try Runner(network)
        let samples = try DenseBenchmarks.randomSamples(batch)
        let block = samples.block(0..<batch)
        var weights = try Weights(randomFor: network, seed: 1)
        var optimiser = Optimiser(.sgd(momentum: 0.9, decay: 1e-4), for: network)
        return {
          _ = runner.accumulateGradients(
            of: block, labels: samples.labels[...], weights: weights, into: &optimiser.gradients,
            carry: optimiser.carry, random: nil, workers: .available)
          optimiser.step(&weights, rate: 0.001, workers: .available)
        }
      })
  }

  /// Twenty batches of images of bytes, flipped, cropped and scaled.
  static let augmentation = Benchmark(
    name: "augmented batches", work: "20 batches of \(batch) images [3, 32, 32]",
    prepare: {
      let shape: Shape = [3, 32, 32]
      var random = RandomStream(seed: 2)
      let bytes = (0..<1000 * shape.count).map { _ in UInt8(random.integer(below: 256)) }
      let samples = try SampleSet(
        name: "random", sampleShape: shape, classes: 10,
        labels: (0..<1000).map { Int32($0 % 10) },
        values: .bytes(bytes, [SampleSet.ChannelScaling()]),
        augmentation: .init(flips: true, padding: 4))
      return {
        for step in 0..<20 {
          let first = step * batch
          _ = samples.block(
            at: (0..<batch).map { (first + $0 * 7) % 1000 },
            augmenting: { RandomStream(seed: 1, purpose: .augmentation, index: first + $0) },
            workers: .available)
        }
      }
    })

  static func evaluation(_ name: String) -> Benchmark {
    Benchmark(
      name: "\(name) evaluation", work: "\(name), \(batch) images",
      prepare: {
        let network = try network(name)
        let runner = try Runner(network)
        let samples = try DenseBenchmarks.randomSamples(batch)
        let weights = try Weights(randomFor: network, seed: 1)
        return { _ = try runner.evaluate(weights, on: samples) }
      })
  }
}
