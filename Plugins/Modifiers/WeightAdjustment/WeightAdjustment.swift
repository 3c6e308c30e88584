// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWPaths

/// Weight adjustment: while a hidden layer's units move, the next layer is solved for by least
/// squares at every point, so that it puts out what it does in the first network.
///
/// Anokhin and Yarotsky 2020, section 4. The path goes layer by layer; see
/// ``LayerwiseConnection``.
public struct WeightAdjustment: ConnectionModifier {
  /// `wa`
  public static let name = "wa"
  /// What it is.
  public static let summary = "weight adjustment: the next layer by least squares at every point"
  /// Costly, no formula, and a low loss.
  public static func traits(modifying traits: MethodTraits) -> MethodTraits {
    MethodTraits(
      compute: .high, complexity: .medium, isExplicit: false, loss: .low,
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
    try LayerwiseConnection(name: Self.name, following: .adjusted, options: adjustment)
      .path(from: a, to: b, moving: method, in: context)
  }
}

@section("lcw_plugins") @used
let weightAdjustmentPlugin: PluginRecord = { $0.add(WeightAdjustment.self) }
