// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWPaths
import Testing

/// Channels brought back to their moments, against the formula written out.
struct RepairTests {
  private static let chain = "dense 9; relu; dense 8 no-bias; tanh; dense 7; relu; dense classes"
  private static let residual = """
    conv 6 3x3 pad 1 no-bias; batchnorm; start = relu
    conv 5 3x3 pad 1 no-bias; batchnorm; relu
    conv 6 3x3 pad 1 no-bias; batchnorm
    add from norm3 start; inner = relu
    conv 4 3x3 pad 1; relu; conv 6 1x1
    add from conv5 inner; relu; avgpool 2; flatten; dense classes
    """
  /// The values that are corrected, by the node that puts them out, with what takes the correction.
  private static let places: [String: [(node: String, factor: String, summand: String?)]] = [
    chain: [
      ("dense1", "dense1.weight", "dense1.bias"), ("dense2", "dense2.weight", nil),
      ("dense3", "dense3.weight", "dense3.bias"),
    ],
    residual: [
      ("norm1", "norm1.scale", "norm1.shift"), ("norm2", "norm2.scale", "norm2.shift"),
      ("norm3", "norm3.scale", "norm3.shift"), ("conv4", "conv4.weight", "conv4.bias"),
      ("conv5", "conv5.weight", "conv5.bias"),
    ],
  ]

  private static func network(_ text: String) throws -> Network {
    try NetworkText(text, operations: PluginRegistry.linked().operations)
      .network(inputShape: text == chain ? [5] : [2, 6, 6], classes: 4)
  }

