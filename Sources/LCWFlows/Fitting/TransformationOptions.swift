// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWPaths

/// The options of a plugin that fits transformations: the design's and the plan's.
///
/// A plugin keeps one value of this type with the defaults that suit what it fits to, adds its
/// ``all`` to the options it declares, and reads designs and plans from what the user gives.
public struct TransformationOptions: Sendable {
  private let kind: PluginOption<TransformationKind>
  private let layers: PluginOption<Int>
  private let width: PluginOption<Double>
  private let depth: PluginOption<Int>
  private let normalisation: PluginOption<TransformationNormalisation>
  private let bound: PluginOption<Double>
  private let axes: PluginOption<Int>
  private let epochs: PluginOption<Int>
  private let rate: PluginOption<Double>
  private let decay: PluginOption<Double>
  private let decayEpochs: PluginOption<Int>
  private let warmUp: PluginOption<Int>
  private let patience: PluginOption<Int>

  /// The options with their defaults.
  public init(
    kind: TransformationKind, layers: Int, width: Double, depth: Int = 1, axes: Int = 0,
    epochs: Int, rate: Double, decayEpochs: Int = 20, patience: Int
  ) {
    self.kind = PluginOption("kind", default: kind, help: "the family of the transformation")
    self.layers = PluginOption(
      "layers", default: layers, help: "coupling or autoregressive layers")
    self.width = PluginOption(
      "width", default: width,
      help: "hidden units of a layer's network, as a multiple of the coordinates it moves")
    self.depth = PluginOption("depth", default: depth, help: "hidden layers of a layer's network")
    normalisation = PluginOption(
      "normalise", default: .fixed,
      help: "between layers: nothing, or a trained scale and shift of each coordinate")
    bound = PluginOption(
      "bound", default: 2.0, help: "the largest logarithm of a layer's scales")
    self.axes = PluginOption(
      "axes", default: axes,
      help: "leading principal axes of the incoming weights that the layers move, besides bias and "
        + "outgoing weights; 0: all weights as they are")
    self.epochs = PluginOption("epochs", default: epochs, help: "maximum number of epochs")
    self.rate = PluginOption("rate", default: rate, help: "Adam's learning rate")
    decay = PluginOption("decay", default: 0.9, help: "factor of each drop of the learning rate")
    self.decayEpochs = PluginOption(
      "decay-epochs", default: decayEpochs, help: "epochs between drops of the learning rate")
    warmUp = PluginOption(
      "warm-up", default: 50, help: "steps of linear warm-up of the rate")
    self.patience = PluginOption(
      "patience", default: patience, help: "epochs without improvement before it stops; 0: never")
  }

  /// The options, for the plugin's own list.
  public var all: [any PluginOptionDescription] {
    [
      kind, layers, width, depth, normalisation, bound, axes, epochs, rate, decay, decayEpochs,
      warmUp, patience,
    ]
  }

  /// What a user chose.
  public struct Choice: Sendable {
    fileprivate let kind: TransformationKind
    fileprivate let layers: Int
    fileprivate let width: Double
    fileprivate let depth: Int
    fileprivate let normalisation: TransformationNormalisation
    fileprivate let bound: Double
    fileprivate let axes: Int
    fileprivate let plan: FitPlan

    /// The design for the neurons of a hidden layer.
    public func design(for population: HiddenPopulation) -> TransformationDesign {
      var design = TransformationDesign(
        kind: kind, dimension: population.dimension, layers: layers, hidden: 1, depth: depth,
        normalisation: normalisation, bound: bound, axes: min(axes, population.inputs),
        incoming: axes == 0 ? 0 : population.inputs)
      design.hidden = max(1, Int((width * Double(design.moved)).rounded()))
      return design
    }

    /// The plan with a seed.
    public func plan(seed: UInt64) -> FitPlan {
      var plan = plan
      plan.seed = seed
      return plan
    }
  }

  /// Refuses options of the design where it is given otherwise.
  /// - Throws: ``PluginError/misplacedOption(plugin:option:reason:)``.
  public func refuseDesign(
    in values: OptionValues, plugin: String, because reason: String
  ) throws(PluginError) {
    let design: [any PluginOptionDescription] = [
      kind, layers, width, depth, normalisation, bound, axes,
    ]
    if let option = design.first(where: { values.given[$0.key] != nil }) {
      throw .misplacedOption(plugin: plugin, option: option.key, reason: reason)
    }
  }

  /// Reads what a user chose.
  /// - Throws: ``PluginError/invalidOption(plugin:option:value:reason:)`` outside an option's range.
  public func choice(in values: OptionValues) throws(PluginError) -> Choice {
    Choice(
      kind: values[kind], layers: try values.value(of: layers, in: 0...64),
      width: try values.value(of: width, in: 0.001...64),
      depth: try values.value(of: depth, in: 1...8), normalisation: values[normalisation],
      bound: try values.value(of: bound, in: 0.01...16),
      axes: try values.value(of: axes, in: 0...1_000_000),
      plan: FitPlan(
        epochs: try values.value(of: epochs, in: 0...FitPlan.epochLimit),
        rate: try values.value(of: rate, in: 1e-9...1),
        decay: try values.value(of: decay, in: 0.001...1),
        decayEpochs: try values.value(of: decayEpochs, in: 1...1_000_000),
        warmUp: try values.value(of: warmUp, in: 0...1_000_000),
        patience: try values.value(of: patience, in: 0...1_000_000)))
  }
}
