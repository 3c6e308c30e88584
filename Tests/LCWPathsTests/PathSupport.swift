// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations

/// Random samples of a shape whose labels cycle through the classes.
func randomSamples(
  count: Int, shape: Shape, classes: Int, seed: UInt64 = 7
) throws -> SampleSet {
  var random = RandomStream(seed: seed)
  return try SampleSet(
    name: "random", sampleShape: shape, classes: classes,
    labels: (0..<count).map { Int32($0 % classes) },
    values: .floats(random.normal([count * shape.count]).elements))
}

/// A dense network with ReLUs between its layers.
func denseNetwork(
  _ sizes: [Int], bias: Bool = true, activation: Layer = .relu
) throws -> Network {
  var layers: [Layer] = []
  for (index, size) in sizes.dropFirst().enumerated() {
    if index > 0 { layers.append(activation) }
    layers.append(.dense(outputs: size, bias: bias))
  }
  return try Network(inputShape: [sizes[0]], layers: layers)
}

/// The path of a method that the plugins of this test bundle register.
func path(
  _ method: String, _ a: Weights, _ b: Weights, samples: SampleSet? = nil
) throws -> any ConnectionPath {
  try PluginRegistry.linked().connection(MethodExpression(method)).path(
    from: a, to: b, in: ConnectionContext(samples: samples, workers: Workers(2)))
}

/// What the first layers of a network put out.
func output(of block: Tensor, _ weights: Weights, layers: Int) throws -> Tensor {
  try Runner(weights.network, from: [.sample], to: [Network.Value(index: layers)])
    .output(of: block, weights: weights)
}