  /// The formula, layer by layer, with one block of all samples.
  private func obvious(
    _ point: Weights, _ a: Weights, _ b: Weights, t: Double, text: String, block: Tensor,
    varianceOnly: Bool
  ) throws -> Weights {
    var point = point
    for place in try #require(Self.places[text]) {
      let (one, two, own) = try (
        ObviousMoments(ofNode: place.node, in: a, block: block),
        ObviousMoments(ofNode: place.node, in: b, block: block),
        ObviousMoments(ofNode: place.node, in: point, block: block)
      )
      let targets = zip(one.deviations, two.deviations).map { (1 - t) * $0 + t * $1 }
      let silent = 1e-6 * targets.reduce(0) { $0 + $1 * $1 } / Double(targets.count)
      for channel in targets.indices {
        let factor =
          ((targets[channel] * targets[channel] + silent) / (own.variances[channel] + silent))
          .squareRoot()
        let weight = point.index(place.factor)
        let width = point[weight].shape.rowCount
        for index in channel * width..<(channel + 1) * width {
          point[weight].elements[index] *= Float(factor)
        }
        guard let summand = place.summand.map({ point.index($0) }) else { continue }
        let mean =
          varianceOnly
          ? own.means[channel] : (1 - t) * one.means[channel] + t * two.means[channel]
        let bias = Double(point[summand].elements[channel])
        point[summand].elements[channel] = Float(mean + factor * (bias - own.means[channel]))
      }
    }
    return point
  }

  @Test(arguments: [chain, residual], ["both", "variance"])
  func `points are the formula's`(text: String, moments: String) throws {
    let network = try Self.network(text)
    let (a, b) = (
      try Weights.trainedAlike(network, seed: 1), try Weights.trainedAlike(network, seed: 2)
    )
    let samples = try randomSamples(count: 700, shape: network.inputShape, classes: 4)
    let block = samples.block(0..<700)
    let plain = try path("linear", a, b)
    let repaired = try path("linear+repair:moments=\(moments)", a, b, samples: samples)
    for t in [0.1, 0.5, 0.75] {
      let (found, expected) = (
        try repaired.weights(at: t),
        try obvious(
          plain.weights(at: t), a, b, t: t, text: text, block: block,
          varianceOnly: moments == "variance")
      )
      for index in network.parameters.indices {
        #expect(
          largestDifference(found[index], expected[index]) < 2e-5,
          "\(network.parameters[index].name) at \(t)")
      }
    }
    #expect(try repaired.weights(at: 0).isIdentical(to: a))
    #expect(try repaired.weights(at: 1).isIdentical(to: b))
  }

  /// What is corrected has the moments it should have, each layer with those before it corrected.
  @Test func `corrected channels have their moments`() throws {
    let network = try Self.network(Self.residual)
    let (a, b) = (
      try Weights.trainedAlike(network, seed: 1), try Weights.trainedAlike(network, seed: 2)
    )
    let samples = try randomSamples(count: 300, shape: network.inputShape, classes: 4)
    let point = try path("arc+repair", a, b, samples: samples).weights(at: 0.4)
    let block = samples.block(0..<300)
    for place in try #require(Self.places[Self.residual]) {
      let (one, two, own) = try (
        ObviousMoments(ofNode: place.node, in: a, block: block),
        ObviousMoments(ofNode: place.node, in: b, block: block),
        ObviousMoments(ofNode: place.node, in: point, block: block)
      )
      for channel in own.means.indices {
        let mean = 0.6 * one.means[channel] + 0.4 * two.means[channel]
        let deviation = 0.6 * one.deviations[channel] + 0.4 * two.deviations[channel]
        #expect(abs(own.means[channel] - mean) < 1e-4 * (1 + abs(mean)))
        #expect(abs(own.deviations[channel] - deviation) < 1e-3 * deviation)
      }
    }
  }

  /// What does not fit the memory set aside is computed again, and comes to the same.
  @Test func `measuring that holds nothing comes to the same`() throws {
    let network = try Self.network(Self.residual)
    let (a, b) = (
      try Weights.trainedAlike(network, seed: 1), try Weights.trainedAlike(network, seed: 2)
    )
    let samples = try randomSamples(count: 900, shape: network.inputShape, classes: 4)
    let plain = try path("linear", a, b)
    let points = try [1 << 30, 900 * 4 * 400, 0].map { bytes in
      var repair = RepairedChannels(moments: .both, samples: 900)
      repair.heldBytes = Double(bytes)
      return try repair.path(
        modifying: plain, name: "repair", in: ConnectionContext(samples: samples)
      ).weights(at: 0.4)
    }
    for other in points.dropFirst() {
      for index in network.parameters.indices {
        #expect(largestDifference(points[0][index], other[index]) < 2e-5)
      }
    }
  }

  @Test func `the number of workers changes nothing`() throws {
    let network = try Self.network(Self.residual)
    let (a, b) = (
      try Weights.trainedAlike(network, seed: 1), try Weights.trainedAlike(network, seed: 2)
    )
    let samples = try randomSamples(count: 1500, shape: network.inputShape, classes: 4)
    let points = try [1, 3].map { count in
      try PluginRegistry.linked().connection(MethodExpression("linear+repair")).path(
        from: a, to: b, in: ConnectionContext(samples: samples, workers: Workers(count))
      ).weights(atEach: [0.2, 0.4, 0.6, 0.9])
    }
    for (one, two) in zip(points[0], points[1]) { #expect(one.isIdentical(to: two)) }
  }

  /// A unit that is silent in both networks, or on the way alone.
  @Test func `silent channels stay finite`() throws {
    let network = try Self.network(Self.chain)
    var (a, b) = (
      try Weights.trainedAlike(network, seed: 1), try Weights.trainedAlike(network, seed: 2)
    )
    for index in 0..<5 {
      a[0].elements[index] = 0
      b[0].elements[index] = 0
      b[0].elements[5 + index] = -a[0].elements[5 + index]
    }
    let samples = try randomSamples(count: 200, shape: network.inputShape, classes: 4)
    let repaired = try path("linear+repair", a, b, samples: samples)
    for t in [0.25, 0.5, 0.5000001] {
      let point = try repaired.weights(at: t)
      #expect(point.isFinite)
      #expect(point[0].elements.prefix(5).allSatisfy { $0 == 0 })
    }
    var still = a
    for index in still[0].elements.indices { still[0].elements[index] = 0 }
    let silent = try path("linear+repair", still, still, samples: samples)
    #expect(try silent.weights(at: 0.5).isFinite)
  }

  @Test func `stages in which units find their places are left as they are`() throws {
    let network = try Self.network(Self.residual)
    let (a, b) = (
      try Weights.trainedAlike(network, seed: 1), try Weights.trainedAlike(network, seed: 2)
    )
    let samples = try randomSamples(count: 200, shape: network.inputShape, classes: 4)
    let plain = try path("ot", a, b)
    let repaired = try path("ot+repair", a, b, samples: samples)
    #expect(repaired.stages.count == plain.stages.count && repaired.middle == plain.middle)
    #expect(try !repaired.weights(at: 0.5).isIdentical(to: plain.weights(at: 0.5)))
    for t in [1, 1.5, 2.25, plain.domain.upperBound] {
      #expect(try repaired.weights(at: t).isIdentical(to: plain.weights(at: t)))
    }
    #expect(
      zip(plain.stages, repaired.stages).dropFirst().allSatisfy {
        $0.motions.map(\.isOpaque) == $1.motions.map(\.isOpaque)
      })
  }

  @Test func `what does not move in a stage is not corrected`() throws {
    let network = try Self.network(Self.chain)
    let (a, b) = (
      try Weights.trainedAlike(network, seed: 1), try Weights.trainedAlike(network, seed: 2)
    )
    let samples = try randomSamples(count: 200, shape: network.inputShape, classes: 4)
    let plain = try path("linear+wa", a, b, samples: samples)
    let repaired = try path("linear+wa+repair", a, b, samples: samples)
    let last = plain.stages.count - 1
    // Only the last layer moves, which is what the network puts out.
    #expect(
      try repaired.weights(at: Double(last) + 0.5).isIdentical(
        to: plain.weights(at: Double(last) + 0.5)))
    #expect(!repaired.stages[last].motions[0].isOpaque)
    #expect(repaired.stages[0].motions[0].isOpaque)
  }

  @Test func `without samples or hidden layers it says so`() throws {
    let network = try denseNetwork([4, 3])
    let weights = Weights(zeros: network)
    let samples = try randomSamples(count: 20, shape: [4], classes: 3)
    let error = #expect(throws: ConnectionError.self) {
      try path("linear+repair", weights, weights, samples: samples)
    }
    #expect(error?.description.contains("no hidden layer") == true)
    #expect(
      #expect(throws: ConnectionError.self) { try path("linear+repair", weights, weights) }
        == .needsSamples(method: "linear+repair"))
  }
}
