// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWPaths

/// Unit exchange: block by block, the second network's hidden units take the places of the first's, and
/// whatever reads them is solved for by least squares.
///
/// No units are matched, nothing is trained, and no labels are looked at. See ``UnitExchange``.
public struct Exchange: ConnectionMethod {
  /// `exchange`
  public static let name = "exchange"
  /// What it is.
  public static let summary = "swaps units in blocks; refits what reads them by least squares"
  /// Products of all samples' features, a chain of lines, and a low loss.
  public static let traits = MethodTraits(
    compute: .medium, complexity: .medium, isExplicit: true, loss: .low, isLearnable: false,
    needsData: true)

  /// Blocks, their order, and how layers are solved for.
  public static let options = ExchangeOptions.pluginOptions

  private let exchange: UnitExchange

  /// The method.
  public init(options: OptionValues) throws {
    exchange = UnitExchange(name: Self.name, options: try ExchangeOptions(options))
  }

  /// The chain of lines.
  public func path(
    from a: Weights, to b: Weights, in context: ConnectionContext
  ) throws -> any ConnectionPath {
    try exchange.path(from: a, to: b, in: context)
  }

  /// The memory of the states and of the products of features.
  public func cost(joining network: Network) -> ConnectionCost { exchange.cost(joining: network) }
}

@section("lcw_plugins") @used
let exchangePlugin: PluginRecord = { $0.add(Exchange.self) }
