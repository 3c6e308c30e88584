// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// A network as a plain value: the shape of a sample and a graph of operations.
///
/// Everything else is generic over this description: running, training, which tensors belong to
/// which hidden unit, the paths. It holds no weights; ``Weights`` does.
///
/// ```swift
/// let network = try Network(
///   inputShape: [784], layers: [.dense(outputs: 2000, bias: true), .relu, .dense(outputs: 10, bias: true)])
/// network.parameters.map(\.name)
/// // ["dense1.weight", "dense1.bias", "dense2.weight", "dense2.bias"]
/// ```
///
/// One with skip connections is written node by node:
///
/// ```swift
/// var sketch = NetworkSketch(inputShape: [16])
/// let end = sketch.append(.dense(outputs: 16, bias: true), named: "block")
/// sketch.append(.add, reading: end, .sample)
/// sketch.append(.dense(outputs: 10, bias: true), named: "head")
/// let residual = try sketch.network()
/// ```
public struct Network: Sendable, Hashable, CustomStringConvertible {
  /// The shape of one sample.
  public let inputShape: Shape
  /// The nodes, each behind those whose values it reads; the last one's value is the network's output.
  public let nodes: [Node]
  /// The shape of one sample of each value: of the sample itself, and behind it of each node.
  public let shapes: [Shape]
  /// The parameters, in the order of the nodes; of a node, weights before bias.
  public let parameters: [Parameter]
  /// The index of the first parameter of each node, and behind the last the number of all.
  private let firstParameters: [Int]

  /// What a node reads or computes: the sample or a node's output.
  public struct Value: Sendable, Hashable, Comparable {
    /// The index into ``Network/shapes``: 0 for the sample, and one more than a node's for its output.
    public let index: Int

    /// The value with an index.
    public init(index: Int) {
      self.index = index
    }

    /// The sample.
    public static let sample = Value(index: 0)
    /// The output of the node with an index.
    public static func output(ofNode node: Int) -> Value { Value(index: node + 1) }

    /// The node that computes it; nothing for the sample.
    public var node: Int? { index == 0 ? nil : index - 1 }

    /// Whether a value is known before another one.
    public static func < (a: Value, b: Value) -> Bool { a.index < b.index }
  }

  /// One operation, the values it reads, and its name.
  public struct Node: Sendable, Hashable {
    /// The name, such as `conv1`; no other node has it.
    public let name: String
    /// What it does.
    public let layer: Layer
    /// What it reads.
    public let inputs: [Value]

    /// What it does.
    public var operation: any NetworkOperation { layer.operation }
  }

  /// A node that is still to be named and joined to others.
  public struct NodeDescription: Sendable {
    /// The name; the operation's and a number if there is none.
    public var name: String?
    /// What it does.
    public var layer: Layer
    /// What it reads; what the node before it computes if nothing is said.
    public var inputs: [Value]?

    /// A node.
    public init(_ layer: Layer, name: String? = nil, reading inputs: [Value]? = nil) {
      self.name = name
      self.layer = layer
      self.inputs = inputs
    }
  }

  /// A chain of layers.
  /// - Throws: As ``init(inputShape:nodes:)``.
  public init(inputShape: Shape, layers: [Layer]) throws(NetworkError) {
    try self.init(inputShape: inputShape, nodes: layers.map { NodeDescription($0) })
  }

  /// A graph; the last node's value is its output.
  /// - Throws: ``NetworkError/layer(index:description:problem:)`` if a node can't read what it should, or
  ///   needs a tensor whose size does not fit an integer, if its name is another's, or if nothing reads
  ///   it; ``NetworkError/emptySample(_:)`` if a sample has no values,
  ///   ``NetworkError/tooManyLayers(_:)``, ``NetworkError/tooManyInputs(_:)`` and
  ///   ``NetworkError/tooLarge(values:)``.
  public init(inputShape: Shape, nodes descriptions: [NodeDescription]) throws(NetworkError) {
    guard inputShape.count > 0 else { throw .emptySample(inputShape) }
    guard descriptions.count <= Network.largestLayerCount else {
      throw .tooManyLayers(descriptions.count)
    }
    let inputCount = descriptions.reduce(0) { $0 + ($1.inputs?.count ?? 1) }
    guard inputCount <= Network.largestInputCount else { throw .tooManyInputs(inputCount) }
    var building = NetworkBuilder(inputShape: inputShape)
    for description in descriptions { try building.add(description) }
    try building.requireReaders()
    guard building.values <= Double(Network.largestParameterCount) else {
      throw .tooLarge(values: building.values)
    }
    self.inputShape = inputShape
    nodes = building.nodes
    shapes = building.shapes
    parameters = building.parameters
    firstParameters = building.firstParameters
  }

  /// The most values a network's parameters may have: 32 GB in single precision.
  public static let largestParameterCount = 1 << 33

  /// The most nodes a network may have.
  public static let largestLayerCount = 8192

  /// The most values that all nodes of a network may read.
  public static let largestInputCount = 1 << 16

