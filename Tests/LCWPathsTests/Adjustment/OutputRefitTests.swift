// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import Testing

/// The output layer fitted to the labels along a path.
struct OutputRefitTests {
  private func pair(_ sizes: [Int]) throws -> (a: Weights, b: Weights, samples: SampleSet) {
    let network = try denseNetwork(sizes)
    return (
      try Weights(randomFor: network, seed: 1), try Weights(randomFor: network, seed: 2),
      try randomSamples(count: 400, shape: [sizes[0]], classes: sizes[sizes.count - 1])
    )
  }

  private func loss(_ weights: Weights, _ samples: SampleSet) throws -> Double {
    let sums = try Runner(weights.network).output(
      of: samples.block(0..<samples.count), weights: weights
    ).softmaxCrossEntropy(labels: samples.labels[...])
    return sums.crossEntropy / Double(samples.count)
  }

  @Test(arguments: ["linear+wa", "ot+wa:target=mix", "arc+wa:layers=all"])
  func `the ends stay, and the loss between them is lower`(method: String) throws {
    for sizes in [[6, 9, 4], [6, 9, 8, 4]] {
      let (a, b, samples) = try pair(sizes)
      let plain = try path(method, a, b, samples: samples)
      let refit = "refit=labels"
      let fitted = try path(
        method + (method.contains(":") ? ",\(refit)" : ":\(refit)"), a, b, samples: samples)
      let end = fitted.domain.upperBound
      #expect(try fitted.weights(at: 0).isIdentical(to: a))
      #expect(try fitted.weights(at: end).isIdentical(to: b))
      for t in [0.02, 0.05, 0.5, 0.9] {
        let (before, after) = (try plain.weights(at: t), try fitted.weights(at: t))
        #expect(try loss(after, samples) < loss(before, samples))
        for index in before.network.parameters.indices.dropLast(2) {
          #expect(after[index].isIdentical(to: before[index]))
        }
      }
    }
  }

  /// Where the gradient of cross-entropy and penalty is zero, a convex function has its minimum.
  @Test func `the gradient vanishes at the fitted layer`() throws {
    let (a, b, samples) = try pair([6, 9, 4])
    let (plain, fitted) = (
      try path("linear+wa", a, b, samples: samples).weights(at: 0.5),
      try path("linear+wa:refit=labels", a, b, samples: samples).weights(at: 0.5)
    )
    let features = try output(of: samples.block(0..<samples.count), fitted, layers: 2)
    var logits = try Runner(a.network).output(
      of: samples.block(0..<samples.count), weights: fitted)
    _ = logits.becomeCrossEntropyGradient(
      labels: samples.labels[...], scale: 1 / Float(samples.count))
    var gradient = Tensor(zeros: [4, 9])
    gradient.assignProduct(logits.transposed, features.matrix)
    // λ: a share of the mean square of the features and of the 1 of the bias.
    let squares = features.elements.reduce(0) { $0 + Double($1) * Double($1) }
    let penalty = 1e-4 * (squares + Double(samples.count)) / Double(samples.count * 10)
    var largest = 0.0
    for index in gradient.elements.indices {
      let change = Double(fitted[2].elements[index]) - Double(plain[2].elements[index])
      largest = max(largest, abs(Double(gradient.elements[index]) + penalty * change))
    }
    #expect(largest < 2e-6)
  }

  @Test func `an output that no dense layer computes is refused by name`() throws {
    let network = try Network(
      inputShape: [2, 6, 6],
      layers: [
        .convolution(.init(filters: 5, kernel: 3)), .relu,
        .convolution(.init(filters: 4, kernel: 3)), .globalAveragePool,
      ])
    let samples = try randomSamples(count: 60, shape: [2, 6, 6], classes: 4)
    let error = #expect(throws: ConnectionError.self) {
      try path(
        "linear+wa:layers=all,refit=labels", Weights(randomFor: network, seed: 1),
        Weights(randomFor: network, seed: 2), samples: samples)
    }
    #expect(error?.description.contains("leave out refit=labels") == true)
  }
}
