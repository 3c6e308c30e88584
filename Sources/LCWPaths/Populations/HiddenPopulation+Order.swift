// SPDX-License-Identifier: Apache-2.0
public import LCWCore

extension HiddenPopulation {
  /// Weights with the units in another order, which compute the same function.
  /// - Parameter order: A permutation: unit i of the result is unit `order[i]` of `weights`.
  public func reordered(_ weights: Weights, by order: [Int]) -> Weights {
    weights.permuting(group, by: order)
  }
}

extension HiddenPopulation {
  /// Checks that a unit can be moved from slot to slot while the function stays: what a unit puts out
  /// depends on its own numbers alone.
  /// - Throws: ``ConnectionError/layer(index:description:problem:)`` that names what couples the units.
  public func requireFreeSlots(for method: String) throws(ConnectionError) {
    guard let node = group.couplings.first else { return }
    throw .layer(
      index: node, description: network.describe(node: node),
      problem: "makes each unit depend on the others of \(name), so that \(method) can't bring them into "
        + "their order one by one")
  }
}
