// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import LCWPaths
import Testing

/// What stands between layers of weights and has parameters of its own.
struct CompanionTests {
  private static let layers: [Layer] = [
    .dense(outputs: 9, bias: true), .affine, .relu, .dense(outputs: 8, bias: true), .scalar, .relu,
    .dense(outputs: 4, bias: true),
  ]

  /// B with the first layer divided by a number that its factors give back: the same function.
  private func scaled(_ weights: Weights, by factor: Float) -> Weights {
    var result = weights
    for index in [0, 1] { result[index].assign(0, times: weights[index], plus: 1 / factor) }
    result[2].assign(0, times: weights[2], plus: factor)
    return result
  }

  @Test(arguments: ["linear+wa", "arc+wa", "linear+bfly", "ot+wa"])
  func `they move with their layer`(method: String) throws {
    let network = try Network(inputShape: [6], layers: Self.layers)
    let registry = try PluginRegistry.linked()
    let samples = try randomSamples(count: 200, shape: [6], classes: 4)
    let a = try Weights(randomFor: network, seed: 1)
    var b = scaled(try Weights(randomFor: network, seed: 2), by: 50)
    let scalar = try #require(network.parameters.firstIndex { $0.role.rawValue == "factor" })
    b[scalar].elements[0] = 3
    let path = try registry.connection(MethodExpression(method))
      .path(from: a, to: b, in: ConnectionContext(samples: samples))
    #expect(try path.weights(at: path.domain.lowerBound).isIdentical(to: a))
    #expect(try path.weights(at: path.domain.upperBound).isIdentical(to: b))
    // Behind the stage in which a layer moves, what follows it is B's too.
    for (label, parameter) in [("dense1", 2), ("dense2", scalar)] {
      let stage = try #require(path.stages.firstIndex { $0.label == "\(label) moves" })
      let point = try path.weights(at: Double(stage + 1))
      #expect(!a[parameter].isIdentical(to: b[parameter]))
      let (found, wanted) = (
        point[parameter].elements.sorted(), b[parameter].elements.sorted()
      )
      #expect(found == wanted, "\(method) \(label)")
    }
    let evaluator = PathEvaluator()
    var exact = evaluator
    exact.strategy = .pointByPoint
    let times = stride(from: 0, through: path.domain.upperBound, by: 0.25).map { $0 }
    let (found, wanted) = (
      try evaluator.evaluate(path, at: times, on: samples),
      try exact.evaluate(path, at: times, on: samples)
    )
    for (one, other) in zip(found, wanted) {
      #expect(
        abs(one.crossEntropy - other.crossEntropy) < 1e-4 * max(1, abs(other.crossEntropy)))
    }
  }

  @Test(arguments: ["ot", "ot+wa", "ot+bfly"])
  func `units that depend on each other are not brought into their order one by one`(
    method: String
  ) throws {
    let network = try Network(
      inputShape: [6],
      layers: [.dense(outputs: 9, bias: true), .layerNorm(), .relu, .dense(outputs: 4, bias: true)])
    let samples = try randomSamples(count: 50, shape: [6], classes: 4)
    let (a, b) = (
      try Weights(randomFor: network, seed: 1), try Weights(randomFor: network, seed: 2)
    )
    let error = #expect(throws: ConnectionError.self) {
      _ = try PluginRegistry.linked().connection(MethodExpression(method))
        .path(from: a, to: b, in: ConnectionContext(samples: samples))
    }
    #expect(error?.description.contains("layernorm") == true)
  }

  @Test
  func `a head begins where one layer alone reads the backbone`() throws {
    let network = try Network(
      inputShape: [6],
      nodes: [
        .init(.dense(outputs: 8, bias: true)), .init(.relu, name: "start"),
        .init(.dense(outputs: 8, bias: true), name: "inner"),
        .init(.add, reading: [.output(ofNode: 2), .output(ofNode: 1)]), .init(.relu),
        .init(.dense(outputs: 4, bias: true)),
      ])
    let networks = try (1...2).map { try Weights(randomFor: network, seed: $0) }
    let samples = try randomSamples(count: 100, shape: [6], classes: 4)
    #expect(
      throws: EnsembleError.headWithinBlock(2, layer: "inner", others: [1, 3])
    ) { try Ensemble(of: networks, head: 2, samples: samples) }
    let ensemble = try Ensemble(of: networks, head: 1, samples: samples)
    #expect(try ensemble.evaluate(on: samples).count == 2)
  }
}
