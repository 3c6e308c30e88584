// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWPaths
import Testing

/// Running statistics along paths: recomputed, and left to the method.
struct ResetTests {
  private static let text = """
    conv 6 3x3 pad 1 no-bias; batchnorm; start = relu
    conv 5 3x3 pad 1 no-bias; batchnorm; relu
    conv 6 3x3 pad 1 no-bias; batchnorm
    add from norm3 start; relu; batchnorm; avgpool 2; flatten; dense classes
    """
  private static let norms = [
    ("norm1", "conv1"), ("norm2", "conv2"), ("norm3", "conv3"), ("norm4", "relu3"),
  ]

  private static func ends() throws -> (Weights, Weights) {
    let network = try NetworkText(text, operations: PluginRegistry.linked().operations)
      .network(inputShape: [2, 6, 6], classes: 4)
    return (
      try Weights.trainedAlike(network, seed: 1), try Weights.trainedAlike(network, seed: 2)
    )
  }

  @Test(arguments: ["linear", "arc"])
  func `moments are measured and blended as the formula has it`(method: String) throws {
    let (a, b) = try Self.ends()
    let samples = try randomSamples(count: 700, shape: [2, 6, 6], classes: 4)
    let block = samples.block(0..<700)
    let (plain, reset) = (
      try path(method, a, b), try path("\(method)+reset", a, b, samples: samples)
    )
    for t in [0.1, 0.5, 0.8] {
      var expected = try plain.weights(at: t)
      for (norm, input) in Self.norms {
        let (mean, variance) = (a.index("\(norm).mean"), a.index("\(norm).variance"))
        let own = try ObviousMoments(ofNode: input, in: expected, block: block)
        let ends = try [(a, 1 - t), (b, t)].map {
          (try ObviousMoments(ofNode: input, in: $0.0, block: block), $0.0, $0.1)
        }
        for channel in own.means.indices {
          var (m, v) = (own.means[channel], own.variances[channel] + 1e-5)
          for (measured, stored, share) in ends {
            m += share * (Double(stored[mean].elements[channel]) - measured.means[channel])
            v *= pow(
              (Double(stored[variance].elements[channel]) + 1e-5)
                / (measured.variances[channel] + 1e-5), share)
          }
          expected[mean].elements[channel] = Float(m)
          expected[variance].elements[channel] = Float(v - 1e-5)
        }
      }
      let found = try reset.weights(at: t)
      for index in a.network.parameters.indices {
        #expect(
          largestDifference(found[index], expected[index]) < 2e-5,
          "\(a.network.parameters[index].name) at \(t)")
      }
    }
    #expect(try reset.weights(at: 0).isIdentical(to: a))
    #expect(try reset.weights(at: 1).isIdentical(to: b))
  }

  /// Whatever a method does to variances, nothing is normalised by the root of a negative number.
  @Test func `variances stay above the smallest of their layer`() throws {
    var (a, b) = try Self.ends()
    let variance = a.index("norm2.variance")
    a[variance] = Tensor([0.1, 4, 4, 4, 4])
    b[variance] = Tensor([0.1, 4, 4, 4, 4])
    // The arc of all weights around their mean dips: c + s is more than 1.
    let registry = try PluginRegistry([Dipping.self])
    let dipping = try registry.connection(MethodExpression("dipping")).path(from: a, to: b)
    for t in [0.1, 0.5, 0.9] {
      let point = try dipping.weights(at: t)
      #expect(point[variance].elements[0] == 0.1)
      #expect(point[variance].elements[1] > 4)
    }
    #expect(dipping.stages[0].motions[variance].isOpaque)
    #expect(!dipping.stages[0].motions[0].isOpaque)
    #expect(try dipping.weights(at: 0).isIdentical(to: a))
    // Running statistics go along the line on the arc of this package.
    #expect(try path("arc", a, b) is ExplicitPath)
    #expect(try path("arc", a, b).weights(at: 0.5)[variance].elements[0] == 0.1)
  }

  @Test func `without batch normalisation it says so`() throws {
    let network = try denseNetwork([4, 5, 3])
    let weights = try Weights(randomFor: network, seed: 1)
    let samples = try randomSamples(count: 20, shape: [4], classes: 3)
    let error = #expect(throws: ConnectionError.self) {
      try path("linear+reset", weights, weights, samples: samples)
    }
    #expect(error?.description.contains("no batch normalisation") == true)
  }
}

/// An arc of every parameter around the mean of its tensor.
private struct Dipping: ConnectionMethod {
  static let name = "dipping"
  static let summary = "an arc"
  static let traits = MethodTraits(
    compute: .low, complexity: .low, isExplicit: true, loss: .high, isLearnable: false,
    needsData: false)
  init(options: OptionValues) throws {}
  func path(
    from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> any ConnectionPath {
    let motions = zip(a.tensors, b.tensors).map { one, two -> Motion in
      let values = one.elements + two.elements
      let mean = values.reduce(0, +) / Float(values.count)
      let center = Tensor([Float](repeating: mean, count: one.count)).reshaped(one.shape)
      return .combination([center, one, two], .arc)
    }
    return try ExplicitPath(
      network: a.network, stages: [PathStage(label: "arc", motions: motions)])
  }
}
