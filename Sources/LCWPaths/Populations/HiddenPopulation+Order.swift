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
  /// - Parameters:
  ///   - method: Who asks, for the message.
  ///   - allowsCoupled: Whether units may depend on each other after all: then the function changes on the way.
  /// - Throws: ``ConnectionError/layer(index:description:problem:)`` that names what couples the units.
  public func requireFreeSlots(
    for method: String, allowingCoupled allowsCoupled: Bool = false
  ) throws(ConnectionError) {
    func refuse(_ node: Int, _ problem: String) throws(ConnectionError) {
      throw .layer(
        index: node, description: network.describe(node: node),
        problem:
          "\(problem), and \(method) needs units that can leave their slots one by one; choose a "
          + "method that keeps every unit in its slot, such as a line or a curve")
    }
    if let node = group.couplings.first, !allowsCoupled {
      try refuse(node, "makes each unit depend on the others of \(name)")
    }
    let written = Set(incoming.map(\.parameter))
    if let site = outgoing.first(where: { written.contains($0.parameter) }) {
      try refuse(
        network.parameters[site.parameter].layer, "both reads and writes the units of \(name)")
    }
    // What reads units without weights for each keeps reading one whose weights are zero.
    let values = Set(group.places.map(\.value))
    let readers = Set(group.nodes(.reads, in: network))
    for (node, description) in network.nodes.enumerated()
    where !values.isDisjoint(with: description.inputs)
      && !values.contains(.output(ofNode: node)) && !readers.contains(node)
    {
      try refuse(node, "reads the units of \(name) without a weight for each")
    }
  }
}
