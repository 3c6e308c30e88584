// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWOperations

/// The small networks that methods are tried on.
enum SuiteNetworks {
  /// Two layers, three layers, a convolution before dense ones, a residual network, two whose hidden
  /// units are normalised: one by one, and all of a sample together; and two with running statistics, of which
  /// one is residual.
  static func all() throws -> [Network] {
    try [
      Network(
        inputShape: [6],
        layers: [.dense(outputs: 9, bias: true), .relu, .dense(outputs: 4, bias: true)]),
      Network(
        inputShape: [6],
        layers: [
          .dense(outputs: 9, bias: true), .relu, .dense(outputs: 8, bias: true), .relu,
          .dense(outputs: 4, bias: true),
        ]),
      Network(
        inputShape: [2, 6, 6],
        layers: [
          .convolution(.init(filters: 5, kernel: 3, padding: 1)), .relu,
          .maxPool(.init(size: 2, stride: 2)), .flatten, .dense(outputs: 7, bias: true), .relu,
          .dense(outputs: 4, bias: true),
        ]),
      Network(
        inputShape: [6],
        nodes: [
          .init(.dense(outputs: 8, bias: true)), .init(.relu, name: "start"),
          .init(.dense(outputs: 7, bias: true)), .init(.relu),
          .init(.dense(outputs: 8, bias: true)),
          .init(.add, reading: [.output(ofNode: 4), .output(ofNode: 1)]), .init(.relu),
          .init(.dense(outputs: 4, bias: true)),
        ]),
      Network(
        inputShape: [6],
        layers: [
          .dense(outputs: 9, bias: true), .affine, .relu, .dense(outputs: 8, bias: true), .relu,
          .dense(outputs: 4, bias: true),
        ]),
      Network(
        inputShape: [6],
        layers: [
          .dense(outputs: 9, bias: true), .layerNorm(), .relu, .dense(outputs: 8, bias: true),
          .relu, .dense(outputs: 4, bias: true),
        ]),
      Network(
        inputShape: [6],
        layers: [
          .dense(outputs: 9, bias: false), .batchNorm, .relu, .dense(outputs: 8, bias: true),
          .batchNorm, .relu, .dense(outputs: 4, bias: true),
        ]),
      Network(
        inputShape: [2, 5, 5],
        nodes: [
          .init(.convolution(.init(filters: 5, kernel: 3, padding: 1, bias: false))),
          .init(.batchNorm), .init(.relu, name: "start"),
          .init(.convolution(.init(filters: 4, kernel: 3, padding: 1, bias: false))),
          .init(.batchNorm), .init(.relu),
          .init(.convolution(.init(filters: 5, kernel: 3, padding: 1))), .init(.batchNorm),
          .init(.add, reading: [.output(ofNode: 7), .output(ofNode: 2)]), .init(.relu),
          .init(.globalAveragePool), .init(.flatten), .init(.dense(outputs: 4, bias: true)),
        ]),
    ]
  }

  /// Networks that are nearly another: with parameters of the same shapes, and of others.
  static func variations(of network: Network) throws -> [Network] {
    let other = network.layers.map {
      $0.operation.fusedActivation == .rectifier ? Layer.tanh : $0
    }
    // Units that a sum ties have to stay as many as they are.
    var wider = network.layers
    if let index = network.weightedLayers.first(where: { isFreelyWidened($0, in: network) }),
      let operation = widened(wider[index].operation)
    {
      wider[index] = Layer(operation)
    }
    return try [other, wider].filter { $0 != network.layers }.map { layers in
      try Network(
        inputShape: network.inputShape,
        nodes: zip(network.nodes, layers).map { node, layer in
          Network.NodeDescription(layer, name: node.name, reading: node.inputs)
        })
    }
  }

  /// An operation whose text begins with the number of its outputs, with one more of them.
  private static func widened(_ operation: some NetworkOperation) -> (any NetworkOperation)? {
    var words = operation.words
    guard let outputs = words.first.flatMap({ Int($0) }) else { return nil }
    words[0] = "\(outputs + 1)"
    var rest = OperationWords(words)
    return try? type(of: operation).init(words: &rest)
  }

  /// Whether a layer alone writes its units, which are hidden.
  private static func isFreelyWidened(_ layer: Int, in network: Network) -> Bool {
    let groups = UnitGroups(of: network).groups(of: .output(ofNode: layer))
    return groups.allSatisfy { $0.isFree && $0.nodes(.writes, in: network) == [layer] }
  }
}

/// Two networks to join, and what a method may look at.
struct SuitePair: Sendable {
  let first: Weights
  let second: Weights
  let samples: SampleSet
  let context: ConnectionContext

  init(_ network: Network) throws {
    first = try Weights(randomFor: network, seed: 1).withOwnAverages(seed: 3)
    second = try Weights(randomFor: network, seed: 2).withOwnAverages(seed: 4)
    let count = 96
    var random = RandomStream(seed: 7)
    let classes = network.outputShape.count
    samples = try SampleSet(
      name: "the suite's samples", sampleShape: network.inputShape, classes: classes,
      labels: (0..<count).map { Int32($0 % classes) },
      values: .floats(random.normal([count * network.inputShape.count]).elements))
    context = ConnectionContext(samples: samples, seed: 5, workers: Workers(2))
  }
}

extension Weights {
  /// With running statistics away from where training begins, as networks that were trained have them.
  fileprivate func withOwnAverages(seed: UInt64) -> Weights {
    var (weights, random) = (self, RandomStream(seed: seed))
    for (index, parameter) in network.parameters.enumerated() where !parameter.isTrained {
      let shift = random.uniform(parameter.shape, bound: 0.4)
      for place in 0..<shift.count { weights[index].elements[place] += shift.elements[place] }
    }
    return weights
  }
}
