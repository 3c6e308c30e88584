// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWFlows
public import LCWNumerics

/// ν⁻¹[cos(πt/2) ν(A) + sin(πt/2) ν(B)] with a transformation ν under which the neurons of trained
/// networks are standard normal, fitted by maximum likelihood.
///
/// Anokhin and Yarotsky 2020, "Flow". The model is fitted once, by `lcw fit flow`, and joins any
/// pair of networks of the kind it was fitted to.
public struct Flow: LayerwiseMethod, LearnableMethod {
  /// `flow`
  public static let name = "flow"
  /// What it is.
  public static let summary = "an arc in the latent space of a normalising flow fitted to neurons"
  /// Fitted once; then a formula.
  public static let traits = MethodTraits(
    compute: .medium, complexity: .low, isExplicit: true, loss: .medium, isLearnable: true,
    needsData: false)
  /// Networks are all it looks at.
  public static let fittingNeedsData = false

  private static let model = PluginOption(
    "model", default: FileName(""), help: "the fitted model; the other options are for fitting")
  private static let layer = PluginOption(
    "layer", default: 0, help: "the hidden layer to fit, from 1; 0 for all")
  private static let batch = PluginOption("batch", default: 512, help: "neurons per step")
  private static let transformation = TransformationOptions(
    kind: .realnvp, layers: 4, width: 1, epochs: 40, rate: 3e-4, patience: 3)
  /// The model, and what a fit takes.
  public static let options: [any PluginOptionDescription] =
    [model, layer, batch] + transformation.all

  let file: ModelFile
  let layer: Int
  let batch: Int
  let choice: TransformationOptions.Choice

  /// The method.
  public init(options: OptionValues) throws {
    file = ModelFile(options[Self.model].text, of: Self.name)
    try file.refuseOthers(than: Self.model.key, in: options)
    layer = try options.value(of: Self.layer, in: 0...1000)
    batch = try options.value(of: Self.batch, in: 1...1_000_000)
    choice = try Self.transformation.choice(in: options)
  }

  /// The path of a network of two layers; deeper ones need a modifier.
  public func path(
    from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> any ConnectionPath {
    try file.model(in: context).path(from: a, to: b, in: context)
  }

  /// The units' way through the layer's transformation.
  public func motion(
    ofUnitsIn layer: Int, from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> LayerMotion {
    try file.model(in: context).motion(ofUnitsIn: layer, from: a, to: b, in: context)
  }

  /// ν of the neurons.
  public func normalised(
    _ weights: Weights, in context: ConnectionContext
  ) throws -> Tensor? {
    try file.model(in: context).normalised(weights, in: context)
  }
}

@section("lcw_plugins") @used
let flowPlugin: PluginRecord = { $0.add(Flow.self) }
