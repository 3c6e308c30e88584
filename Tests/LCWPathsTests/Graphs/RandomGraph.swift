// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWNumerics

/// A random network with skips, concatenations, values that several nodes read, grouped and depthwise
/// convolutions, poolings, normalisations and gates: as far as the program has the operations.
struct RandomGraph {
  /// The network; it tells four classes apart.
  let network: Network

  static let classes = 4

  init(seed: UInt64) throws {
    var writer = GraphWriter(
      random: RandomStream(seed: seed, stream: 1000),
      operations: try PluginRegistry.linked().operations)
    network = try writer.network()
  }

  /// Random weights with scales, shifts and moments away from where training begins.
  func weights(seed: UInt64) throws -> Weights {
    var weights = try Weights(randomFor: network, seed: seed)
    var random = RandomStream(seed: seed, stream: 2000)
    for (index, parameter) in network.parameters.enumerated() {
      guard case .constant = parameter.initial else { continue }
      let shift = random.uniform(parameter.shape, bound: 0.4)
      for place in 0..<shift.count { weights[index].elements[place] += shift.elements[place] }
    }
    return weights
  }

  /// Random samples.
  func block(_ samples: Int, seed: UInt64) -> Tensor {
    var random = RandomStream(seed: seed, stream: 3000)
    return random.normal(network.inputShape.batched(samples))
  }
}

private struct GraphWriter {
  var random: RandomStream
  let operations: OperationCatalog
  var nodes: [Network.NodeDescription] = []
  var shapes: [Shape] = []
  var isRead: [Bool] = []

  mutating func network() throws -> Network {
    let inputs: [Shape] = [[3, 6, 6], [2, 5, 4], [7]]
    shapes = [pick(inputs)]
    isRead = [false]
    let steps = 5 + random.integer(below: 9)
    while nodes.count < steps { step() }
    finish()
    return try Network(inputShape: shapes[0], nodes: nodes)
  }

  private mutating func pick<Element>(_ choices: [Element]) -> Element {
    choices[random.integer(below: choices.count)]
  }

  /// A value, rather one that nothing reads yet.
  private mutating func value(where isWanted: (Shape) -> Bool = { _ in true }) -> Int? {
    let all = shapes.indices.filter { isWanted(shapes[$0]) }
    let unread = all.filter { !isRead[$0] }
    if all.isEmpty { return nil }
    return !unread.isEmpty && random.integer(below: 3) > 0 ? pick(unread) : pick(all)
  }

  /// Adds a node, unless the program lacks the operation or it does not take the values.
  @discardableResult
  private mutating func add(_ text: String, _ inputs: [Int]) -> Int? {
    guard let operation = try? operations.operation(text.split(separator: " ").map(String.init)),
      type(of: operation).inputCount.contains(inputs.count),
      let shape = try? operation.outputShape(for: inputs.map { shapes[$0] }),
      (1...400).contains(shape.count)
    else { return nil }
    nodes.append(
      Network.NodeDescription(
        Layer(operation), reading: inputs.map(Network.Value.init(index:))))
    for input in inputs { isRead[input] = true }
    shapes.append(shape)
    isRead.append(false)
    return shapes.count - 1
  }

  /// A weighted layer with a number of units that keeps the size of images.
  private mutating func weighted(_ value: Int, units: Int) -> Int? {
    let bias = random.integer(below: 3) == 0 ? " no-bias" : ""
    if shapes[value].rank == 1 { return add("dense \(units)\(bias)", [value]) }
    return add("conv \(units) " + pick(["1x1", "3x3 pad 1"]) + bias, [value])
  }

  private mutating func step() {
    guard let value = value() else { return }
    let shape = shapes[value]
    let units = shape.rows
    switch random.integer(below: 15) {
    case 0, 1: _ = weighted(value, units: 2 + random.integer(below: 6))
    case 2: add("batchnorm", [value])
    case 3, 4: add(pick(["relu", "relu", "tanh", "silu", "gelu", "leaky-relu 0.1"]), [value])
    case 5:
      add(
        pick([
          "maxpool 2", "avgpool 2", "maxpool 3 stride 1 pad 1", "avgpool 3 stride 2 pad 1",
          "global-avgpool",
        ]), [value])
    case 6, 7:
      // A skip: a value of the same shape, an old one or one made for it.
      let same = shapes.indices.filter { shapes[$0] == shape && $0 != value }
      if let other = same.isEmpty || random.integer(below: 2) == 0
        ? weighted(value, units: units) : pick(same)
      {
        add("add", [other, value])
      }
    case 8, 9:
      let rest = shape.dimensions.dropFirst()
      let same = shapes.indices.filter { shapes[$0].dimensions.dropFirst() == rest }
      add(
        "concat", random.integer(below: 3) == 0 ? [value, pick(same), value] : [pick(same), value])
    case 10:
      // In parts, or one filter for each channel.
      let parts = pick([2, 3, units])
      add("conv \(parts * (1 + random.integer(below: 2))) 3x3 pad 1 groups \(parts)", [value])
    case 11:
      add(pick(["layernorm", "layernorm channels", "groupnorm 2", "affine", "scalar"]), [value])
    case 12:
      // A gate.
      if let gate = weighted(value, units: units),
        let closed = add(pick(["sigmoid", "tanh"]), [gate])
      {
        add("multiply", pick([[closed, value], [value, closed]]))
      }
    case 13: add(pick(["flatten", "identity", "pad channels 1x2", "pad 1x0x0x1"]), [value])
    default:
      // Several readers of one value.
      if let first = weighted(value, units: 4), let second = weighted(value, units: 4) {
        add("add", [first, second])
      }
    }
  }

  /// Logits from every value that nothing reads.
  private mutating func finish() {
    var logits: [Int] = []
    for value in shapes.indices where !isRead[value] {
      let flat = shapes[value].rank == 1 ? value : add("flatten", [value])
      if let flat, let own = add("dense \(RandomGraph.classes)", [flat]) { logits.append(own) }
    }
    if logits.count > 1 { add("add", logits) }
  }
}
