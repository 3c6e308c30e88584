// SPDX-License-Identifier: Apache-2.0

/// What every modifier of a method says of itself, of either kind: ``ConnectionModifier`` or
/// ``PathModifier``.
public protocol MethodModifier: Plugin {
  /// The row of the overview table of a method so modified.
  static func traits(modifying traits: MethodTraits) -> MethodTraits

  /// What the modifier adds to the cost of its method; see ``ConnectionMethod/cost(joining:)``.
  func cost(joining network: Network) -> ConnectionCost
}

extension MethodModifier {
  /// Little.
  public func cost(joining network: Network) -> ConnectionCost { ConnectionCost() }
}

/// What builds a path of its own from a method's motion of single layers: `wa` in `linear+wa`. It stands
/// right behind the method.
///
/// The laws of ``ConnectionMethod`` hold for the paths.
public protocol ConnectionModifier: MethodModifier {
  /// Whether the layers it solves for make up for running statistics that are wrong between the networks. To measure
  /// these again would then spoil the fit.
  var allowsForRunningStatistics: Bool { get }

  /// A path from `a` to `b` that moves hidden layers as `method` does.
  ///
  /// The caller has checked that both are of one network.
  ///
  /// - Throws: An error that names the layer, where the network can't be handled, or says what the
  ///   context lacks.
  func path(
    from a: Weights, to b: Weights, moving method: any LayerwiseMethod,
    in context: ConnectionContext
  ) throws -> any ConnectionPath
}

extension ConnectionModifier {
  /// No.
  public var allowsForRunningStatistics: Bool { false }
}
