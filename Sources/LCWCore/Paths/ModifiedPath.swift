// SPDX-License-Identifier: Apache-2.0

/// What modifiers made of a path, with the path that they were given: who keeps that one need not ask the
/// method for it again.
public struct ModifiedPath: ConnectionPath {
  /// The path as the method made it.
  public let base: any ConnectionPath
  /// The modifiers that were applied, in order.
  public let modifiers: [PluginReference]
  private let path: any ConnectionPath

  init(
    _ path: any ConnectionPath, of base: any ConnectionPath, by modifiers: [PluginReference]
  ) {
    self.path = path
    self.base = base
    self.modifiers = modifiers
  }

  /// The network whose weights move.
  public var network: Network { path.network }
  /// The stages.
  public var stages: [PathStage] { path.stages }
  /// What was told of the making.
  public var remarks: [PathRemark] { path.remarks }

  /// The point at t.
  public func weights(at t: Double) throws -> Weights { try path.weights(at: t) }

  /// The points at several t.
  public func weights(atEach times: [Double]) throws -> [Weights] {
    try path.weights(atEach: times)
  }
}
