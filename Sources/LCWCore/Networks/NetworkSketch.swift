// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// A network that is written node by node: what an architecture with skip connections makes.
///
/// Each ``append(_:named:reading:)`` gives the value that the new node computes. A later node reads it by
/// that value; without one a node reads what stands before it. Here a block that learns a difference:
///
/// ```swift
/// var sketch = NetworkSketch(inputShape: [3, 32, 32])
/// sketch.append(.convolution(.init(filters: 16, kernel: 3, padding: 1)), named: "stem")
/// let start = sketch.append(.relu)
/// sketch.append(.convolution(.init(filters: 16, kernel: 3, padding: 1)), named: "block.conv1")
/// sketch.append(.relu)
/// let end = sketch.append(.convolution(.init(filters: 16, kernel: 3, padding: 1)), named: "block.conv2")
/// sketch.append(.add, reading: end, start)
/// sketch.append(.flatten)
/// sketch.append(.dense(outputs: 10, bias: true), named: "fc")
/// let network = try sketch.network()
/// // parameters stem.weight, stem.bias, block.conv1.weight, …
/// ```
///
/// Nodes with parameters that are named like the modules of another program take the tensors of that
/// program's files by name; see ``CheckpointBinding``. Nodes without a name get their operation's and a
/// number, `relu1`.
///
/// Nothing is checked before ``network()``, so that appending can't fail.
public struct NetworkSketch: Sendable {
  /// The shape of one sample.
  public let inputShape: Shape
  /// The nodes so far.
  public private(set) var nodes: [Network.NodeDescription] = []

  /// A network without nodes.
  public init(inputShape: Shape) {
    self.inputShape = inputShape
  }

  /// What the last node computes; the sample if there is none yet.
  public var last: Network.Value { Network.Value(index: nodes.count) }

  /// Appends a node.
  /// - Parameters:
  ///   - layer: What it does.
  ///   - name: Its name; the operation's and a number if there is none.
  ///   - inputs: What it reads; ``last`` if nothing is said.
  /// - Returns: What it computes.
  @discardableResult
  public mutating func append(
    _ layer: Layer, named name: String? = nil, reading inputs: Network.Value...
  ) -> Network.Value {
    nodes.append(
      Network.NodeDescription(layer, name: name, reading: inputs.isEmpty ? [last] : inputs))
    return last
  }

  /// The network; the last node's value is its output.
  /// - Throws: As ``Network/init(inputShape:nodes:)``.
  public func network() throws(NetworkError) -> Network {
    try Network(inputShape: inputShape, nodes: nodes)
  }

  /// A number of filters or units times the width of an architecture, rounded, and at least one.
  public static func scaled(_ count: Int, by width: Double) -> Int {
    max(1, Int((Double(count) * width).rounded()))
  }
}
