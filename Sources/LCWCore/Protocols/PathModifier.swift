// SPDX-License-Identifier: Apache-2.0

/// A modifier that changes the points of a finished path of any method, such as `reset` in
/// `ot+wa+reset`.
///
/// It stands behind the method and a ``ConnectionModifier``, and several are applied in the order in
/// which they are written. The laws of ``ConnectionMethod`` hold for the path that it gives.
public protocol PathModifier: MethodModifier {
  /// Whether it recomputes the running statistics of batch normalisation along the path.
  static var measuresRunningMoments: Bool { get }

  /// Whether it replaces running statistics, so that what an earlier modifier made of them would be lost:
  /// no modifier that recomputes running statistics may stand before it.
  static var replacesRunningMoments: Bool { get }

  /// A path from `a` to `b` along another one, which has the same ends.
  ///
  /// It may have the same stages, and usually does.
  ///
  /// - Throws: An error that says what of the network the modifier can't handle, or what the context
  ///   lacks.
  func path(
    modifying path: any ConnectionPath, from a: Weights, to b: Weights,
    in context: ConnectionContext
  ) throws -> any ConnectionPath
}

extension PathModifier {
  /// No.
  public static var measuresRunningMoments: Bool { false }

  /// No.
  public static var replacesRunningMoments: Bool { false }
}
