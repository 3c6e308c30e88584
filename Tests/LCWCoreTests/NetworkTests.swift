// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

@Suite struct NetworkTests {
  private func pool(_ size: Int, stride: Int) -> Layer {
    .maxPool(.init(size: size, stride: stride))
  }

  private func conv(_ filters: Int, _ kernel: Int, padding: Int, bias: Bool = true) -> Layer {
    .convolution(.init(filters: filters, kernel: kernel, padding: padding, bias: bias))
  }

  @Test func aPerceptron() throws {
    let network = try Network(
      inputShape: [784],
      layers: [.dense(outputs: 2000, bias: true), .relu, .dense(outputs: 10, bias: false)])
    #expect(network.shapes == [[784], [2000], [2000], [10]])
    #expect(network.outputShape == [10])
    #expect(
      network.parameters.map { "\($0.name) \($0.shape) \($0.layer) \($0.role)" } == [
        "dense1.weight [2000, 784] 0 weight", "dense1.bias [2000] 0 bias",
        "dense2.weight [10, 2000] 2 weight",
      ])
    #expect(network.parameterCount == 2000 * 784 + 2000 + 10 * 2000)
    #expect(network.weightedLayers == [0, 2])
    #expect(network.parameterIndices(ofLayer: 0) == [0, 1])
    #expect(network.parameterIndex(ofLayer: 2, role: .weight) == 2)
    #expect(network.parameterIndex(ofLayer: 2, role: .bias) == nil)
    #expect("\(network)" == "dense 2000; relu; dense 10 no-bias")
  }

  /// The paper's small convolutional network, whose vector has 3,136 values.
  @Test func conv2FC1() throws {
    let network = try Network(
      inputShape: [3, 32, 32],
      layers: [
        conv(32, 5, padding: 2), .relu, pool(3, stride: 2), conv(64, 5, padding: 2), .relu,
        pool(3, stride: 2), .flatten, .dense(outputs: 10, bias: true),
      ])
    #expect(
      network.shapes.map(\.dimensions) == [
        [3, 32, 32], [32, 32, 32], [32, 32, 32], [32, 15, 15], [64, 15, 15], [64, 15, 15],
        [64, 7, 7], [3136], [10],
      ])
    #expect(network.parameters[0].shape == [32, 3, 5, 5])
    #expect(network.parameters[2].name == "conv2.weight")
    #expect(network.parameters[4].shape == [10, 3136])
  }

  @Test func vgg16() throws {
    var layers: [Layer] = []
    for (filters, count) in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)] {
      layers += (0..<count).flatMap { _ in [conv(filters, 3, padding: 1), Layer.relu] }
      layers.append(pool(2, stride: 2))
    }
    layers.append(.flatten)
    for _ in 0..<2 {
      layers += [.dropout(rate: 0.5), .dense(outputs: 512, bias: true), .relu]
    }
    layers += [.dropout(rate: 0.5), .dense(outputs: 10, bias: true)]
    let network = try Network(inputShape: [3, 32, 32], layers: layers)
    #expect(network.weightedLayers.count == 16)
    #expect(network.outputShape == [10])
    #expect(network.shapes[layers.firstIndex(of: .flatten) ?? 0] == [512, 1, 1])
    // 14,714,688 of the convolutions, 2 · 262,656 and 5,130 of the dense layers.
    #expect(network.parameterCount == 15_245_130)
  }

  @Test(
    arguments: [
      (
        .convolution(.init(filters: 4, kernel: [3, 5], stride: 2, padding: 1, bias: true)),
        [4, 5, 3]
      ),
      (.convolution(.init(filters: 2, kernel: 1)), [2, 9, 7]),
      (
        .convolution(.init(filters: 2, kernel: [9, 7], stride: 1, padding: 0, bias: true)),
        [2, 1, 1]
      ),
      (.maxPool(.init(size: 3, stride: 2, padding: 1)), [3, 5, 4]),
      (.averagePool(.init(size: 2, stride: 2)), [3, 4, 3]),
      (.batchNorm, [3, 9, 7]), (.tanh, [3, 9, 7]), (.dropout(rate: 0), [3, 9, 7]),
      (.flatten, [189]),
    ] as [(Layer, [Int])])
  func outputShapes(layer: Layer, shape: [Int]) throws {
    let network = try Network(inputShape: [3, 9, 7], layers: [layer])
    #expect(network.outputShape.dimensions == shape)
  }

  @Test func batchNormalisation() throws {
    let network = try Network(
      inputShape: [3, 4, 4], layers: [.batchNorm, .flatten, .batchNorm])
    #expect(
      network.parameters.map(\.name) == [
        "norm1.scale", "norm1.shift", "norm1.mean", "norm1.variance", "norm2.scale",
        "norm2.shift", "norm2.mean", "norm2.variance",
      ])
    #expect(network.parameters.map(\.shape.count) == [3, 3, 3, 3, 48, 48, 48, 48])
    #expect(
      network.parameters.prefix(4).map(\.isTrained) == [true, true, false, false])
    #expect(network.weightedLayers == [])
  }

  /// Layers behind a ReLU that `[3, 9, 7]` can't go into, and what is said of them.
  static let faults: [(Layer, String)] = [
    (
      .dense(outputs: 5, bias: true),
      "(dense 5) needs a vector but gets [3, 9, 7]; put a flatten before it"
    ),
    (.convolution(.init(filters: 0, kernel: 3)), "needs filters and a kernel"),
    (
      .convolution(.init(filters: 1, kernel: [3], stride: 1, padding: 0, bias: true)),
      "needs filters and a kernel"
    ),
    (.convolution(.init(filters: 1, kernel: 8)), "a window of [8, 8] that does not fit [3, 9, 7]"),
    (.convolution(.init(filters: 1, kernel: 0)), "a size or stride under 1"),
    (.convolution(.init(filters: 1, kernel: 3, stride: 0)), "a size or stride under 1"),
    (.convolution(.init(filters: 1, kernel: 3, padding: -1)), "a negative padding"),
    (.convolution(.init(filters: 1, kernel: 3, padding: .max)), "too large"),
    (.convolution(.init(filters: .max, kernel: 1)), "too large"),
    (.convolution(.init(filters: 1 << 57, kernel: 1)), "too large"),
    (.maxPool(.init(size: 2, stride: 2, padding: 2)), "half a window at most"),
    (.maxPool(.init(size: 2, stride: 2, padding: .max)), "half a window at most"),
    (.averagePool(.init(size: 0, stride: 1)), "a size or stride under 1"),
    (.averagePool(.init(size: .min, stride: 1, padding: .min)), "a size or stride under 1"),
    (.dropout(rate: 1), "(dropout 1.0) needs a rate from 0 to below 1"),
    (.dropout(rate: -0.1), "a rate from 0 to below 1"),
    (.dropout(rate: .nan), "a rate from 0 to below 1"),
  ]

  @Test(arguments: faults) func faultsNameTheLayer(layer: Layer, says: String) {
    let error = #expect(throws: NetworkError.self) {
      try Network(inputShape: [3, 9, 7], layers: [.relu, layer])
    }
    #expect(error?.description.hasPrefix("layer 2 (\(layer)) ") == true)
    #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
    #expect(error?.category == .usage)
  }

  @Test(
    arguments: [
      ([5], .maxPool(.init(size: 2, stride: 2)), "needs [channels, height, width] but gets [5]"),
      ([2, 3], .batchNorm, "needs a vector or [channels, height, width] but gets [2, 3]"),
      ([5], .dense(outputs: 0, bias: true), "needs at least one output"),
      ([5], .dense(outputs: .max, bias: true), "too large"),
      ([1], .dense(outputs: .max, bias: true), "makes the network too large"),
      ([0], .dense(outputs: .max, bias: true), "a sample [0] has no values"),
    ] as [([Int], Layer, String)])
  func faultsOfOtherInputs(input: [Int], layer: Layer, says: String) {
    let error = #expect(throws: NetworkError.self) {
      try Network(inputShape: Shape(input), layers: [layer])
    }
    #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
  }

  @Test func asManyLayersAsAreHandledTakeNoTime() throws {
    let layers = (1..<Network.largestLayerCount / 2).flatMap { _ -> [Layer] in
      [.dense(outputs: 2, bias: true), .relu]
    }
    let start = processorSeconds()
    let network = try Network(inputShape: [2], layers: layers)
    for layer in network.layers.indices {
      let own = network.parameterIndices(ofLayer: layer)
      #expect(own == (layer % 2 == 0 ? [layer, layer + 1] : []))
    }
    #expect(processorSeconds() - start < 60)
    #expect(throws: NetworkError.tooManyLayers(400_000)) {
      try Network(inputShape: [2], layers: [Layer](repeating: .relu, count: 400_000))
    }
  }

  @Test func aSampleHasValues() {
    #expect(throws: NetworkError.emptySample([0, 8, 8])) {
      try Network(inputShape: [0, 8, 8], layers: [.batchNorm, .flatten])
    }
  }

  /// What a text may ask for and no machine can do: no integer overflows on the way to saying so.
  @Test(
    arguments: [
      .convolution(.init(filters: 1, kernel: 1, stride: 1, padding: 1_000_000_000)),
      .convolution(.init(filters: 1, kernel: 1, stride: 1_000_000_000, padding: 1_000_000_000)),
      .convolution(.init(filters: Int.max, kernel: [1, 1], stride: 1, padding: 0, bias: true)),
      .convolution(
        .init(filters: 1, kernel: [Int.max, Int.max], stride: 1, padding: 0, bias: true)),
      .maxPool(.init(size: Int.max, stride: 1, padding: Int.max)),
      .averagePool(.init(size: 2, stride: Int.max, padding: 1)),
      .dense(outputs: Int.max, bias: true),
    ] as [Layer])
  func sizesAtTheEdgesAreRefusedOrRight(layer: Layer) {
    do {
      let network = try Network(inputShape: [1, 8, 8], layers: [layer])
      #expect(Double(network.sampleWork) <= Network.largestSampleWork)
      #expect(network.multiplyAdds(ofLayer: 0) >= 0)
    } catch {
      #expect(error.description.contains("layer 1"))
    }
  }

  @Test func multiplicationsOfASample() throws {
    let network = try Network(
      inputShape: [3, 32, 32],
      layers: [
        conv(32, 5, padding: 2), pool(3, stride: 2),
        .averagePool(.init(size: 99, stride: 1, padding: 49)),
        .flatten, .dense(outputs: 10, bias: true),
      ])
    #expect(network.multiplyAdds(ofLayer: 0) == 32 * 3 * 25 * 32 * 32)
    #expect(network.multiplyAdds(ofLayer: 1) == 32 * 15 * 15 * 9)
    // A window ends where the image does.
    #expect(network.multiplyAdds(ofLayer: 2) == 32 * 15 * 15 * 15 * 15)
    #expect(network.multiplyAdds(ofLayer: 4) == 10 * 32 * 15 * 15)
    // Flatten multiplies nothing, and goes through its values.
    let multiplications = network.layers.indices.reduce(0) {
      $0 + network.multiplyAdds(ofLayer: $1)
    }
    #expect(network.sampleWork == multiplications + 32 * 15 * 15)
    #expect(network.widestSample == 32 * 32 * 32)
  }

  /// Thousands of layers that multiply nothing are work too.
  @Test func valuesThatLayersGoThroughAreCounted() throws {
    let layers = [Layer](repeating: .relu, count: 8000)
    #expect(try Network(inputShape: [1000], layers: layers).sampleWork == 8_000_000)
    #expect(throws: NetworkError.self) {
      try Network(inputShape: [1 << 30], layers: layers)
    }
  }

  /// A tensor of one element may stand for millions of values, but what else is stored does not pay
  /// for them.
  @Test func whatIsCombinedIsBoundedByWhatCombinesToIt() throws {
    #expect(throws: CheckpointError.self) {
      try DescriptionLimits.check(
        combined: [(values: 10_000_000, storedBytes: 17), (values: 10, storedBytes: 300_000)],
        of: "stage1")
    }
    try DescriptionLimits.check(
      combined: [(values: 10_000_000, storedBytes: 30_000_000), (values: 1000, storedBytes: 17)],
      of: "stage1")
  }

  @Test func layersAsText() {
    #expect(
      [
        Layer.convolution(.init(filters: 32, kernel: 5, padding: 2)),
        .convolution(.init(filters: 8, kernel: [3, 1], stride: 2, padding: 0, bias: false)),
        .maxPool(.init(size: 3, stride: 2)), .averagePool(.init(size: 2, stride: 2, padding: 1)),
        .batchNorm, .dropout(rate: 0.25), .tanh,
      ].map(\.description) == [
        "conv 32 5x5 pad 2", "conv 8 3x1 stride 2 no-bias", "maxpool 3 stride 2",
        "avgpool 2 pad 1", "batchnorm", "dropout 0.25", "tanh",
      ])
  }
}

