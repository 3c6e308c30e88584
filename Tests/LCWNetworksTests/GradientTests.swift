// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import Testing

/// Gradients of the mean cross-entropy against central differences.
struct GradientTests {
  static let chains: [[Layer]] = [
    [.dense(outputs: 3, bias: true)],
    [.dense(outputs: 3, bias: false)],
    [.dense(outputs: 6, bias: true), .relu, .dense(outputs: 3, bias: true)],
    [.dense(outputs: 6, bias: false), .relu, .dense(outputs: 3, bias: false)],
    [.dense(outputs: 5, bias: true), .tanh, .dense(outputs: 3, bias: true)],
    [.relu, .dense(outputs: 5, bias: true), .tanh, .relu, .dense(outputs: 3, bias: true)],
    [.tanh, .dense(outputs: 5, bias: true), .relu, .tanh, .dense(outputs: 3, bias: true)],
    [.dense(outputs: 6, bias: true), .dropout(rate: 0.4), .dense(outputs: 3, bias: true)],
    [
      .dense(outputs: 6, bias: true), .relu, .dropout(rate: 0.4),
      .dense(outputs: 5, bias: true), .relu, .dense(outputs: 3, bias: true),
    ],
  ]

  @Test(arguments: chains)
  func `every parameter's gradient is that of central differences`(layers: [Layer]) throws {
    try check(Network(inputShape: [4], layers: layers))
  }

  @Test
  func `gradients pass through flatten`() throws {
    try check(
      Network(
        inputShape: [2, 3, 2],
        layers: [
          .tanh, .flatten, .dense(outputs: 5, bias: true), .relu, .dense(outputs: 3, bias: true),
        ]))
  }

  static let imageChains: [[Layer]] = [
    [.convolution(.init(filters: 3, kernel: 3, padding: 1)), .flatten],
    [.convolution(.init(filters: 3, kernel: 3, padding: 1, bias: false)), .relu, .flatten],
    [
      .tanh, .convolution(.init(filters: 3, kernel: [2, 3], stride: 2, padding: 1, bias: true)),
      .flatten,
    ],
    [
      .convolution(.init(filters: 3, kernel: 3, padding: 1)), .relu,
      .maxPool(.init(size: 3, stride: 2)),
      .convolution(.init(filters: 4, kernel: 2)), .relu, .flatten,
    ],
    [
      .convolution(.init(filters: 3, kernel: 1)),
      .averagePool(.init(size: 3, stride: 1, padding: 1)),
      .convolution(.init(filters: 2, kernel: 3, padding: 1)), .tanh,
      .maxPool(.init(size: 2, stride: 2, padding: 1)), .flatten,
    ],
    // Enough channels and filters for Winograd's filtering, and then for direct sums.
    [
      .convolution(.init(filters: 16, kernel: 3, padding: 1)), .tanh,
      .convolution(.init(filters: 17, kernel: 3, padding: 1)), .tanh,
      .averagePool(.init(size: 3, stride: 2)),
      .convolution(.init(filters: 16, kernel: 3, padding: 1)), .flatten,
    ],
  ]

  @Test(arguments: imageChains)
  func `gradients of convolutions and poolings are those of central differences`(
    layers: [Layer]
  ) throws {
    try check(Network(inputShape: [2, 5, 6], layers: layers + [.dense(outputs: 3, bias: true)]))
  }

  static let normalisedChains: [[Layer]] = [
    [.convolution(.init(filters: 3, kernel: 3, padding: 1)), .batchNorm, .tanh, .flatten],
    [
      .convolution(.init(filters: 3, kernel: 3, bias: false)), .batchNorm, .relu,
      .maxPool(.init(size: 2, stride: 1)),
      .convolution(.init(filters: 2, kernel: [2, 1], stride: 1, padding: 0, bias: true)),
      .batchNorm,
      .flatten,
    ],
    [.batchNorm, .flatten, .dense(outputs: 6, bias: true), .batchNorm, .relu],
    [.flatten, .batchNorm, .dense(outputs: 5, bias: false), .batchNorm, .tanh, .batchNorm],
  ]

  @Test(arguments: normalisedChains)
  func `gradients of batch normalisations are those of central differences`(
    layers: [Layer]
  ) throws {
    let network = try Network(
      inputShape: [2, 5, 4], layers: layers + [.dense(outputs: 3, bias: true)])
    try check(network) { weights in
      var random = RandomStream(seed: 2)
      for (index, parameter) in network.parameters.enumerated()
      where [.scale, .shift].contains(parameter.role) {
        weights[index] = random.normal(parameter.shape)
      }
    }
  }

