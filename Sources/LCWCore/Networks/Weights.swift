// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// A network's parameters: a point of its weight space.
public struct Weights: Sendable, Hashable {
  /// The network they belong to.
  public let network: Network
  /// The tensors, in the order of the network's parameters and of their shapes.
  public private(set) var tensors: [Tensor]

  /// Weights from tensors.
  /// - Throws: ``NetworkError`` if their number or a shape is not the network's.
  public init(network: Network, tensors: [Tensor]) throws(NetworkError) {
    guard tensors.count == network.parameters.count else {
      throw .tensorCount(expected: network.parameters.count, found: tensors.count)
    }
    for (parameter, tensor) in zip(network.parameters, tensors)
    where parameter.shape != tensor.shape {
      throw .shape(parameter: parameter.name, expected: parameter.shape, found: tensor.shape)
    }
    self.network = network
    self.tensors = tensors
  }

  /// Weights of zeros.
  public init(zeros network: Network) {
    self.network = network
    self.tensors = network.parameters.map { Tensor(zeros: $0.shape) }
  }

  /// The tensor of the parameter with an index. A new one must have the same shape.
  public subscript(parameter: Int) -> Tensor {
    _read { yield tensors[parameter] }
    _modify {
      yield &tensors[parameter]
      precondition(
        tensors[parameter].shape == network.parameters[parameter].shape,
        "a parameter can't change its shape")
    }
  }

  /// The Euclidean distance in weight space.
  public func distance(to other: Weights) -> Double {
    zip(tensors, other.tensors).reduce(0) { $0 + $1.0.squaredDistance(to: $1.1) }.squareRoot()
  }

  /// Whether both have the same bits everywhere.
  public func isIdentical(to other: Weights) -> Bool {
    network == other.network
      && zip(tensors, other.tensors).allSatisfy { $0.isIdentical(to: $1) }
  }

  /// Whether every value is finite.
  public var isFinite: Bool { tensors.allSatisfy(\.isFinite) }
}
