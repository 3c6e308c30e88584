// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWPaths
import Testing

/// Paths between residual networks, whose stream is one group of units with many writers and readers.
struct ResidualPathTests {
  private static let image = """
    conv 6 3x3 pad 1 no-bias; batchnorm; start = relu
    conv 5 3x3 pad 1 no-bias; batchnorm; relu
    conv 6 3x3 pad 1 no-bias; first = batchnorm
    middle = add from first start; inner = relu
    conv 4 3x3 pad 1; relu; last = conv 6 1x1
    add from last inner; relu; avgpool 2; flatten; dense 4
    """

  private func network(_ text: String, _ shape: Shape) throws -> Network {
    try NetworkText(text, operations: PluginRegistry.linked().operations)
      .network(inputShape: shape, classes: 4)
  }

  private func weights(_ network: Network, seed: UInt64) throws -> Weights {
    var weights = try Weights(randomFor: network, seed: seed)
    var random = RandomStream(seed: seed, stream: 9)
    for (index, parameter) in network.parameters.enumerated() {
      guard case .constant = parameter.initial else { continue }
      let shift = random.uniform(parameter.shape, bound: 0.4)
      for place in 0..<shift.count { weights[index].elements[place] += shift.elements[place] }
    }
    return weights
  }

  @Test func `a residual stream is one group`() throws {
    let network = try network(Self.image, [2, 6, 6])
    let groups = UnitGroups(of: network)
    #expect(groups.free.map(\.count) == [6, 5, 4])
    let stream = groups.free[0]
    func names(_ use: UnitGroup.Site.Use) -> [String] {
      stream.nodes(use, in: network).map { network.nodes[$0].name }
    }
    #expect(names(.writes) == ["conv1", "conv3", "last"])
    #expect(names(.reads) == ["conv2", "conv4", "dense1"])
    #expect(names(.passes) == ["norm1", "first"])
    #expect(stream.sites.last?.block == 9)
  }

  @Test(arguments: ["linear", "arc", "ot", "ot:cost=incoming,path=arc", "ot:cost=weights"])
  func `paths begin and end, and both ways of evaluating agree`(method: String) throws {
    let network = try network(Self.image, [2, 6, 6])
    let (a, b) = (
      try weights(network, seed: 1).foldingBatchNorm(),
      try weights(network, seed: 2).foldingBatchNorm()
    )
    let samples = try randomSamples(count: 90, shape: [2, 6, 6], classes: 4)
    let made = try path(method, a, b, samples: samples)
    let end = made.domain.upperBound
    #expect(try made.weights(at: 0).isIdentical(to: a))
    #expect(try made.weights(at: end).isIdentical(to: b))
    let times = (0...made.stages.count * 3).map { Double($0) / 3 }
    let structured = try PathEvaluator().evaluate(made, at: times, on: samples)
    let obvious = try PathEvaluator(strategy: .pointByPoint).evaluate(made, at: times, on: samples)
    for (x, y) in zip(structured, obvious) {
      #expect(abs(x.crossEntropy - y.crossEntropy) < 1e-5 * (1 + y.crossEntropy))
    }
  }

  /// At the transport's end the network computes what B does.
  @Test func `units are transported to those of the other network`() throws {
    let network = try network(Self.image, [2, 6, 6])
    let (a, b) = (
      try weights(network, seed: 1).foldingBatchNorm(),
      try weights(network, seed: 2).foldingBatchNorm()
    )
    let made = try path("ot", a, b)
    #expect(made.stages.count { $0.keepsFunction } >= 2)
    let runner = try Runner(a.network)
    let block = try randomSamples(count: 20, shape: [2, 6, 6], classes: 4).block(0..<20)
    let reached = try made.weights(at: 1)
    #expect(!reached.isIdentical(to: b))
    let difference = runner.output(of: block, weights: reached)
      .squaredDistance(to: runner.output(of: block, weights: b))
    #expect(difference < 1e-9)
  }

  /// Of A and B nothing is left but what one layer has of the stream.
  @Test func `every layer that writes or reads a stream tells its units apart`() throws {
    let network = try network(Self.image, [2, 6, 6])
    let whole = try weights(network, seed: 1).foldingBatchNorm()
    let stream = try #require(HiddenPopulation.all(of: whole.network).first)
    let order = [3, 0, 5, 1, 2, 4]
    #expect(stream.group.sites.count >= 9)
    for site in stream.group.sites {
      var a = Weights(zeros: whole.network)
      a[site.parameter] = whole[site.parameter]
      let b = stream.reordered(a, by: order)
      #expect(!b.isIdentical(to: a))
      #expect(try path("ot", a, b).weights(at: 1).isIdentical(to: a))
    }
  }

  @Test func `a layer that reads and writes one group is refused by name`() throws {
    let network = try network(
      "start = dense 8; relu; dense 8; add from dense2 start; relu; dense classes", [5])
    let (a, b) = (try weights(network, seed: 1), try weights(network, seed: 2))
    let group = try #require(UnitGroups(of: network).free.first)
    #expect(
      group.sites.count { $0.parameter == network.parameterIndex(ofLayer: 2, role: .weight) } == 2)
    let error = #expect(throws: ConnectionError.self) { try path("ot", a, b) }
    #expect(error?.description.contains("both reads and writes the units of start") == true)
    // Yet the group is free.
    let order = [3, 0, 1, 2, 7, 6, 5, 4]
    let runner = try Runner(network)
    let block = try randomSamples(count: 20, shape: [5], classes: 4).block(0..<20)
    let (found, expected) = (
      runner.output(of: block, weights: a.permuting(group, by: order)),
      runner.output(of: block, weights: a)
    )
    #expect(found.squaredDistance(to: expected) < 1e-10 * Double(expected.count))
  }
}
