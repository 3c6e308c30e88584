// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWPaths

/// Weight adjustment: while units move, the layers that read them are solved for by least squares at every
/// point.
///
/// Anokhin and Yarotsky 2020, section 4: layer by layer, so that the next layer puts out what it does in the
/// first network; see ``LayerwiseConnection``. With `layers=all`, all layers at once, in networks of any form;
/// see ``JointConnection``.
public struct WeightAdjustment: ConnectionModifier {
  /// `wa`
  public static let name = "wa"
  /// What it is.
  public static let summary = "weight adjustment: least squares for the next layer at every point"
  /// Costly, no formula, and a low loss.
  public static func traits(modifying traits: MethodTraits) -> MethodTraits {
    MethodTraits(
      compute: .high, complexity: .medium, isExplicit: false, loss: .low,
      isLearnable: traits.isLearnable, needsData: true)
  }

  /// Whether a stage moves one hidden layer or all.
  public enum Layers: String, OptionChoice {
    /// One hidden layer after the other, the next one adjusted.
    case each
    /// All at once.
    case all
  }

  private static let layers = PluginOption(
    "layers", default: Layers.each,
    help:
      "each: hidden layers move one after the other, in chains; all: all layers are solved for at once "
      + "at every point, in any network, towards the mean of their outputs in both networks")
  private static let target = PluginOption(
    "target", default: AdjustmentTarget.first,
    help:
      "with layers=each, the output layer's target in the last transition: the first network's "
      + "outputs, or the mix of both networks' outputs in proportion to t; layers=all always uses "
      + "the mix")
  private static let refit = PluginOption(
    "refit", default: OutputFit.none,
    help: "whether the output layer is fitted to the labels of the training samples along the path")
  /// The ridge, what happens to the bias, the number of samples; the layers, the target, the refit.
  public static let options: [any PluginOptionDescription] =
    AdjustmentOptions.pluginOptions + [layers, target, refit]

  private let adjustment: AdjustmentOptions
  private let layers: Layers
  private let target: AdjustmentTarget
  private let refit: OutputFit

  /// The modifier.
  public init(options: OptionValues) throws {
    adjustment = try AdjustmentOptions(options)
    layers = options[Self.layers]
    target = options[Self.target]
    refit = options[Self.refit]
  }

  /// With all layers: each is solved for behind the normalisations as they are at the point.
  public var allowsForRunningStatistics: Bool { layers == .all }

  /// The memory of the adjusted layers' normal equations.
  public func cost(joining network: Network) -> ConnectionCost { adjustment.cost(joining: network) }

  /// The path of stages, or of one stage and the way back to B's order.
  public func path(
    from a: Weights, to b: Weights, moving method: any LayerwiseMethod,
    in context: ConnectionContext
  ) throws -> any ConnectionPath {
    switch layers {
    case .each:
      try LayerwiseConnection(
        name: Self.name, following: .adjusted, options: adjustment, target: target, refit: refit
      ).path(from: a, to: b, moving: method, in: context)
    case .all:
      try JointConnection(name: Self.name, options: adjustment, refit: refit)
        .path(from: a, to: b, moving: method, in: context)
    }
  }
}

@section("lcw_plugins") @used
let weightAdjustmentPlugin: PluginRecord = { $0.add(WeightAdjustment.self) }
