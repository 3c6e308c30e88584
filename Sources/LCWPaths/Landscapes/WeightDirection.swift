// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// A direction in weight space: a tensor for each parameter of a network.
public struct WeightDirection: Sendable {
  /// How a direction's numbers are scaled to those of the network they are added to.
  public enum Normalisation: String, Sendable, CaseIterable {
    /// As they are.
    case none
    /// Each filter, a row of weights that makes one unit, gets the norm of the network's own; biases,
    /// normalisations and other vectors do not move (Li et al. 2018, section 4).
    case filter
  }

  /// The network.
  public let network: Network
  /// The tensors, in the order of the network's parameters.
  public let tensors: [Tensor]

  init(_ network: Network, tensors: [Tensor]) {
    self.network = network
    self.tensors = tensors
  }

  /// The direction from one point to another; running statistics move too.
  /// - Precondition: Both are of one network.
  public init(from a: Weights, to b: Weights) {
    precondition(a.network == b.network, "the points are of two networks")
    self.init(
      a.network,
      tensors: zip(a.tensors, b.tensors).map { first, second in
        Tensor.combination([second, first], coefficients: [1, -1], shape: first.shape)
      })
  }

  /// A direction of independent normal numbers; what training does not move stays zero.
  public init(randomFor network: Network, using random: inout RandomStream) {
    self.init(
      network,
      tensors: network.parameters.map {
        $0.isTrained ? random.normal($0.shape) : Tensor(zeros: $0.shape)
      })
  }

  /// The direction scaled to some weights.
  public func normalised(_ normalisation: Normalisation, to weights: Weights) -> WeightDirection {
    guard normalisation == .filter else { return self }
    return WeightDirection(
      network,
      tensors: zip(tensors, weights.tensors).map { direction, own in
        guard own.shape.rank > 1 else { return Tensor(zeros: own.shape) }
        let width = own.shape.rowCount
        var result = direction
        for row in 0..<own.shape.rows {
          let (size, wanted) = (direction.row(row).norm, own.row(row).norm)
          let factor = size > 0 ? Float(wanted / size) : 0
          for index in row * width..<(row + 1) * width { result.elements[index] *= factor }
        }
        return result
      })
  }

  /// The Euclidean length.
  public var norm: Double { product(with: self).squareRoot() }

  /// The inner product with another direction.
  func product(with other: WeightDirection) -> Double {
    zip(tensors, other.tensors).reduce(0) { sum, pair in
      zip(pair.0.elements, pair.1.elements).reduce(sum) { $0 + Double($1.0) * Double($1.1) }
    }
  }

  func scaled(by factor: Double) -> WeightDirection {
    WeightDirection(
      network,
      tensors: tensors.map { Tensor.combination([$0], coefficients: [factor], shape: $0.shape) })
  }

  func adding(_ other: WeightDirection, times factor: Double) -> WeightDirection {
    WeightDirection(
      network,
      tensors: zip(tensors, other.tensors).map {
        Tensor.combination([$0, $1], coefficients: [1, factor], shape: $0.shape)
      })
  }
}

extension Sequence<Float> {
  fileprivate var norm: Double { reduce(0) { $0 + Double($1) * Double($1) }.squareRoot() }
}
