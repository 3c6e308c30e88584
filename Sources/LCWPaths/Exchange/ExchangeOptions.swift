// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

/// How hidden units are exchanged.
public struct ExchangeOptions: Sendable, Hashable {
  /// The order in which units leave and come.
  public enum Order: String, OptionChoice {
    /// Drawn with the seed.
    case random
    /// Drawn with the seed, and each unit of the second network comes for its counterpart by optimal
    /// transport.
    case matched
    /// Those of the first network first that are missed least in it, for those of the second that are missed
    /// most.
    case importance
    /// Block by block, those leave that are missed least, and those come that help most.
    case greedy
    /// `greedy` where units are few, `random` where they are many.
    case automatic = "auto"

    /// Whether it follows from the features.
    var needsFeatures: Bool { self == .importance || self == .greedy }
  }

  /// What the output layer is solved for.
  public enum Target: String, OptionChoice {
    /// Both networks' outputs, mixed in the shares of their units.
    case mix
    /// The first network's outputs.
    case first
  }

  /// Which groups of units change hands at a time.
  public enum AtOnce: String, OptionChoice {
    /// A block of every group.
    case all
    /// One group after the other, in the network's order.
    case groups
  }

  /// The blocks that the units of each group are divided into; as many as suit the network if there is no
  /// number.
  public var blocks: Int?
  /// The order in which units leave and come.
  public var order: Order
  /// What the output layer is solved for.
  public var target: Target
  /// Which groups of units change hands at a time, in a network with several.
  public var atOnce: AtOnce
  /// What else the output layer of every state is fitted to. Fitting to labels lowers the loss; with one
  /// hidden layer, the bound on the loss between states still holds.
  public var refit: OutputFit
  /// How many of the samples to use, the first ones. If there is no number, all for a network with one hidden
  /// layer, and as many as are ample and fit memory for others.
  public var samples: Int?
  /// At how many positions of each sample a convolution's patches are taken at most.
  public var positions: Int
  /// The ridge penalty on solved weights' distance from the units' own, relative to the features' mean
  /// square: 0 or more.
  public var ridge: Double

  /// Options; the defaults are those of `exchange`.
  public init(
    blocks: Int? = nil, order: Order = .automatic, atOnce: AtOnce = .all, target: Target = .mix,
    refit: OutputFit = .none, samples: Int? = nil, positions: Int = 16, ridge: Double = 1e-5
  ) {
    self.blocks = blocks
    self.order = order
    self.target = target
    self.refit = refit
    self.atOnce = atOnce
    self.samples = samples
    self.positions = positions
    self.ridge = ridge
  }
}

extension ExchangeOptions {
  private static let blocksOption = PluginOption(
    "blocks", default: 0,
    help:
      "number of blocks into which a layer's units are divided, swapped one block at a time; "
      + "0 chooses a number")
  private static let orderOption = PluginOption(
    "order", default: ExchangeOptions().order,
    help:
      "the order in which units are swapped; auto: greedy up to 2048 features, in deeper networks up to 512 units, else random"
  )
  private static let targetOption = PluginOption(
    "target", default: ExchangeOptions().target,
    help: "target of the output layer: a mix of both networks' outputs, or the first one's")
  private static let refitOption = PluginOption(
    "refit", default: ExchangeOptions().refit,
    help: "whether the output layer of every state is fitted to the labels of the training samples")
  private static let atOnceOption = PluginOption(
    "at-once", default: ExchangeOptions().atOnce,
    help: "whether to swap a block in all layers at once, or one layer after the other")
  private static let samplesOption = PluginOption(
    "samples", default: 0,
    help: "training samples to use; 0 for all, or for enough of them in deeper networks")
  private static let positionsOption = PluginOption(
    "positions", default: ExchangeOptions().positions,
    help: "positions per sample at which to take a convolution's patches; 0 for all")
  private static let ridgeOption = PluginOption(
    "ridge", default: ExchangeOptions().ridge,
    help:
      "ridge penalty on solved weights' distance from the units' own, relative to the features' "
      + "mean square")

  /// The options of a plugin that exchanges units.
  public static let pluginOptions: [any PluginOptionDescription] = [
    blocksOption, orderOption, atOnceOption, targetOption, refitOption, samplesOption,
    positionsOption, ridgeOption,
  ]

  /// The values given for ``pluginOptions``.
  /// - Throws: ``PluginError/invalidOption(plugin:option:value:reason:)`` out of range.
  public init(_ values: OptionValues) throws(PluginError) {
    let blocks = try values.value(of: Self.blocksOption, in: 0...ExchangeOptions.mostBlocks)
    let samples = try values.value(of: Self.samplesOption, in: 0...Int(Int32.max))
    let positions = try values.value(of: Self.positionsOption, in: 0...Int(Int32.max))
    self.init(
      blocks: blocks == 0 ? nil : blocks, order: values[Self.orderOption],
      atOnce: values[Self.atOnceOption], target: values[Self.targetOption],
      refit: values[Self.refitOption], samples: samples == 0 ? nil : samples,
      positions: positions == 0 ? .max : positions,
      ridge: try values.value(of: Self.ridgeOption, in: 0...1))
  }

  /// The most blocks: each is three stages of a path.
  public static let mostBlocks = 4096
}
