// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import Testing

/// Networks that are no chains, against what PyTorch makes of them.
struct GraphTests {
  private struct Description: Decodable {
    struct Node: Decodable {
      var name: String
      var operation: String
      var inputs: [String]
    }

    var sample: [Int]
    var classes: Int
    var labels: [Int32]
    var nodes: [Node]
    var parameters: [String: String]
  }

  private struct Case {
    var weights: Weights
    /// The names that PyTorch has for the parameters.
    var names: [String]
    var labels: [Int32]
    var expected: [String: Tensor]

    init(_ name: String) throws {
      let file = Bundle.module.bundleURL.appendingPathComponent("Fixtures/graphs/graphs.json")
      let all = try JSONDecoder().decode(
        [String: Description].self, from: Data(contentsOf: file))
      let graph = try #require(all[name])
      let lines = graph.nodes.map {
        "\($0.name) = \($0.operation) from \($0.inputs.joined(separator: " "))"
      }
      let network = try NetworkText(
        lines.joined(separator: "\n"), operations: try linkedOperations()
      )
      .network(inputShape: Shape(graph.sample), classes: graph.classes)
      let state = try contents(ofFixture: "graphs/\(name).safetensors").tensors
      let names = try network.parameters.map { try #require(graph.parameters[$0.name]) }
      #expect(Set(names).count == graph.parameters.count)
      self.names = names
      weights = try Weights(
        network: network,
        tensors: zip(names, network.parameters).map { name, parameter in
          // A learned number may be a tensor without dimensions.
          try #require(state[name]).reshaped(parameter.shape)
        })
      labels = graph.labels
      expected = try contents(ofFixture: "graphs/\(name)-expected.safetensors").tensors
    }

    var network: Network { weights.network }

    func input() throws -> Tensor { try #require(expected["input"]) }
  }

  static let names = ["branches", "excitation", "vectors"]

  @Test(arguments: names)
  func `logits are PyTorch's`(name: String) throws {
    let graph = try Case(name)
    let logits = try Runner(graph.network).output(of: graph.input(), weights: graph.weights)
    expectClose(logits, try #require(graph.expected["logits"]), "\(name): logits")
  }

  @Test(arguments: names)
  func `a training step is PyTorch's`(name: String) throws {
    let graph = try Case(name)
    var gradients = graph.network.parameters.map { Tensor(repeating: .nan, shape: $0.shape) }
    let sums = try Runner(graph.network).accumulateGradients(
      of: graph.input(), labels: graph.labels[...], weights: graph.weights, into: &gradients,
      random: nil)
    let loss = try #require(graph.expected["loss"]).elements[0]
    #expect(abs(Float(sums.crossEntropy) / 4 - loss) < 1e-5)
    for (index, parameter) in graph.network.parameters.enumerated() {
      let name = graph.names[index]
      switch parameter.update {
      case .gradient:
        let expected = try #require(graph.expected["gradient.\(name)"])
        expectClose(gradients[index], expected.reshaped(parameter.shape), "gradient of \(name)")
      case .average(let share):
        var after = graph.weights[index]
        after.assign(share, times: gradients[index], plus: 1 - share)
        expectClose(after, try #require(graph.expected["after.\(name)"]), "\(name) after")
      }
    }
  }

  @Test(arguments: names)
  func `the text of a network means it again`(name: String) throws {
    let network = try Case(name).network
    let again = try NetworkText(network.description, operations: try linkedOperations())
      .network(inputShape: network.inputShape, classes: 10)
    #expect(again == network)
  }

  @Test(arguments: names)
  func `permutations of free groups leave the logits`(name: String) throws {
    let graph = try Case(name)
    let free = UnitGroups(of: graph.network).free
    let runner = try Runner(graph.network)
    let logits = runner.output(of: try graph.input(), weights: graph.weights)
    var random = RandomStream(seed: 5)
    var all = graph.weights
    for group in free {
      let order = random.permutation(of: group.count)
      all = all.permuting(group, by: order)
      let one = graph.weights.permuting(group, by: Array((0..<group.count).reversed()))
      #expect(!one.isIdentical(to: graph.weights))
      expectClose(runner.output(of: try graph.input(), weights: one), logits, "\(name)")
    }
    expectClose(runner.output(of: try graph.input(), weights: all), logits, "\(name)")
  }

  @Test(
    arguments: [
      ("branches", [3, 3, 4, 2, 2, 2, 3]), ("excitation", [2, 2, 8, 2]), ("vectors", [8, 12]),
    ] as [(String, [Int])])
  func `the free groups are those that the networks have`(name: String, counts: [Int]) throws {
    let free = UnitGroups(of: try Case(name).network).free
    #expect(free.map(\.count).sorted() == counts.sorted())
  }

  @Test
  func `a shortcut between channels of zeros ties the channels that it covers`() throws {
    let text = """
      conv 4 3x3 pad 1; start = relu
      conv 8 3x3 stride 2 pad 1; inner = batchnorm
      small = avgpool 1 stride 2 from start; wide = pad channels 2x2
      add from inner wide; end = relu
      last = conv 8 3x3 pad 1; add from last end; global-avgpool; dense 3
      """
    let network = try NetworkText(text, operations: try linkedOperations())
      .network(inputShape: [2, 6, 6], classes: 3)
    let groups = UnitGroups(of: network)
    #expect(groups.free.map(\.count).sorted() == [2, 2, 4])
    let stream = try #require(groups.free.first { $0.count == 4 })
    // The first convolution, the normalisation and the last convolution write and pass them.
    #expect(stream.nodes(.writes, in: network).count == 3)
    let weights = try Weights(randomFor: network, seed: 1)
    let runner = try Runner(network)
    var random = RandomStream(seed: 2)
    let block = random.normal([3, 2, 6, 6])
    let logits = runner.output(of: block, weights: weights)
    var permuted = weights
    for group in groups.free {
      permuted = permuted.permuting(group, by: Array((0..<group.count).reversed()))
    }
    #expect(!permuted.isIdentical(to: weights))
    expectClose(runner.output(of: block, weights: permuted), logits, "logits")
  }

  @Test
  func `a normalisation folds before a layer only where each channel has values of one unit`()
    throws
  {
    let operations = try linkedOperations()
    func folded(_ text: String) throws -> (Weights, Weights) {
      let network = try NetworkText(text, operations: operations)
        .network(inputShape: [4, 2, 3], classes: 3)
      var weights = try Weights(randomFor: network, seed: 1)
      var random = RandomStream(seed: 3)
      for (index, parameter) in network.parameters.enumerated() where parameter.role != .variance {
        weights[index] = random.normal(parameter.shape)
      }
      return (weights, try weights.foldingBatchNorm())
    }
    for text in [
      "batchnorm; reshape 8x3x1; conv 3 1x1; flatten; dense 2",
      "batchnorm; reshape 2x12; flatten; dense 2",
      "conv 4 1x1 groups 2; batchnorm; flatten; dense 2",
      "conv 8 1x1 groups 4; batchnorm epsilon 0.5; relu; flatten; dense 2",
    ] {
      let (weights, small) = try folded(text)
      #expect(small.network.runningAverages.isEmpty)
      var random = RandomStream(seed: 4)
      let block = random.normal([3, 4, 2, 3])
      expectClose(
        try Runner(small.network).output(of: block, weights: small),
        try Runner(weights.network).output(of: block, weights: weights), within: 1e-4, text)
    }
    // Two units share a channel here, and parts see their own channels only.
    for text in [
      "batchnorm; reshape 2x4x3; conv 3 1x1; flatten; dense 2",
      "batchnorm; conv 4 1x1 groups 2; flatten; dense 2",
      "batchnorm; conv 4 1x1 pad 0x1x0x0; flatten; dense 2",
    ] {
      #expect(throws: FoldingError.self) { try folded(text) }
    }
  }

  @Test
  func `a network of vectors takes images whatever its first operation is`() throws {
    for first in ["affine", "groupnorm 3", "softmax", "batchnorm", "layernorm"] {
      let network = try NetworkText("\(first); dense 2", operations: try linkedOperations())
        .network(inputShape: [12], classes: 2)
      let weights = try Weights(randomFor: network, seed: 1)
      var random = RandomStream(seed: 4)
      let images = random.normal([4, 3, 2, 2])
      let runner = try Runner(network)
      let found = runner.output(of: images, weights: weights)
      #expect(
        found.isIdentical(to: runner.output(of: images.reshaped([4, 12]), weights: weights)))
      var gradients = network.parameters.map { Tensor(zeros: $0.shape) }
      _ = runner.accumulateGradients(
        of: images, labels: [0, 1, 0, 1], weights: weights, into: &gradients, random: nil)
      #expect(gradients.allSatisfy { $0.isFinite })
    }
  }
}
