// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWPaths

/// The butterfly: while a hidden layer's units move, the next layer's outgoing blocks move with
/// them, from the first network's to those adjusted by least squares at the end.
///
/// Anokhin and Yarotsky 2020, section 5. One least-squares problem for each layer, and a formula
/// in between. The path goes layer by layer; see ``LayerwiseConnection``.
public struct Butterfly: ConnectionModifier {
  /// `bfly`
  public static let name = "bfly"
  /// What it is.
  public static let summary = "butterfly: outgoing weights move with their units to adjusted ones"
  /// One problem for each layer.
  public static func traits(modifying traits: MethodTraits) -> MethodTraits {
    MethodTraits(
      compute: .medium, complexity: .medium, isExplicit: false, loss: traits.loss,
      isLearnable: traits.isLearnable, needsData: true)
  }

  /// The ridge, what happens to the bias, and the number of samples.
  public static let options = AdjustmentOptions.pluginOptions

  private let adjustment: AdjustmentOptions

  /// The modifier.
  public init(options: OptionValues) throws {
    adjustment = try AdjustmentOptions(options)
  }

  /// The memory of the adjusted layers' normal equations.
  public func cost(joining network: Network) -> ConnectionCost { adjustment.cost(joining: network) }

  /// The path of stages.
  public func path(
    from a: Weights, to b: Weights, moving method: any LayerwiseMethod,
    in context: ConnectionContext
  ) throws -> any ConnectionPath {
    try LayerwiseConnection(name: Self.name, following: .withUnits, options: adjustment)
      .path(from: a, to: b, moving: method, in: context)
  }
}

@section("lcw_plugins") @used
let butterflyPlugin: PluginRecord = { $0.add(Butterfly.self) }
