// SPDX-License-Identifier: Apache-2.0
public import LCWCore

/// For each free group of a network's hidden units the order in which the units of a network B meet those
/// of a network A.
///
/// B with its units in these orders computes what B does, since each order permutes a whole group
/// (``UnitGroup``). ``WeightMatching`` and ``ActivationMatching`` find such orders.
public struct UnitMatching: Sendable, Hashable {
  /// The network.
  public let network: Network
  /// The groups of units that were matched.
  public let populations: [HiddenPopulation]
  /// For each of them a permutation: unit i of A meets unit `order[i]` of B.
  public let orders: [[Int]]

  /// Orders of some groups, or of all.
  /// - Parameters:
  ///   - network: The network.
  ///   - populations: Groups of its units, each once.
  ///   - orders: For each of them a permutation of its units.
  public init(of network: Network, populations: [HiddenPopulation], orders: [[Int]]) {
    precondition(
      populations.count == orders.count
        && zip(populations, orders).allSatisfy { $0.count == $1.count },
      "each group of units needs an order of its own")
    self.network = network
    self.populations = populations
    self.orders = orders
  }

  /// B with its units in these orders, and the way back from there.
  public func applied(to weights: Weights) -> ReorderedNetwork {
    var network = ReorderedNetwork(weights)
    for (population, order) in zip(populations, orders) { network.reorder(population, by: order) }
    return network
  }

  /// The number of units matched to one with another index.
  public var movedUnits: Int {
    orders.reduce(0) { sum, order in sum + order.indices.count { order[$0] != $0 } }
  }
}
