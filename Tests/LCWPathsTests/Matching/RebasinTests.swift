// SPDX-License-Identifier: Apache-2.0
import LCWConformance
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import LCWPaths
import Testing

/// The method `rebasin`: matching of whole networks, then the way back.
struct RebasinTests {
  private func joined(
    _ method: String, _ a: Weights, _ b: Weights, _ samples: SampleSet? = nil, seed: UInt64 = 3
  ) throws -> any ConnectionPath {
    try PluginRegistry.linked().connection(MethodExpression(method))
      .path(
        from: a, to: b, in: ConnectionContext(samples: samples, seed: seed, workers: Workers(2)))
  }

  private func samples(_ network: Network) throws -> SampleSet {
    try randomSamples(
      count: 90, shape: network.inputShape, classes: network.outputShape.count)
  }

  @Test(arguments: [
    "rebasin", "rebasin:match=activations", "rebasin:search=frank-wolfe,starts=2",
    "rebasin:curve=arc",
  ])
  func `a deep network meets its own units in other orders`(method: String) throws {
    let a = try denseNetwork([6, 20, 16, 12, 4]).weights(seed: 1)
    let b = a.shuffled(seed: 2)
    let matched = try joined(method, a, b, samples(a.network))
    let line = try matched.weights(at: 1)
    if method.contains("activations") {
      // Units that no sample wakes are alike in what they put out.
      #expect(a.distance(to: line) < 0.7 * a.distance(to: b))
    } else {
      #expect(line.isIdentical(to: a))
    }
    #expect(try matched.weights(at: 0).isIdentical(to: a))
    #expect(try matched.weights(at: matched.domain.upperBound).isIdentical(to: b))
  }

  @Test func `with one hidden layer it is optimal transport`() throws {
    let network = try denseNetwork([6, 30, 4])
    let (a, b) = (try network.weights(seed: 1), try network.weights(seed: 2))
    let (matched, transport) = (try joined("rebasin", a, b), try joined("ot", a, b))
    for t in [0.5, 1, 2.5, 4] {
      #expect(try matched.weights(at: t).isIdentical(to: transport.weights(at: t)))
    }
  }

  @Test(arguments: [
    MatchingNetworks.dense, .convolutional, .padded, .grouped,
  ])
  func `paths begin and end, and both ways of evaluating agree`(kind: MatchingNetworks) throws {
    let network = try kind.network()
    let (a, b) = (try network.weights(seed: 1), try network.weights(seed: 2))
    let samples = try samples(network)
    for method in ["rebasin", "rebasin:match=activations,curve=arc", "ot"] {
      let made = try joined(method, a, b, samples)
      #expect(try made.weights(at: 0).isIdentical(to: a))
      #expect(try made.weights(at: made.domain.upperBound).isIdentical(to: b))
      #expect(made.stages.contains { $0.keepsFunction })
      let times = (0...made.stages.count * 3).map { Double($0) / 3 }
      let structured = try PathEvaluator().evaluate(made, at: times, on: samples)
      let obvious = try PathEvaluator(strategy: .pointByPoint)
        .evaluate(made, at: times, on: samples)
      for (x, y) in zip(structured, obvious) {
        #expect(abs(x.crossEntropy - y.crossEntropy) < 1e-5 * (1 + y.crossEntropy), "\(method)")
      }
    }
  }

  @Test func `batch normalisations are matched with their units, folded or not`() throws {
    let network = try MatchingNetworks.residual.network()
    let (a, b) = (try network.weights(seed: 1), try network.weights(seed: 2))
    let block = try samples(network).block(0..<30)
    let runner = try Runner(network)
    let reordered = try WeightMatching().result(from: a, to: b, seed: 1).matching.applied(to: b)
    // Every number of a unit passes with it, running statistics too.
    let (found, expected) = (
      runner.output(of: block, weights: reordered.weights), runner.output(of: block, weights: b)
    )
    #expect(found.squaredDistance(to: expected) < 1e-9)
    var last = reordered.weights
    for way in reordered.pathsBack {
      #expect(try way.weights(at: 0).isIdentical(to: last))
      last = try way.weights(at: 3)
    }
    #expect(last.isIdentical(to: b))
    let (foldedA, foldedB) = (try a.foldingBatchNorm(), try b.foldingBatchNorm())
    let path = try joined("rebasin", foldedA, foldedB)
    #expect(try path.weights(at: path.domain.upperBound).isIdentical(to: foldedB))
  }

  @Test func `units that depend on each other are refused, moved or kept, as one says`() throws {
    let network = try MatchingNetworks.coupled.network()
    let (a, b) = (try network.weights(seed: 1), try network.weights(seed: 2))
    let error = #expect(throws: ConnectionError.self) { try joined("rebasin", a, b) }
    let text = error?.description ?? ""
    #expect(text.contains("layernorm") && text.contains("coupled=move"))
    #expect(text.contains("coupled=keep"))

    let moved = try joined("rebasin:coupled=move", a, b)
    #expect(try moved.weights(at: moved.domain.upperBound).isIdentical(to: b))
    // One of the two groups is normalised: its units change the function when they move, and say so.
    #expect(moved.stages.count { $0.label == "reorder" } == 2)
    #expect(moved.stages.count { $0.label == "reorder" && $0.keepsFunction } == 1)
    let planted = try joined("rebasin:coupled=move", a, a.shuffled(seed: 4))
    #expect(try planted.weights(at: 1).isIdentical(to: a))

    let kept = try joined("rebasin:coupled=keep", a, b)
    #expect(kept.stages.count { $0.label == "reorder" } == 1)
    #expect(kept.remarks.contains { $0.subject.contains("depend on each other") && $0.value == 6 })
    #expect(try kept.weights(at: 1)[0].isIdentical(to: b[0]))
    #expect(try kept.weights(at: kept.domain.upperBound).isIdentical(to: b))
  }

  @Test func `what else can't be joined says what it needs`() throws {
    let recurrent = try MatchingNetworks.recurrent.network()
    let (a, b) = (try recurrent.weights(seed: 1), try recurrent.weights(seed: 2))
    let error = #expect(throws: ConnectionError.self) { try joined("rebasin", a, b) }
    #expect(error?.description.contains("both reads and writes the units of start") == true)
    let small = try denseNetwork([6, 8, 4]).weights(seed: 1)
    #expect(throws: ConnectionError.needsSamples(method: "rebasin:match=activations")) {
      try joined("rebasin:match=activations", small, small)
    }
    let registry = try PluginRegistry.linked()
    #expect(
      try registry.connection(MethodExpression("rebasin:match=activations")).traits.needsData)
    #expect(try !registry.connection(MethodExpression("rebasin")).traits.needsData)
    let alone = try denseNetwork([6, 4]).weights(seed: 1)
    #expect(throws: ConnectionError.self) { try joined("rebasin", alone, alone) }
  }

  @Test(arguments: ["rebasin+wa", "rebasin:curve=arc,match=activations+bfly"])
  func `modifiers take it`(method: String) throws {
    let network = try denseNetwork([6, 9, 8, 4])
    let (a, b) = (try network.weights(seed: 1), try network.weights(seed: 2))
    let path = try joined(method, a, b, samples(network))
    #expect(try path.weights(at: 0).isIdentical(to: a))
    #expect(try path.weights(at: path.domain.upperBound).isIdentical(to: b))
  }
}
