// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// Orders to begin with, found group after group from where the network is held: at its inputs, whose order
/// is known, and at its outputs.
///
/// A group is matched while the groups before it are in the orders found for them, and those behind it are
/// unknown: as if each of their units were the mean of all of them. Then what does not depend on unknown
/// orders tells one unit from another, and the rest says nothing wrong. A network with its own units in other
/// orders is recognised so in one pass, where descent from orders that are all wrong mostly ends elsewhere.
struct AnchoredOrders {
  let problem: MatchingProblem
  let b: Weights
  let workers: Workers

  /// The orders found when the groups are gone through in a sequence.
  func orders(inSequence sequence: [Int]) throws -> [[Int]] {
    var orders = problem.populations.map { Array(0..<$0.count) }
    var known = b
    var isKnown = orders.map { _ in false }
    for group in sequence {
      var blurred = known
      for (other, population) in problem.populations.enumerated() where !isKnown[other] {
        for site in population.group.sites {
          // Only what is compared with the group's own units has to be unknown on its other axes.
          guard
            problem.terms[group].contains(where: { term in
              term.products.contains {
                $0.site.parameter == site.parameter && $0.site.axis != site.axis
              }
            })
          else { continue }
          SitePieces(of: site, in: b.network).average(
            &blurred[site.parameter], count: population.count)
        }
      }
      let count = problem.populations[group].count
      var sum = Tensor(zeros: [count, count])
      for term in problem.terms[group] {
        sum.assign(
          1, times: problem.products(term, of: group, with: blurred, workers: workers), plus: 1)
      }
      let order = try problem.bestOrder(sum, of: group).order
      orders[group] = order
      known = problem.populations[group].reordered(known, by: order)
      isKnown[group] = true
    }
    return orders
  }
}
