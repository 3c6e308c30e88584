// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWPaths
import Testing

/// Evaluations that share products with first layers, against those that compute everything themselves.
@Suite struct KeptProductsTests {
  private let networks: [Weights]
  private let data: EvaluationData
  /// The bytes of the products of all samples with the hidden units of one network.
  private let bytes: Int

  init() throws {
    let network = try denseNetwork([6, 9, 4])
    networks = try (1...3).map { try Weights(randomFor: network, seed: $0) }
    data = EvaluationData(
      train: try randomSamples(count: 700, shape: [6], classes: 4),
      test: try randomSamples(count: 300, shape: [6], classes: 4, seed: 8))
    bytes = 4 * 9 * (700 + 300)
  }

  private func evaluation(
    _ method: String, _ first: Int, _ second: Int, keeping kept: KeptProducts? = nil,
    on other: EvaluationData? = nil
  ) throws -> PathEvaluation {
    try PathEvaluator(workers: Workers(2), keeping: kept)
      .evaluate(try path(method, networks[first], networks[second]), on: other ?? data)
  }

  @Test func `pairs share the products of their networks`() throws {
    let kept = KeptProducts(limit: 1 << 20)
    #expect(try evaluation("linear", 0, 1, keeping: kept) == evaluation("linear", 0, 1))
    #expect(kept.bytes == 2 * bytes)
    #expect(try evaluation("linear", 1, 2, keeping: kept) == evaluation("linear", 1, 2))
    #expect(try evaluation("linear", 0, 2, keeping: kept) == evaluation("linear", 0, 2))
    #expect(kept.bytes == 3 * bytes)
    // The arc adds the mean's product, a number for each sample.
    #expect(try evaluation("arc", 0, 2, keeping: kept) == evaluation("arc", 0, 2))
    #expect(kept.bytes == 3 * bytes + 4 * 1000)
  }

  @Test(arguments: [0, 1, 2, 3]) func `the limit holds`(share: Int) throws {
    // Room for nothing, for a part of one network's, for one network's, and for both.
    let limit = [0, bytes / 3, bytes + bytes / 2, 2 * bytes][share]
    let kept = KeptProducts(limit: limit)
    for (first, second) in [(0, 1), (1, 2), (0, 2), (0, 1)] {
      #expect(
        try evaluation("linear", first, second, keeping: kept)
          == evaluation("linear", first, second))
      #expect(kept.bytes <= limit)
    }
    if share == 3 { #expect(kept.bytes == limit) }
  }

  @Test func `changed weights and other samples have products of their own`() throws {
    let kept = KeptProducts(limit: 1 << 20)
    let before = try evaluation("linear", 0, 1, keeping: kept)
    var changed = networks[0]
    changed[0].elements[0] += 1
    let path = try path("linear", changed, networks[1])
    let evaluator = PathEvaluator(workers: Workers(2), keeping: kept)
    let found = try evaluator.evaluate(path, on: data)
    #expect(try found == PathEvaluator(workers: Workers(2)).evaluate(path, on: data))
    #expect(found != before)
    let others = EvaluationData(train: data.test, test: data.train)
    #expect(
      try evaluation("linear", 0, 1, keeping: kept, on: others)
        == evaluation("linear", 0, 1, on: others))
    let changes = EvaluationData(
      train: try randomSamples(count: 700, shape: [6], classes: 4, seed: 9), test: data.test)
    #expect(
      try evaluation("linear", 0, 1, keeping: kept, on: changes)
        == evaluation("linear", 0, 1, on: changes))
  }

  @Test func `only products of the samples themselves are kept`() throws {
    let network = try denseNetwork([6, 9, 8, 4])
    let a = try Weights(randomFor: network, seed: 1)
    let b = try Weights(randomFor: network, seed: 2)
    let kept = KeptProducts(limit: 1 << 20)
    let path = try path("ot", a, b)
    #expect(
      try PathEvaluator(workers: Workers(2), keeping: kept).evaluate(path, on: data)
        == PathEvaluator(workers: Workers(2)).evaluate(path, on: data))
    // The first layer moves in one stage, between two tensors and around a row that they share; what
    // the second layer reads is not the samples.
    #expect(kept.bytes > 0 && kept.bytes <= 2 * bytes + 4 * 1000)
  }
}
