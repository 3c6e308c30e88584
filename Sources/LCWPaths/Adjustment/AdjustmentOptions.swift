// SPDX-License-Identifier: Apache-2.0
public import LCWCore

/// How a layer is adjusted by least squares.
public struct AdjustmentOptions: Sendable, Hashable {
  /// The penalty on the change of the weights from the first network's, as a share of the features'
  /// mean square: 0 or more.
  ///
  /// Without one, directions that the features hardly take make the weights move far between
  /// neighbouring points while the function stays.
  public var ridge: Double
  /// Whether the bias is solved for with the weights, or kept.
  public var solvesBias: Bool
  /// How many of the samples to use, the first ones; all if there is no number.
  public var samples: Int?

  /// Options; the defaults are those of `wa`.
  public init(ridge: Double = 1e-5, solvesBias: Bool = true, samples: Int? = nil) {
    self.ridge = ridge
    self.solvesBias = solvesBias
    self.samples = samples
  }
}

extension AdjustmentOptions {
  private static let ridgeOption = PluginOption(
    "ridge", default: AdjustmentOptions().ridge,
    help: "penalty on the change of weights, as a share of the features' mean square; with 0 "
      + "weights may jump where the features' rank changes")
  private static let biasOption = PluginOption(
    "bias", default: AdjustedBias.solved, help: "whether the bias is solved for or kept")
  private static let samplesOption = PluginOption(
    "samples", default: 0, help: "training samples to use, 0 for all")

  /// The options of a plugin that adjusts layers: `ridge`, `bias` and `samples`.
  public static let pluginOptions: [any PluginOptionDescription] = [
    ridgeOption, biasOption, samplesOption,
  ]

  /// The values given for ``pluginOptions``.
  /// - Throws: ``PluginError/invalidOption(plugin:option:value:reason:)`` out of range.
  public init(_ values: OptionValues) throws(PluginError) {
    let count = try values.value(of: Self.samplesOption, in: 0...Int(Int32.max))
    self.init(
      ridge: try values.value(of: Self.ridgeOption, in: 0...1),
      solvesBias: values[Self.biasOption] == .solved, samples: count == 0 ? nil : count)
  }
}

/// What happens to the bias of an adjusted layer.
public enum AdjustedBias: String, OptionChoice {
  /// It is solved for with the weights.
  case solved
  /// It stays the first network's.
  case kept
}
