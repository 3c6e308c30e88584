// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

/// A network whose hidden units are brought into another order layer by layer, and the way back.
public struct ReorderedNetwork: Sendable {
  /// The weights in the new order; they compute what the original ones do.
  public private(set) var weights: Weights
  private var orders: [(population: HiddenPopulation, order: [Int])] = []

  /// A network in the order it has.
  public init(_ weights: Weights) {
    self.weights = weights
  }

  /// Brings the units of a hidden layer into another order. Units that are equal to the bit stay where
  /// they are as far as the order lets them: the weights are the same, and the way back is shorter.
  ///
  /// - Parameters:
  ///   - population: The layer's units.
  ///   - order: A permutation: unit i becomes what unit `order[i]` is now.
  public mutating func reorder(_ population: HiddenPopulation, by order: [Int]) {
    let order = population.keepingEqualUnits(of: weights, in: order)
    guard order.indices.contains(where: { order[$0] != $0 }) else { return }
    weights = population.reordered(weights, by: order)
    orders.append((population, order))
  }

  /// Paths from ``weights`` to the original weights that keep the function but for one unit.
  public var pathsBack: [UnitReordering] {
    var current = weights
    return orders.map { population, order in
      let back = population.reordered(current, by: order.inverted)
      current = back
      return UnitReordering(of: population, from: order, to: back)
    }
  }
}

extension HiddenPopulation {
  /// An order that gives the same weights, in which equal units that only change places with each other
  /// do not.
  fileprivate func keepingEqualUnits(of weights: Weights, in order: [Int]) -> [Int] {
    guard order.indices.contains(where: { order[$0] != $0 }) else { return order }
    let neurons = neurons(of: weights)
    func areEqual(_ a: Int, _ b: Int) -> Bool {
      zip(neurons.row(a), neurons.row(b)).allSatisfy { $0.bitPattern == $1.bitPattern }
    }
    var (result, slots) = (order, order.inverted)
    for slot in order.indices where result[slot] != slot && areEqual(result[slot], slot) {
      let (unit, other) = (result[slot], slots[slot])
      (result[slot], result[other]) = (slot, unit)
      (slots[slot], slots[unit]) = (slot, other)
    }
    return result
  }
}

extension [Int] {
  /// The permutation that undoes this one.
  fileprivate var inverted: [Int] {
    var result = self
    for (index, value) in enumerated() { result[value] = index }
    return result
  }
}
