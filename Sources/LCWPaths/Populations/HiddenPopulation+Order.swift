// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

extension HiddenPopulation {
  /// The population of a weighted layer, given by its index in the network.
  /// - Throws: ``PopulationError`` as ``init(of:hidden:)``.
  public init(of network: Network, layer: Int) throws(PopulationError) {
    try self.init(of: network, hidden: network.weightedLayers.firstIndex(of: layer) ?? -1)
  }

  /// Weights with the units in another order, which compute the same function.
  /// - Parameter order: A permutation: unit i of the result is unit `order[i]` of `weights`.
  public func reordered(_ weights: Weights, by order: [Int]) -> Weights {
    precondition(order.count == count, "the order is not one of these units")
    var result = weights
    let neurons = neurons(of: weights)
    var moved = Tensor(unspecified: neurons.shape)
    let width = dimension
    for (unit, source) in order.enumerated() {
      moved.elements.replaceSubrange(
        unit * width..<(unit + 1) * width,
        with: neurons.elements[source * width..<(source + 1) * width])
    }
    assign(moved, to: &result)
    return result
  }
}
