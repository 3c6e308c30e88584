// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWPaths

/// The arc μ + cos(πt/2)(A − μ) + sin(πt/2)(B − μ), which preserves the distribution of neurons.
///
/// Anokhin and Yarotsky 2020, section 3: if the neurons of A and B are independent samples of a
/// Gaussian, so is every point of the arc, whereas the straight segment squeezes them. μ is the
/// mean over the neurons of both networks; ``UnitCurve/stage(from:to:label:)`` says what a neuron
/// is.
public struct Arc: LayerwiseMethod {
  /// `arc`
  public static let name = "arc"
  /// What it is.
  public static let summary = "an arc that preserves a Gaussian distribution of neurons"
  /// As cheap as the segment, with a lower loss.
  public static let traits = MethodTraits(
    compute: .low, complexity: .low, isExplicit: true, loss: .medium, isLearnable: false,
    needsData: false)

  /// The method; it takes no options.
  public init(options: OptionValues) throws {}

  /// The arc.
  public func path(
    from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> any ConnectionPath {
    try ExplicitPath(
      network: a.network, stages: [try UnitCurve.arc.stage(from: a, to: b, label: "arc")])
  }

  /// Each unit's arc.
  public func motion(
    ofUnitsIn layer: Int, from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> LayerMotion {
    try UnitCurve.arc.motion(ofUnitsIn: layer, from: a, to: b)
  }
}

@section("lcw_plugins") @used
let arcPlugin: PluginRecord = { $0.add(Arc.self) }
