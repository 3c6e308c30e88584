// SPDX-License-Identifier: Apache-2.0

/// What changes the points of a path that is there already, whatever method made it: `reset` in
/// `ot+wa+reset`.
///
/// It stands behind the method and a ``ConnectionModifier``, and several are applied in the order in
/// which they are written. The laws of ``ConnectionMethod`` hold for the path that it gives.
public protocol PathModifier: MethodModifier {
  /// Whether it measures what batch normalisations keep anew along the path, so that networks with
  /// running moments are joined well with it.
  static var measuresRunningMoments: Bool { get }

  /// Whether it puts others in the place of running moments, so that what an earlier modifier made of them
  /// would be lost: no modifier that measures running moments may stand before it.
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
