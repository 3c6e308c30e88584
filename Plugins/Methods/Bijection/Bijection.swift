// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWFlows
public import LCWNumerics

/// ν⁻¹[cos(πt/2) ν(A) + sin(πt/2) ν(B)] with a transformation ν fitted so that the networks between
/// two trained ones have a low loss.
///
/// Anokhin and Yarotsky 2020, "Bijection". The model is fitted once, by `lcw fit bijection`, and joins
/// any pair of networks of the kind it was fitted to.
public struct Bijection: LayerwiseMethod, LearnableMethod {
  /// `bijection`
  public static let name = "bijection"
  /// What it is.
  public static let summary = "an arc in the latent space of a bijection trained for a low loss"
  /// Fitted once, with much work; then a formula.
  public static let traits = MethodTraits(
    compute: .medium, complexity: .low, isExplicit: true, loss: .low, isLearnable: true,
    needsData: false)
  /// The loss is that of training samples.
  public static let fittingNeedsData = true
  /// A pair.
  public static let fewestNetworks = 2

  private static let model = PluginOption(
    "model", default: FileName(""), help: "the fitted model; the other options are for fitting")
  private static let start = PluginOption(
    "start", default: FileName(""),
    help: "a flow or bijection model to start from, whose design is used")
  private static let steps = PluginOption("steps", default: 25, help: "steps per epoch")
  private static let batch = PluginOption(
    "batch", default: 1024, help: "training samples per step and value of t")
  private static let times = PluginOption("times", default: 1, help: "values of t per step")
  private static let pairing = PluginOption(
    "pairing", default: UnitPairing.random,
    help: "how units of two networks are paired: at random in each step, or by index")
  private static let transformation = TransformationOptions(
    kind: .realnvp, layers: 4, width: 0.5, epochs: 40, rate: 6e-4, decayEpochs: 4, patience: 0)
  /// The model, and what a fit takes.
  public static let options: [any PluginOptionDescription] =
    [model, start, steps, batch, times, pairing] + transformation.all

  private let file: ModelFile
  private let startFile: String
  private let amounts: BijectionFit.Amounts
  private let choice: TransformationOptions.Choice

  /// The method.
  public init(options: OptionValues) throws {
    file = ModelFile(options[Self.model].text, of: Self.name)
    try file.refuseOthers(than: Self.model.key, in: options)
    startFile = options[Self.start].text
    amounts = BijectionFit.Amounts(
      steps: try options.value(of: Self.steps, in: 1...1_000_000),
      batch: try options.value(of: Self.batch, in: 1...1_000_000),
      times: try options.value(of: Self.times, in: 1...1000), pairing: options[Self.pairing])
    choice = try Self.transformation.choice(in: options)
    if !startFile.isEmpty {
      try Self.transformation.refuseDesign(
        in: options, plugin: Self.name, because: "the model of ‘start’ has a design already")
    }
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

  /// A transformation of the only hidden layer's neurons.
  public func fit(
    to networks: [Weights], heldOut: [Weights], in context: ConnectionContext
  ) throws -> Checkpoint {
    guard file.isEmpty else { throw FlowError.modelInFit(method: Self.name, instead: "start") }
    guard let samples = context.samples else {
      throw ConnectionError.needsSamples(method: Self.name)
    }
    let fit = PairFit(
      networks: networks, heldOut: heldOut, samples: samples, amounts: amounts,
      plan: choice.plan(seed: context.seed), context: context)
    return try fit.model(method: Self.name, startingFrom: startFile) {
      choice.design(for: $0)
    }.checkpoint
  }
}

@section("lcw_plugins") @used
let bijectionPlugin: PluginRecord = { $0.add(Bijection.self) }
