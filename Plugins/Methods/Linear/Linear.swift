// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWPaths

/// The straight segment (1 − t) A + t B, in all layers at once.
public struct Linear: LayerwiseMethod {
  /// `linear`
  public static let name = "linear"
  /// What it is.
  public static let summary = "the straight segment between the two networks"
  /// Nothing to compute, nothing to learn, and a high loss in the middle.
  public static let traits = MethodTraits(
    compute: .low, complexity: .low, isExplicit: true, loss: .high, isLearnable: false,
    needsData: false)

  /// The method; it takes no options.
  public init(options: OptionValues) throws {}

  /// The segment.
  public func path(
    from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> any ConnectionPath {
    let motions = zip(a.tensors, b.tensors).map { Motion.combination([$0, $1], .line) }
    return try ExplicitPath(
      network: a.network, stages: [PathStage(label: "linear", motions: motions)])
  }

  /// Each unit's segment.
  public func motion(
    ofUnitsIn layer: Int, from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> LayerMotion {
    try UnitCurve.linear.motion(ofUnitsIn: layer, from: a, to: b)
  }
}

@section("lcw_plugins") @used
let linearPlugin: PluginRecord = { $0.add(Linear.self) }
