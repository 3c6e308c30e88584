// SPDX-License-Identifier: Apache-2.0
public import LCWCore

/// A hidden layer that moves, the one behind it that is adjusted meanwhile, and what moves along.
public struct MovingLayer: Sendable, Hashable {
  /// The weighted layer.
  public let layer: Int
  /// The weighted layer that reads its units.
  public let next: Int
  /// The nodes with parameters of their own between the two, and before the first layer: normalisations,
  /// factors. They move from one network's to the other's with the layer.
  public let companions: [Int]

  /// The parameters of the layer and of its companions.
  public func parameters(of network: Network) -> [Int] {
    ([layer] + companions).flatMap(network.parameterIndices)
  }

  /// Each weighted layer of a network but the last, where the next one alone reads its units.
  /// - Throws: ``ConnectionError/layer(index:description:problem:)`` that names a layer whose units others
  ///   write or read too, as in a residual stream.
  public static func all(
    of network: Network, for method: String
  ) throws(ConnectionError) -> [MovingLayer] {
    let layers = network.weightedLayers
    let pairs = Array(zip(layers, layers.dropFirst()))
    if !network.isChain { try requireChain(pairs, in: network, for: method) }
    return pairs.enumerated().map { index, pair in
      let first = index == 0 ? 0 : pair.0
      let companions = (first..<pair.1).filter {
        $0 != pair.0 && !network.parameterIndices(ofLayer: $0).isEmpty
      }
      return MovingLayer(layer: pair.0, next: pair.1, companions: companions)
    }
  }

  private static func requireChain(
    _ pairs: [(Int, Int)], in network: Network, for method: String
  ) throws(ConnectionError) {
    let groups = UnitGroups(of: network)
    for (layer, next) in pairs {
      let own = groups.groups(of: .output(ofNode: layer))
      let writers = Set(own.flatMap { $0.nodes(.writes, in: network) })
      let readers = Set(own.flatMap { $0.nodes(.reads, in: network) })
      guard writers != [layer] || readers != [next] else { continue }
      let others = writers.union(readers).subtracting([layer]).sorted()
      let names = others.prefix(4).map { network.nodes[$0].name }.joined(separator: ", ")
      throw .layer(
        index: layer, description: network.describe(node: layer),
        problem: "shares its units with \(names)\(others.count > 4 ? " and others" : ""): "
          + "\(method) needs networks in which only the next layer reads each hidden layer; "
          + "write linear+wa:layers=all or ot+wa:layers=all, which move all layers at once and join this network"
      )
    }
  }
}
