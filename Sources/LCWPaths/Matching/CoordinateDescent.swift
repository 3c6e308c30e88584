// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// Orders of all groups, improved one group after the other: the best order of one group, the others held, is
/// a linear sum assignment (Ainsworth, Hayase and Srinivasa 2023, *Git Re-Basin*, algorithm 1).
///
/// B is kept in the orders of the moment, and each group's products with it: when a group finds a new
/// order, only the products that this order has a say in are computed anew; those of the group itself change their
/// columns. A group is looked at again only when one beside it has changed.
struct CoordinateDescent {
  private let problem: MatchingProblem
  /// B in the orders of the moment.
  private(set) var current: Weights
  /// Unit i of ``current`` is unit `orders[group][i]` of B.
  private(set) var orders: [[Int]]
  /// The passes over the groups so far.
  private(set) var sweeps = 0
  private var products: [[Tensor?]]
  private var isSettled: [Bool]
  /// What a group's order has to gain at least: less may be rounding, which would go on for ever.
  private let leastGains: [Double]
  private let workers: Workers

  /// The most passes; each makes the networks nearer, so that this is never met.
  private static let mostSweeps = 10_000

  /// - Parameter orders: Where to begin: for each group a permutation of B's units.
  init(_ problem: MatchingProblem, b: Weights, from orders: [[Int]], workers: Workers) {
    self.problem = problem
    self.workers = workers
    self.orders = orders
    var start = b
    for (population, order) in zip(problem.populations, orders) {
      start = population.reordered(start, by: order)
    }
    current = start
    products = problem.terms.map { $0.map { _ in nil } }
    isSettled = orders.map { _ in false }
    leastGains = problem.populations.map { population in
      1e-7
        * population.parameters.reduce(0) { sum, index in
          guard start.network.parameters[index].isTrained else { return sum }
          let zero = Tensor(zeros: start[index].shape)
          return sum
            + (problem.a[index].squaredDistance(to: zero) + start[index].squaredDistance(to: zero))
            / 2
        }
    }
  }

  /// Goes over the groups, in an order drawn anew for each pass, until no group gains.
  /// - Parameter progress: Is told the squared distance before each pass; if it throws, the search ends.
  mutating func run(
    _ random: inout RandomStream, progress: (Int, Double) throws -> Void = { _, _ in }
  ) throws {
    while isSettled.contains(false), sweeps < Self.mostSweeps {
      sweeps += 1
      try progress(sweeps, problem.squaredDistance(to: current))
      for group in random.permutation(of: orders.count) where !isSettled[group] {
        try improve(group)
      }
    }
  }

  private mutating func improve(_ group: Int) throws {
    isSettled[group] = true
    let count = problem.populations[group].count
    var sum = Tensor(zeros: [count, count])
    for (place, term) in problem.terms[group].enumerated() {
      let own: Tensor
      if let known = products[group][place] {
        own = known
      } else {
        own = problem.products(term, of: group, with: current, workers: workers)
        products[group][place] = own
      }
      sum.assign(1, times: own, plus: 1)
    }
    let (order, gain) = try problem.bestOrder(sum, of: group)
    guard gain > leastGains[group] else { return }
    let next = problem.populations[group].reordered(current, by: order)
    let isQuadratic = problem.terms[group].contains(where: \.isQuadratic)
    // Where the group has both axes of a parameter, the products tell only which way to go.
    if isQuadratic {
      let (before, after) = (
        problem.squaredDistance(to: current, group: group),
        problem.squaredDistance(to: next, group: group)
      )
      guard before - after > leastGains[group] else { return }
      isSettled[group] = false
    }
    current = next
    orders[group] = order.map { orders[group][$0] }
    for (place, term) in problem.terms[group].enumerated() {
      products[group][place] =
        term.isQuadratic ? nil : products[group][place].map { $0.permutingColumns(by: order) }
    }
    for neighbour in problem.neighbours[group] {
      isSettled[neighbour] = false
      for (place, term) in problem.terms[neighbour].enumerated() where term.others.contains(group) {
        products[neighbour][place] = nil
      }
    }
  }
}

extension Tensor {
  /// The matrix whose column i is this one's column `order[i]`.
  fileprivate func permutingColumns(by order: [Int]) -> Tensor {
    var result = self
    let width = order.count
    for start in stride(from: 0, to: count, by: width) {
      for (column, other) in order.enumerated() where column != other {
        result.elements[start + column] = elements[start + other]
      }
    }
    return result
  }
}
