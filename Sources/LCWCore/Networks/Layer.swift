// SPDX-License-Identifier: Apache-2.0

/// An operation as one link of a chain or one node of a graph, to be compared and printed.
///
/// `LCWOperations` adds the operations that the package has as `.dense(outputs: 10, bias: true)`,
/// `.relu` and so on.
public struct Layer: Sendable, Hashable, CustomStringConvertible {
  /// What it does.
  public let operation: any NetworkOperation

  /// A layer that does an operation.
  public init(_ operation: any NetworkOperation) {
    self.operation = operation
  }

  /// Whether it has weights that connect units to units: dense or convolution.
  public var isWeighted: Bool { operation is any LinearOperation }

  /// The layer as text, such as `dense 2000` or `conv 32 5x5 pad 2`.
  public var description: String { operation.text }

  /// Whether both do the same.
  public static func == (a: Layer, b: Layer) -> Bool { a.operation.isEqual(to: b.operation) }

  /// Feeds the operation to a hasher.
  public func hash(into hasher: inout Hasher) { operation.hash(into: &hasher) }
}
