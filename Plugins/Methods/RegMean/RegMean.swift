// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWPaths

/// RegMean: after matching, every layer at t is the one that puts out what both networks' layers do, each on
/// the features of its own network, with the weights 1 − t and t (Jin, Ren, Preotiuc-Pietro and Cheng 2022,
/// *Dataless Knowledge Fusion by Merging Weights of Language Models*).
///
/// W(t) = [(1 − t) W_A G_A + t W_B G_B] [(1 − t) G_A + t G_B]⁻¹, with G the mean products of a layer's inputs. It
/// is solved for as a change of the straight line, so that the ends are the networks to the bit.
public struct RegMean: ConnectionMethod {
  /// `regmean`
  public static let name = "regmean"
  /// What it is.
  public static let summary =
    "after matching, solves each layer in closed form on both networks' features (RegMean)"
  /// A factorisation for each layer and point.
  public static let traits = MethodTraits(
    compute: .medium, complexity: .medium, isExplicit: false, loss: .medium, isLearnable: false,
    needsData: true)

  private static let match = PluginOption(
    "match", default: MergingConnection.Match.activations, help: "how hidden units are matched")
  private static let shrink = PluginOption(
    "shrink", default: 1.0,
    help: "factor on the off-diagonal entries of the Gram matrices, from 0 to 1")
  /// Weights of a feature that varies in one network alone become the other's in a part of the time beside an
  /// end that is as small as the ridge is beside the feature's variance: the formula's own way, not a jump.
  private static let ridge = 1e-3
  /// The match, the shrinking, and how layers are solved for.
  public static let options: [any PluginOptionDescription] =
    [match, shrink] + AdjustmentOptions.pluginOptions(ridge: ridge)

  private let connection: MergingConnection

  /// The method.
  public init(options: OptionValues) throws {
    connection = MergingConnection(
      name: Self.name,
      rule: .eachNetwork(shrink: try options.value(of: Self.shrink, in: 0...1)),
      match: options[Self.match], options: try AdjustmentOptions(options, ridge: Self.ridge))
  }

  /// One stage, and the way back to B's order.
  public func path(
    from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> any ConnectionPath { try connection.path(from: a, to: b, in: context) }

  /// The memory of the widest layer's products.
  public func cost(joining network: Network) -> ConnectionCost { connection.cost(joining: network) }
}

@section("lcw_plugins") @used
let regMeanPlugin: PluginRecord = { $0.add(RegMean.self) }
