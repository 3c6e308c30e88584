// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWFiles
import LCWNetworks
import LCWNumerics

/// The baseline of T. Garipov, P. Izmailov, D. Podoprikhin, D. Vetrov and A. Wilson, *Loss surfaces,
/// mode connectivity, and fast ensembling of DNNs* (NeurIPS 2018): a curve with control points
/// between the two networks, trained so that the mean loss over uniformly random t is low.
public struct Garipov: ConnectionMethod {
  /// `garipov`
  public static let name = "garipov"
  /// What it is.
  public static let summary = "a curve whose inner points are trained for each pair"
  /// As much as training a network, and the lowest loss.
  public static let traits = MethodTraits(
    compute: .high, complexity: .low, isExplicit: true, loss: .low, isLearnable: true,
    needsData: true)

  /// The kind of curve.
  public enum Shape: String, OptionChoice {
    /// Segments from point to point.
    case chain
    /// A Bézier curve.
    case bezier
  }

  /// How the rate changes; see ``Schedule``.
  public enum Rates: String, OptionChoice {
    /// Constant for half of the epochs, then linear to a hundredth.
    case paper
    /// Always the same.
    case constant
    /// Half a cosine.
    case cosine
  }

  private static let points = PluginOption(
    "points", default: 3, help: "number of control points, including both networks")
  private static let curve = PluginOption("curve", default: Shape.chain, help: "the kind of curve")
  private static let epochs = PluginOption(
    "epochs", default: 30, help: "number of epochs")
  private static let batch = PluginOption("batch", default: 128, help: "samples per step")
  private static let rate = PluginOption("rate", default: 0.02, help: "the learning rate")
  private static let schedule = PluginOption(
    "schedule", default: Rates.paper, help: "the learning-rate schedule")
  private static let momentum = PluginOption(
    "momentum", default: 0.9, help: "momentum of SGD")
  private static let decay = PluginOption(
    "decay", default: 1e-4, help: "weight decay of the control points")
  /// The curve's and the training's.
  public static let options: [any PluginOptionDescription] = [
    points, curve, epochs, batch, rate, schedule, momentum, decay,
  ]

  private let curve: Curve
  private let plan: TrainingPlan

  /// The method.
  public init(options: OptionValues) throws {
    let points = try options.value(of: Self.points, in: 3...64)
    curve = options[Self.curve] == .chain ? .chain(points: points) : .bezier(points: points)
    plan = TrainingPlan(
      epochs: try options.value(of: Self.epochs, in: 1...1_000_000),
      batch: try options.value(of: Self.batch, in: 1...1_000_000),
      rate: try options.value(of: Self.rate, in: 1e-9...100),
      schedule: try Schedule(options[Self.schedule].rawValue),
      rule: .sgd(
        momentum: Float(try options.value(of: Self.momentum, in: 0...0.999)),
        decay: Float(try options.value(of: Self.decay, in: 0...1))))
  }

  /// The epochs, and the memory of the points and of their velocities.
  public func cost(joining network: Network) -> ConnectionCost {
    ConnectionCost(
      epochs: plan.epochs, bytes: 8 * Double(curve.count) * Double(network.parameterCount))
  }

  /// The trained curve. With a store in the context, the training's state is kept after each epoch
  /// and gone on from.
  public func path(
    from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> any ConnectionPath {
    guard let samples = context.samples else {
      throw ConnectionError.needsSamples(method: Self.name)
    }
    for (weights, network) in [(a, "the first network"), (b, "the second network")] {
      if let fault = weights.fault { throw ConnectionError.weights(network: network, fault) }
    }
    var plan = plan
    plan.seed = context.seed
    var origin: [String: JSONValue] = [
      "end": .string(b.digest), "samples": .string(samples.digest),
      "start": .string(a.digest), "threads": .integer(context.workers.count),
    ]
    origin[Trainer.precisionField] = MatrixPrecision.nameOnTiles.map(JSONValue.string)
    var training = try CurveTraining(
      curve, from: a, to: b, on: samples, plan: plan, origin: origin)
    if let state = try context.store?.restore() { try training.resume(from: state) }
    try context.finish(&training)
    return try training.path
  }
}

@section("lcw_plugins") @used
let garipovPlugin: PluginRecord = { $0.add(Garipov.self) }
