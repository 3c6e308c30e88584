// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations
import LCWPaths
import Testing

/// Evaluations that share products with first layers, against those that compute everything themselves.
@Suite struct KeptProductsTests {
  private let networks: [Weights]
  private let data: EvaluationData
  /// The bytes of the products of all samples with the hidden units of one network, and of these units'
  /// weights once for each part of the data.
  private let bytes: Int

  init() throws {
    let network = try denseNetwork([6, 9, 4])
    networks = try (1...3).map { try Weights(randomFor: network, seed: $0) }
    data = EvaluationData(
      train: try randomSamples(count: 700, shape: [6], classes: 4),
      test: try randomSamples(count: 300, shape: [6], classes: 4, seed: 8))
    bytes = 4 * 9 * (700 + 300) + 2 * 4 * 9 * 6
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
    #expect(kept.bytes == 3 * bytes + 4 * 1000 + 2 * 4 * 6)
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
    #expect(kept.bytes > 0 && kept.bytes <= 2 * bytes + 4 * 1000 + 2 * 4 * 6)
  }

  @Test func `images that are flattened share products`() throws {
    let network = try Network(
      inputShape: [3, 4, 4],
      layers: [.flatten, .dense(outputs: 9, bias: true), .relu, .dense(outputs: 4, bias: true)])
    let bytes = (0..<200 * 48).map { UInt8($0 * 37 % 251) }
    func samples(mean: Double) throws -> SampleSet {
      try SampleSet(
        name: "images", sampleShape: [3, 4, 4], classes: 4, labels: (0..<200).map { Int32($0 % 4) },
        values: .bytes(bytes, [.init(mean: mean, deviation: 0.2)]))
    }
    let (first, second) = (try samples(mean: 0.4), try samples(mean: 0.5))
    let path = try path(
      "linear", Weights(randomFor: network, seed: 1), Weights(randomFor: network, seed: 2))
    let kept = KeptProducts(limit: 1 << 20)
    for data in [EvaluationData(train: first, test: second), .init(train: second, test: first)] {
      #expect(
        try PathEvaluator(keeping: kept).evaluate(path, on: data)
          == PathEvaluator().evaluate(path, on: data))
      #expect(
        try PathEvaluator(keeping: kept).evaluateMiddle(path, on: data)
          == PathEvaluator().evaluateMiddle(path, on: data))
    }
    // Two networks' weights and products with either normalisation.
    #expect(kept.bytes == 2 * 2 * 4 * (200 * 9 + 9 * 48))
  }

  // MARK: one product

  /// How often products were computed, and what is kept.
  private struct Counting {
    let kept: KeptProducts
    var computed = 0

    mutating func ask(_ weight: Tensor, _ samples: SampleSet, origin: String = "") {
      let product = kept.product(
        of: 0..<10, in: samples, with: .init(weight: weight, origin: origin)
      ) {
        computed += 1
        return Tensor(repeating: weight.elements[0], shape: [10, weight.shape.rows])
      }
      #expect(product.elements.allSatisfy { $0 == weight.elements[0] })
    }
  }

  @Test func `what was asked for before is not computed again`() {
    var counting = Counting(kept: KeptProducts(limit: 1 << 20))
    let (a, b) = (Tensor(repeating: 1, shape: [2, 3]), Tensor(repeating: 2, shape: [2, 3]))
    counting.ask(a, data.train)
    counting.ask(b, data.train)
    counting.ask(a, data.train)
    #expect(counting.computed == 2)
    counting.ask(a, data.test)
    #expect(counting.computed == 3)
    // Equal values elsewhere, and the same weights behind another layer.
    counting.ask(Tensor(repeating: 1, shape: [2, 3]), data.train)
    counting.ask(a, data.train, origin: "relu")
    #expect(counting.computed == 5)
    counting.ask(a, data.train)
    counting.ask(b, data.train)
    #expect(counting.computed == 5)
  }

  @Test func `the oldest gives way, and only to what fits`() {
    // A product of 10 × 2 values with its weights of 2 × 3 takes 104 bytes.
    var counting = Counting(kept: KeptProducts(limit: 250))
    let weights = (1...3).map { Tensor(repeating: Float($0), shape: [2, 3]) }
    counting.ask(weights[0], data.train)
    counting.kept.beginEvaluation()
    counting.ask(weights[1], data.train)
    #expect(counting.kept.bytes == 208 && counting.computed == 2)
    // What is larger than all there is changes nothing.
    counting.kept.beginEvaluation()
    counting.ask(Tensor(repeating: 9, shape: [20, 3]), data.train)
    #expect(counting.kept.bytes == 208 && counting.computed == 3)
    counting.ask(weights[2], data.train)
    #expect(counting.kept.bytes == 208 && counting.computed == 4)
    counting.ask(weights[1], data.train)
    #expect(counting.computed == 4)
    // Both that are left are in use now.
    counting.ask(weights[0], data.train)
    counting.ask(weights[0], data.train)
    #expect(counting.kept.bytes == 208 && counting.computed == 6)
  }
}
