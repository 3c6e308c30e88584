// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

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
  /// At how many positions of each sample a convolution's patches are taken, evenly spaced; at all if
  /// there is no number.
  public var positions: Int?
  /// How many patches to use for each feature of a convolution, which is a value of its patch: as many
  /// of the first samples are taken as give them, and a thousand at least. All samples if there is no
  /// number.
  public var patches: Int?

  /// Options; the defaults are those of `wa`. That of patches was measured: see
  /// Docs/Results/convolutional.md.
  public init(
    ridge: Double = 1e-5, solvesBias: Bool = true, samples: Int? = nil, positions: Int? = 16,
    patches: Int? = 30
  ) {
    self.ridge = ridge
    self.solvesBias = solvesBias
    self.samples = samples
    self.positions = positions
    self.patches = patches
  }
}

extension AdjustmentOptions {
  /// The images that patches are taken from at least: those of a few images are too much alike, however
  /// small they are.
  private static let fewestImages = 1000

  /// The samples to use, if not all.
  func first(of all: SampleSet) -> SampleSet { samples.map(all.prefix) ?? all }

  /// How many samples are used for a layer.
  ///
  /// - Parameters:
  ///   - positions: The positions of each sample at which the layer's weights are applied; nothing for a
  ///     layer whose input has no positions.
  ///   - features: What the weights multiply at a position.
  ///   - available: The samples that there are.
  func sampleCount(positions: Int?, features: Int, available: Int) -> Int {
    var count = min(available, samples ?? available)
    if let positions, let patches {
      let each = Double(min(positions, self.positions ?? positions))
      let wanted = Int((Double(patches) * Double(features) / each).rounded(.up))
      count = min(count, max(Self.fewestImages, wanted))
    }
    return count
  }
}

extension AdjustmentOptions {
  private static func ridgeOption(_ ridge: Double) -> PluginOption<Double> {
    PluginOption(
      "ridge", default: ridge,
      help: "ridge penalty on the change of weights, relative to the features' mean square; with 0 "
        + "weights may jump where the features' rank changes")
  }
  private static let biasOption = PluginOption(
    "bias", default: AdjustedBias.solved, help: "whether the bias is solved for or kept")
  private static let samplesOption = PluginOption(
    "samples", default: 0, help: "training samples to use, 0 for all")
  private static let positionsOption = PluginOption(
    "positions", default: AdjustmentOptions().positions ?? 0,
    help: "positions per sample at which to take a convolution's patches; 0 for all")
  private static let patchesOption = PluginOption(
    "patches", default: AdjustmentOptions().patches ?? 0,
    help:
      "patches per weight of a convolution filter; limits the samples used for that layer and, "
      + "with layers=all, for later layers; 0 uses the patches of all samples")

  /// The options of a plugin that adjusts layers: `ridge`, `bias`, `samples`, `positions` and
  /// `patches`.
  public static let pluginOptions = pluginOptions(ridge: AdjustmentOptions().ridge)

  /// ``pluginOptions`` with another ridge where none is given.
  public static func pluginOptions(ridge: Double) -> [any PluginOptionDescription] {
    [ridgeOption(ridge), biasOption, samplesOption, positionsOption, patchesOption]
  }

  /// The values given for ``pluginOptions``.
  /// - Parameters:
  ///   - values: The values.
  ///   - ridge: The ridge where none is given, as in ``pluginOptions(ridge:)``.
  /// - Throws: ``PluginError/invalidOption(plugin:option:value:reason:)`` out of range.
  public init(
    _ values: OptionValues, ridge: Double = AdjustmentOptions().ridge
  ) throws(PluginError) {
    let count = try values.value(of: Self.samplesOption, in: 0...Int(Int32.max))
    let positions = try values.value(of: Self.positionsOption, in: 0...Int(Int32.max))
    let patches = try values.value(of: Self.patchesOption, in: 0...Int(Int32.max))
    self.init(
      ridge: try values.value(of: Self.ridgeOption(ridge), in: 0...1),
      solvesBias: values[Self.biasOption] == .solved, samples: count == 0 ? nil : count,
      positions: positions == 0 ? nil : positions, patches: patches == 0 ? nil : patches)
  }
}

extension AdjustmentOptions {
  /// The memory of the normal equations of a network's widest adjusted layer, and of its factors.
  public func cost(joining network: Network) -> ConnectionCost {
    let features = network.weightedLayers.dropFirst().compactMap {
      network.parameterIndex(ofLayer: $0, role: .weight).map {
        Double(network.parameters[$0].shape.rowCount)
      }
    }
    return ConnectionCost(bytes: features.reduce(0) { max($0, 16 * $1 * $1) })
  }
}

/// What happens to the bias of an adjusted layer.
public enum AdjustedBias: String, OptionChoice {
  /// It is solved for with the weights.
  case solved
  /// It stays the first network's.
  case kept
}

/// What the output layer is adjusted to.
public enum AdjustmentTarget: String, OptionChoice {
  /// What it puts out in the first network (Anokhin and Yarotsky 2020).
  case first
  /// The mean of what it puts out in both networks, weighted by the time.
  case mix
}

/// What the output layer is fitted to besides.
public enum OutputFit: String, OptionChoice {
  /// Nothing.
  case none
  /// The labels.
  case labels
}