@Suite struct WeightsTests {
  private let network: Network

  init() throws {
    network = try Network(inputShape: [3], layers: [.dense(outputs: 2, bias: true)])
  }

  @Test func anotherNumberOfTensorsIsRefused() {
    let error = #expect(throws: NetworkError.self) {
      try Weights(network: network, tensors: [Tensor(zeros: [2, 3])])
    }
    #expect(error == .tensorCount(expected: 2, found: 1))
    #expect(error?.description == "the network has 2 parameters, but 1 tensors were given")
  }

  @Test func anotherShapeIsRefused() {
    let error = #expect(throws: NetworkError.self) {
      try Weights(network: network, tensors: [Tensor(zeros: [3, 2]), Tensor(zeros: [2])])
    }
    #expect(error?.description == "dense1.weight should be [2, 3] but is [3, 2]")
    #expect(error?.category == .data)
  }

  @Test func distances() throws {
    let zero = Weights(zeros: network)
    var other = zero
    other[0].elements[4] = 3
    other[1].elements[0] = -4
    #expect(zero.distance(to: other) == 5)
    #expect(zero.isIdentical(to: Weights(zeros: network)))
    #expect(!zero.isIdentical(to: other))
    #expect(other.isFinite)
    other[1].elements[1] = .nan
    #expect(!other.isFinite)
  }
}
