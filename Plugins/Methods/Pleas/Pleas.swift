// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWPaths

/// PLeaS: after matching, every layer at t is the one that on the mean of both networks' features puts out the
/// mean of both networks' outputs (Nasery, Hayase, Koh and Oh 2024, *PLeaS: Merging Models with Permutations and
/// Least Squares*).
///
/// W(t) minimises ‖W x(t) − y(t)‖² over samples, with x(t) = (1 − t) x_A + t x_B and y(t) likewise. It is solved for
/// as a change of the straight line, so that the ends are the networks to the bit.
public struct Pleas: ConnectionMethod {
  /// `pleas`
  public static let name = "pleas"
  /// What it is.
  public static let summary =
    "after matching, solves each layer by least squares on mean features (PLeaS)"
  /// A factorisation for each layer and point.
  public static let traits = MethodTraits(
    compute: .medium, complexity: .medium, isExplicit: false, loss: .medium, isLearnable: false,
    needsData: true)

  private static let match = PluginOption(
    "match", default: MergingConnection.Match.activations, help: "how hidden units are matched")
  /// The match, and how layers are solved for.
  public static let options: [any PluginOptionDescription] =
    [match] + AdjustmentOptions.pluginOptions

  private let connection: MergingConnection

  /// The method.
  public init(options: OptionValues) throws {
    connection = MergingConnection(
      name: Self.name, rule: .meanFeatures, match: options[Self.match],
      options: try AdjustmentOptions(options))
  }

  /// One stage, and the way back to B's order.
  public func path(
    from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> any ConnectionPath { try connection.path(from: a, to: b, in: context) }

  /// The memory of the widest layer's products.
  public func cost(joining network: Network) -> ConnectionCost { connection.cost(joining: network) }
}

@section("lcw_plugins") @used
let pleasPlugin: PluginRecord = { $0.add(Pleas.self) }