  private func check(_ network: Network, prepare: (inout Weights) -> Void = { _ in }) throws {
    let runner = try Runner(network)
    let samples = try randomSamples(count: 9, shape: network.inputShape, classes: 3)
    let block = samples.block(0..<9)
    var weights = try Weights(randomFor: network, seed: 5)
    prepare(&weights)
    let dropout = RandomStream(seed: 11)

    func loss(_ weights: Weights) -> Double {
      var scratch = network.parameters.map { Tensor(zeros: $0.shape) }
      let sums = runner.accumulateGradients(
        of: block, labels: samples.labels[...], weights: weights, into: &scratch, random: dropout)
      return sums.crossEntropy / 9
    }

    // With nothing carried over, what the buffers held must not be read.
    var gradients = network.parameters.map { Tensor(repeating: .nan, shape: $0.shape) }
    _ = runner.accumulateGradients(
      of: block, labels: samples.labels[...], weights: weights, into: &gradients, random: dropout)

    let step: Float = 1 / 1024
    let middle = loss(weights)
    var largest: Float = 0
    var (compared, kinks) = (0, 0)
    for parameter in network.parameters.indices
    where network.parameters[parameter].isTrained {
      for element in 0..<weights[parameter].count {
        let value = weights[parameter].elements[element]
        weights[parameter].elements[element] = value + step
        let above = loss(weights)
        weights[parameter].elements[element] = value - step
        let below = loss(weights)
        weights[parameter].elements[element] = value
        let numeric = Float((above - below) / Double(2 * step))
        let analytic = gradients[parameter].elements[element]
        largest = max(largest, abs(numeric))
        // Where a ReLU's kink lies within the step, the two one-sided differences disagree.
        if abs(above + below - 2 * middle) / Double(step) > 1e-3 {
          kinks += 1
          continue
        }
        compared += 1
        #expect(
          abs(numeric - analytic) < 1e-3,
          "\(network.parameters[parameter].name)[\(element)]: \(numeric) and \(analytic)")
      }
    }
    #expect(largest > 0.01, "all gradients vanish, so that nothing was compared")
    #expect(kinks * 5 < compared, "\(kinks) kinks left \(compared) gradients to compare")
  }

  @Test
  func `gradients accumulate on what the buffers keep`() throws {
    let network = try Network(
      inputShape: [4],
      layers: [.dense(outputs: 6, bias: true), .relu, .dense(outputs: 3, bias: true)])
    let runner = try Runner(network)
    let samples = try randomSamples(count: 8, shape: [4], classes: 3)
    let weights = try Weights(randomFor: network, seed: 1)
    var fresh = network.parameters.map { Tensor(zeros: $0.shape) }
    _ = runner.accumulateGradients(
      of: samples.block(0..<8), labels: samples.labels[...], weights: weights, into: &fresh,
      random: nil)
    var kept = network.parameters.map { Tensor(repeating: 2, shape: $0.shape) }
    _ = runner.accumulateGradients(
      of: samples.block(0..<8), labels: samples.labels[...], weights: weights, into: &kept,
      carry: 0.5, random: nil)
    for (a, b) in zip(fresh, kept) {
      for (x, y) in zip(a.elements, b.elements) { #expect(abs(x + 1 - y) < 1e-5) }
    }
  }

  @Test
  func `the number of workers does not change a gradient beyond rounding`() throws {
    let network = try Network(
      inputShape: [300],
      layers: [.dense(outputs: 257, bias: true), .relu, .dense(outputs: 10, bias: true)])
    let runner = try Runner(network)
    let samples = try randomSamples(count: 64, shape: [300], classes: 10)
    let weights = try Weights(randomFor: network, seed: 1)
    let gradients = [1, 2, 3].map { count in
      var buffers = network.parameters.map { Tensor(zeros: $0.shape) }
      _ = runner.accumulateGradients(
        of: samples.block(0..<64), labels: samples.labels[...], weights: weights, into: &buffers,
        random: nil, workers: Workers(count))
      return buffers
    }
    for other in gradients.dropFirst() {
      for (a, b) in zip(gradients[0], other) {
        for (x, y) in zip(a.elements, b.elements) { #expect(abs(x - y) < 1e-6) }
      }
    }
  }
}
