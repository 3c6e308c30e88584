// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// A method that can also move one hidden layer at a time, so that a ``ConnectionModifier`` can
/// build a path of stages from it.
public protocol LayerwiseMethod: ConnectionMethod {
  /// The order in which the units of a hidden layer of `b` meet those of `a`: unit `order[i]` of
  /// `b` is the counterpart of unit i of `a`. Nothing if they meet in the order they have.
  ///
  /// - Parameter layer: The index into the network's layers of a weighted layer that is not the
  ///   last.
  /// - Throws: An error that names the layer, if the method can't handle it.
  func order(
    ofUnitsIn layer: Int, from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> [Int]?

  /// As ``order(ofUnitsIn:from:to:in:)``, for a group of units whatever layers write it, as in a
  /// residual stream. Unless a method says more, the order of the units that the group's first layer
  /// writes.
  ///
  /// - Parameter group: A group of the network's units that may be permuted.
  /// - Throws: An error that names the layer, if the method can't handle the group.
  func order(
    of group: UnitGroup, from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> [Int]?

  /// The orders in which the units of all groups of `b` meet those of `a`: groups that are not in the
  /// list keep theirs. Unless a method says more, ``order(of:from:to:in:)`` of one group after the
  /// other, each with the groups before it in their new order.
  ///
  /// - Throws: An error that names the layer, if the method can't handle a group.
  func orders(
    from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> [UnitOrder]

  /// How the parameters of a hidden layer move from `a`'s to `b`'s, and the next layer's weights
  /// with the units they belong to.
  ///
  /// - Parameter layer: As in ``order(ofUnitsIn:from:to:in:)``.
  /// - Throws: An error that names the layer, if the method can't handle it.
  func motion(
    ofUnitsIn layer: Int, from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> LayerMotion
}

extension LayerwiseMethod {
  /// The units meet in the order they have.
  public func order(
    ofUnitsIn layer: Int, from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> [Int]? { nil }

  /// The order of the units that the group's first layer writes.
  public func order(
    of group: UnitGroup, from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> [Int]? {
    guard let layer = group.nodes(.writes, in: a.network).first else { return nil }
    return try order(ofUnitsIn: layer, from: a, to: b, in: context)
  }

  /// One group after the other.
  public func orders(
    from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> [UnitOrder] {
    var target = b
    return try UnitGroups(of: a.network).free.compactMap { group in
      guard let order = try order(of: group, from: a, to: target, in: context) else { return nil }
      target = target.permuting(group, by: order)
      return UnitOrder(group: group, order: order)
    }
  }
}

/// The order in which a group of units of one network meets that of another: unit `order[i]` of the
/// second network is the counterpart of unit i of the first.
public struct UnitOrder: Sendable, Hashable {
  /// The units.
  public var group: UnitGroup
  /// A permutation.
  public var order: [Int]

  /// An order of a group.
  public init(group: UnitGroup, order: [Int]) {
    self.group = group
    self.order = order
  }
}

/// How some of a network's parameters move during one unit of time.
public struct LayerMotion: Sendable {
  /// The motions, by the parameter's index.
  public let motions: [Int: Motion]
  private let compute: (@Sendable (Double) throws -> [Int: Tensor])?

  /// Motions that are all known.
  public init(_ motions: [Int: Motion]) {
    self.motions = motions
    compute = nil
  }

  /// Motions that a formula of the time gives.
  ///
  /// - Parameters:
  ///   - parameters: The parameters that move.
  ///   - tensors: Their tensors at a time from 0 to 1.
  public init(
    ofParameters parameters: [Int], _ tensors: @escaping @Sendable (Double) throws -> [Int: Tensor]
  ) {
    motions = Dictionary(uniqueKeysWithValues: parameters.map { ($0, .opaque) })
    compute = tensors
  }

  private init(
    _ motions: [Int: Motion], _ compute: (@Sendable (Double) throws -> [Int: Tensor])?
  ) {
    self.motions = motions
    self.compute = compute
  }

  /// These motions, and others of parameters that do not move by these.
  public func adding(_ others: [Int: Motion]) -> LayerMotion {
    LayerMotion(motions.merging(others) { own, _ in own }, compute)
  }

  /// The tensors of the motions that only a formula gives, at a time from 0 to 1.
  /// - Throws: What computing them throws.
  public func tensors(at time: Double) throws -> [Int: Tensor] { try compute?(time) ?? [:] }

  /// Writes the tensors at a time from 0 to 1 over those of weights.
  /// - Throws: What computing them throws.
  public func move(_ weights: inout Weights, to time: Double) throws {
    let computed = try tensors(at: time)
    for (parameter, motion) in motions {
      let shape = weights.network.parameters[parameter].shape
      if let tensor = computed[parameter] ?? motion.tensor(at: time, shape: shape) {
        weights[parameter] = tensor
      }
    }
  }
}