  /// The most multiplications with additions, or values in windows, of one sample.
  public static let largestSampleWork = 0x1p42

  /// What the nodes do, in their order.
  public var layers: [Layer] { nodes.map(\.layer) }

  /// The value that the network puts out.
  public var output: Value { Value(index: nodes.count) }

  /// The shape of one sample's output.
  public var outputShape: Shape { shapes[nodes.count] }

  /// The shape of one sample of a value.
  public func shape(of value: Value) -> Shape { shapes[value.index] }

  /// The shapes of one sample of what a node reads.
  public func inputShapes(of node: Int) -> [Shape] { nodes[node].inputs.map { shapes[$0.index] } }

  /// Whether each node reads what the one before it computes, and nothing else.
  public var isChain: Bool { nodes.indices.allSatisfy { nodes[$0].inputs == [Value(index: $0)] } }

  /// For each value the nodes that read it, in their order; one that reads it twice is repeated.
  public var readers: [[Int]] {
    var readers = [[Int]](repeating: [], count: shapes.count)
    for (index, node) in nodes.enumerated() {
      for input in node.inputs { readers[input.index].append(index) }
    }
    return readers
  }

  /// The indices of the dense and convolutional layers.
  public var weightedLayers: [Int] { nodes.indices.filter { nodes[$0].layer.isWeighted } }

  /// The indices into ``parameters`` of a node's parameters.
  public func parameterIndices(ofLayer layer: Int) -> [Int] {
    nodes.indices.contains(layer)
      ? Array(firstParameters[layer]..<firstParameters[layer + 1]) : []
  }

  /// The index into ``parameters`` of a node's parameter of a role, if it has one.
  public func parameterIndex(ofLayer layer: Int, role: Parameter.Role) -> Int? {
    parameterIndices(ofLayer: layer).first { parameters[$0].role == role }
  }

  /// The number of values in all parameters.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.shape.count } }

  /// The multiplications with additions of a node for one sample, or the values that a pooling's windows
  /// have of it; none for most others.
  public func multiplyAdds(ofLayer layer: Int) -> Int {
    // At most 2^42, so that it fits an integer and is exact.
    Int(
      nodes[layer].operation.multiplyAdds(
        inputs: inputShapes(of: layer), output: shapes[layer + 1]))
  }

  /// The most values of one sample before and behind a node.
  public var widestSample: Int { shapes.reduce(0) { max($0, $1.count) } }

  /// For each node the values of one sample that are in memory while it runs: what it reads and computes,
  /// and all that is still to be read.
  ///
  /// In double precision, since a sample may have as many values as an integer holds.
  public var liveSamples: [Double] {
    var lastReaders = [Int](repeating: -1, count: shapes.count)
    for (index, node) in nodes.enumerated() {
      for input in node.inputs { lastReaders[input.index] = index }
    }
    var live = Double(inputShape.count)
    return nodes.indices.map { index in
      live += Double(shapes[index + 1].count)
      let during = live
      for input in Set(nodes[index].inputs) where lastReaders[input.index] == index {
        live -= Double(shapes[input.index].count)
      }
      return during
    }
  }

  /// The most values of one sample that are in memory at once.
  public var widestLiveSample: Int {
    Int(min(liveSamples.reduce(Double(inputShape.count), max), 0x1p60))
  }

  /// The most values of the windows, with all their channels, that lie beside each other in one image
  /// of a convolution: what it has in memory at least.
  public var widestPatchRow: Int {
    nodes.indices.reduce(0) { widest, node in
      let values = nodes[node].operation.workspace(
        inputs: inputShapes(of: node), output: shapes[node + 1])
      return max(widest, Int(min(values, 0x1p60)))
    }
  }

  /// The work of all nodes for one sample: their multiplications with additions, the values in the
  /// windows of pooling layers, and the values that others go through.
  public var sampleWork: Int {
    nodes.indices.reduce(0) { $0 + max(multiplyAdds(ofLayer: $1), shapes[$1 + 1].count) }
  }

  /// A node for messages: its text, and its name where that is its own.
  public func describe(node: Int) -> String {
    let kind = type(of: nodes[node].operation).nodeName
    let number = nodes[...node].count { type(of: $0.operation).nodeName == kind }
    return nodes[node].name == "\(kind)\(number)"
      ? "\(nodes[node].layer)" : "\(nodes[node].name) = \(nodes[node].layer)"
  }

  /// Whether another network does the same, whatever its nodes are called.
  public func isEqualButForNames(to other: Network) -> Bool {
    inputShape == other.inputShape && nodes.map(\.layer) == other.nodes.map(\.layer)
      && nodes.map(\.inputs) == other.nodes.map(\.inputs)
  }

  /// The name that each node has if none is given: its operation's and a number.
  var defaultNames: [String] {
    var numbers: [String: Int] = [:]
    return nodes.map { node in
      let kind = type(of: node.operation).nodeName
      numbers[kind, default: 0] += 1
      return "\(kind)\(numbers[kind, default: 0])"
    }
  }
}
