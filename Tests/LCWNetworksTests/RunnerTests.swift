// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import Testing

struct RunnerTests {
  /// A dense network computed one number at a time in double precision.
  private func obviousLogits(_ weights: Weights, _ sample: ArraySlice<Float>) -> [Double] {
    var values = sample.map(Double.init)
    for (index, layer) in weights.network.layers.enumerated() {
      let own = weights.network.parameterIndices(ofLayer: index).map { weights[$0] }
      if layer == .relu { values = values.map { max($0, 0) } }
      guard layer.operation is Dense else { continue }
      values = (0..<own[0].shape.rows).map { row in
        zip(own[0].row(row), values).reduce(own.count > 1 ? Double(own[1].elements[row]) : 0) {
          $0 + Double($1.0) * $1.1
        }
      }
    }
    return values
  }

  @Test(arguments: [true, false])
  func `outputs and metrics are those of the obvious computation`(bias: Bool) throws {
    let network = try Network(
      inputShape: [17],
      layers: [
        .dense(outputs: 33, bias: bias), .relu, .dense(outputs: 21, bias: bias), .relu,
        .dense(outputs: 5, bias: bias),
      ])
    let samples = try randomSamples(count: 1100, shape: [17], classes: 5)
    let weights = try Weights(randomFor: network, seed: 2)
    let runner = try Runner(network)
    let metrics = try runner.evaluate(weights, on: samples)
    let logits = runner.output(of: samples.block(0..<1100), weights: weights)
    var (loss, correct) = (0.0, 0)
    for index in 0..<1100 {
      let expected = obviousLogits(weights, samples.block(index..<index + 1).elements[...])
      for (x, y) in zip(logits.row(index), expected) { #expect(abs(Double(x) - y) < 1e-5) }
      let label = Int(samples.labels[index])
      let largest = expected.max() ?? 0
      loss += logSum(expected) - expected[label]
      correct += expected[label] == largest ? 1 : 0
    }
    #expect(abs(metrics.crossEntropy - loss / 1100) < 1e-6)
    #expect(metrics.accuracy == Double(correct) / 1100)
  }

  private func logSum(_ values: [Double]) -> Double {
    let largest = values.max() ?? 0
    return largest + logarithm(values.reduce(0) { $0 + exponential($1 - largest) })
  }

  @Test
  func `metrics do not depend on the number of workers`() throws {
    let network = try Network(
      inputShape: [9],
      layers: [.dense(outputs: 7, bias: true), .tanh, .dense(outputs: 3, bias: true)]
    )
    let samples = try randomSamples(count: 2000, shape: [9], classes: 3)
    let weights = try Weights(randomFor: network, seed: 2)
    let runner = try Runner(network)
    let one = try runner.evaluate(weights, on: samples, workers: .serial)
    #expect(try runner.evaluate(weights, on: samples, workers: Workers(2)) == one)
    #expect(try runner.evaluate(weights, on: samples, workers: Workers(5)) == one)
  }

  @Test
  func `a network of vectors takes images of as many values, and no others`() throws {
    let network = try Network(inputShape: [12], layers: [.dense(outputs: 3, bias: true)])
    let runner = try Runner(network)
    let weights = try Weights(randomFor: network, seed: 1)
    let images = try randomSamples(count: 10, shape: [1, 3, 4], classes: 3)
    let metrics = try runner.evaluate(weights, on: images)
    #expect(metrics.crossEntropy.isFinite)
    let other = try randomSamples(count: 10, shape: [11], classes: 3)
    #expect(throws: DataError.shape(expected: [12], found: [11])) {
      try runner.evaluate(weights, on: other)
    }
    let moreClasses = try randomSamples(count: 10, shape: [12], classes: 4)
    #expect(throws: DataError.classes(expected: 3, found: 4)) {
      try runner.evaluate(weights, on: moreClasses)
    }
  }

  @Test
  func `layers that memory can't hold are refused by name`() throws {
    let network = try Network(
      inputShape: [1, 1000, 1000],
      layers: [.convolution(.init(filters: 2_000_000, kernel: 1, bias: false)), .flatten])
    let error = #expect(throws: RunnerError.self) { _ = try Runner(network) }
    #expect(error?.description.contains("layer 1 (conv 2000000 1x1 no-bias) needs 8") == true)
  }

  @Test
  func `a step with convolutions may run alone or fused`() throws {
    let network = try Network(
      inputShape: [2, 7, 8],
      layers: [
        .convolution(.init(filters: 4, kernel: 3, padding: 1)), .relu,
        .maxPool(.init(size: 2, stride: 2)), .averagePool(.init(size: 3, stride: 1)), .flatten,
        .dense(outputs: 3, bias: true),
      ])
    let samples = try randomSamples(count: 70, shape: network.inputShape, classes: 3)
    var weights = try Weights(randomFor: network, seed: 1)
    for index in 0..<4 { weights[1].elements[index] = Float(index) / 10 }
    let fused = try Runner(network)
    let middle = Network.Value.output(ofNode: 0)
    let (first, rest) = (
      try Runner(network, from: [.sample], to: [middle]),
      try Runner(network, from: [middle], to: [network.output])
    )
    let logits = fused.output(of: samples.block(0..<70), weights: weights)
    #expect(logits.shape == [70, 3])
    let between = first.output(of: samples.block(0..<70), weights: weights)
    #expect(logits == rest.output(of: between, weights: weights))
    let one = try fused.evaluate(weights, on: samples, workers: .serial)
    #expect(try fused.evaluate(weights, on: samples, workers: Workers(3)) == one)
  }

  @Test
  func `blocks of wide activations are small`() throws {
    func block(_ size: Int) throws -> Int {
      try Runner(
        Network(
          inputShape: [3, size, size],
          layers: [
            .convolution(.init(filters: 64, kernel: 3, padding: 1)), .relu, .flatten,
            .dense(outputs: 2, bias: true),
          ])
      ).evaluationBlock
    }
    #expect(try block(8) == 256)
    #expect(try block(32) == 64)
    #expect(try block(224) == 5)
    #expect(try block(2000) == 1)
  }

  @Test
  func `dropout is the identity in evaluation and keeps the mean in training`() throws {
    let network = try Network(
      inputShape: [4000], layers: [.dropout(rate: 0.25), .dense(outputs: 2, bias: false)])
    let runner = try Runner(network)
    var weights = Weights(zeros: network)
    weights[0] = Tensor(repeating: 1, shape: [2, 4000])
    let ones = Tensor(repeating: 1, shape: [1, 4000])
    #expect(runner.output(of: ones, weights: weights).elements == [4000, 4000])
    // In training the logits are sums of kept values, each 4/3; the gradient of the weights is the
    // mask times a number, so that its share of zeros is the rate.
    var gradients = [Tensor(zeros: [2, 4000])]
    _ = runner.accumulateGradients(
      of: ones, labels: [0], weights: weights, into: &gradients, random: RandomStream(seed: 3))
    let dropped = gradients[0].row(0).count { $0 == 0 }
    #expect((900...1100).contains(dropped))
    let kept = Set(gradients[0].row(0).filter { $0 != 0 })
    #expect(kept.count == 1)
  }
}
