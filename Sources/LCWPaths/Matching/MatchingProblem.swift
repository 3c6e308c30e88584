// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// The weights of two networks, and for each free group of units which products tell how well an order
/// suits.
///
/// The objective is the inner product ⟨A, πB⟩ of all trained parameters; the norms do not depend on orders,
/// so that the squared distance says the same. Running statistics are what training measured, not what it
/// learned: they are permuted with their units, but not compared.
struct MatchingProblem: Sendable {
  let a: Weights
  let populations: [HiddenPopulation]
  /// For each group its sites, together where the same other groups have a say in them.
  let terms: [[Term]]
  /// For each group those whose orders have a say in its products.
  let neighbours: [[Int]]

  /// Sites of a group whose products depend on the orders of the same other groups.
  struct Term: Sendable {
    var products: [SiteProduct]
    /// The groups that have the other axes of the sites' parameters.
    var others: [Int]
    /// Whether the group itself has another axis, so that the objective is not linear in its order.
    var isQuadratic: Bool
  }

  init(from a: Weights, _ populations: [HiddenPopulation]) {
    self.a = a
    self.populations = populations
    let parameters = a.network.parameters
    var owners: [Int: [(group: Int, axis: Int)]] = [:]
    for (index, population) in populations.enumerated() {
      for site in population.group.sites where parameters[site.parameter].isTrained {
        owners[site.parameter, default: []].append((index, site.axis))
      }
    }
    terms = populations.enumerated().map { index, population in
      var terms: [Term] = []
      for site in population.group.sites where parameters[site.parameter].isTrained {
        let across = (owners[site.parameter] ?? []).filter { $0.axis != site.axis }.map(\.group)
        let others = Set(across).subtracting([index]).sorted()
        let isQuadratic = across.contains(index)
        let product = SiteProduct(population.group, site, of: a)
        if let place = terms.firstIndex(where: {
          $0.others == others && $0.isQuadratic == isQuadratic
        }) {
          terms[place].products.append(product)
        } else {
          terms.append(Term(products: [product], others: others, isQuadratic: isQuadratic))
        }
      }
      return terms
    }
    neighbours = terms.map { Set($0.flatMap(\.others)).sorted() }
  }

  /// The products of one term, `[units, units]`: a row for each of A's units, a column for each of B's.
  func products(_ term: Term, of group: Int, with b: Weights, workers: Workers) -> Tensor {
    let count = populations[group].count
    var sum = Tensor(zeros: [count, count])
    for product in term.products {
      let parameter = product.site.parameter
      product.add(a[parameter], b[parameter], to: &sum, workers: workers)
    }
    return sum
  }

  /// The order of B's units that makes the sum of products largest, and by how much it is larger than for
  /// the order there is.
  /// - Throws: ``ConnectionError/range(index:description:problem:)`` if products overflow.
  func bestOrder(
    _ products: Tensor, of group: Int
  ) throws -> (order: [Int], gain: Double) {
    let population = populations[group]
    let count = population.count
    let costs = Tensor.combination([products], coefficients: [-1], shape: products.shape)
    guard costs.isFinite, let order = try LinearSumAssignment.solve(costs).columns else {
      throw ConnectionError.range(
        index: population.layer, description: population.name,
        problem: "has weights so large that the inner products of its units overflow")
    }
    var gain = 0.0
    for (unit, other) in order.enumerated() where unit != other {
      gain += Double(products.elements[unit * count + other])
      gain -= Double(products.elements[unit * count + unit])
    }
    return (order, gain)
  }

  /// The squared distance of the trained parameters, smallest where the inner product is largest.
  func squaredDistance(to b: Weights) -> Double {
    a.network.parameters.indices.reduce(0) { sum, index in
      a.network.parameters[index].isTrained ? sum + a[index].squaredDistance(to: b[index]) : sum
    }
  }

  /// The squared distance over the parameters of one group.
  func squaredDistance(to b: Weights, group: Int) -> Double {
    populations[group].parameters.reduce(0) { sum, index in
      a.network.parameters[index].isTrained ? sum + a[index].squaredDistance(to: b[index]) : sum
    }
  }
}
