// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// Orders of all groups found together, by way of doubly stochastic matrices: the Frank-Wolfe search of
/// Crisostomi et al. 2024, *C²M³*, for two networks.
///
/// The objective is ⟨A, X B⟩, where each group's matrix X mixes B's units. In each step the gradient of every
/// group is solved for its best permutation, and all groups move towards theirs by one share. A parameter has
/// at most two axes with units, so that the objective is a parabola along the step, whose top is known. At the end
/// each group has the permutation nearest to its matrix.
struct FrankWolfe {
  let problem: MatchingProblem
  let b: Weights
  let workers: Workers

  /// The most steps.
  private static let mostSteps = 200
  /// The search ends where a step could gain no more than this share of ⟨A, A⟩ and ⟨B, B⟩'s mean.
  private static let leastGain = 1e-6

  /// Matrices in the middle: every unit of A meets all of B's alike.
  var center: [Tensor] {
    problem.populations.map {
      Tensor(repeating: 1 / Float($0.count), shape: [$0.count, $0.count])
    }
  }

  /// The matrices of permutations.
  func matrices(of orders: [[Int]]) -> [Tensor] {
    orders.map { order in
      var matrix = Tensor(zeros: [order.count, order.count])
      for (unit, other) in order.enumerated() {
        matrix.elements[unit * order.count + other] = 1
      }
      return matrix
    }
  }

  /// The permutations that a search reaches.
  /// - Parameters:
  ///   - start: A doubly stochastic matrix for each group.
  ///   - progress: Is told each step and the share of the objective; if it throws, the search ends.
  func orders(
    from start: [Tensor], progress: (Int) throws -> Void = { _ in }
  ) throws -> [[Int]] {
    var matrices = start
    let limit = Self.leastGain * problem.squareSum(with: b) / 2
    var value = objective(of: mixed(by: matrices))
    for step in 1...Self.mostSteps {
      try progress(step)
      let gradients = gradients(at: matrices)
      let orders = try gradients.indices.map { try problem.bestOrder(gradients[$0], of: $0).order }
      let corners = self.matrices(of: orders)
      let slope = matrices.indices.reduce(0) { sum, group in
        sum + gradients[group].product(with: corners[group])
          - gradients[group].product(with: matrices[group])
      }
      guard slope > limit else { break }
      let reached = problem.populations.indices.reduce(b) {
        problem.populations[$1].reordered($0, by: orders[$1])
      }
      let bend = objective(of: reached) - value - slope
      let share = bend < 0 ? min(1, -slope / (2 * bend)) : 1
      for group in matrices.indices {
        matrices[group].assign(Float(share), times: corners[group], plus: Float(1 - share))
      }
      value += share * slope + share * share * bend
    }
    return try matrices.indices.map { try problem.bestOrder(matrices[$0], of: $0).order }
  }

  /// ⟨A, B⟩ over trained parameters.
  private func objective(of b: Weights) -> Double {
    b.network.parameters.indices.reduce(0) { sum, index in
      b.network.parameters[index].isTrained
        ? sum + problem.a[index].product(with: b[index]) : sum
    }
  }

  /// B with the units of all groups mixed.
  private func mixed(by matrices: [Tensor]) -> Weights {
    var result = b
    for (population, matrix) in zip(problem.populations, matrices) {
      for site in population.group.sites where b.network.parameters[site.parameter].isTrained {
        mix(&result[site.parameter], at: site, by: matrix)
      }
    }
    return result
  }

  /// For each group how the objective grows with each element of its matrix.
  private func gradients(at matrices: [Tensor]) -> [Tensor] {
    // A product is taken with B mixed along the other axes of the parameter alone.
    var known: [AxisOfParameter: Tensor] = [:]
    return problem.populations.indices.map { group in
      let count = problem.populations[group].count
      var sum = Tensor(zeros: [count, count])
      for product in problem.terms[group].flatMap(\.products) {
        let (parameter, axis) = (product.site.parameter, product.site.axis)
        let key = AxisOfParameter(parameter: parameter, axis: axis)
        let tensor = known[key] ?? mixed(parameter, exceptAlong: axis, by: matrices)
        known[key] = tensor
        product.add(problem.a[parameter], tensor, to: &sum, workers: workers)
      }
      return sum
    }
  }

  private struct AxisOfParameter: Hashable {
    var parameter: Int
    var axis: Int
  }

  private func mixed(
    _ parameter: Int, exceptAlong axis: Int, by matrices: [Tensor]
  ) -> Tensor {
    var tensor = b[parameter]
    for (population, matrix) in zip(problem.populations, matrices) {
      for site in population.group.sites where site.parameter == parameter && site.axis != axis {
        mix(&tensor, at: site, by: matrix)
      }
    }
    return tensor
  }

  /// Replaces each unit's values at a site by what a row of the matrix makes of all units'.
  private func mix(_ tensor: inout Tensor, at site: UnitGroup.Site, by matrix: Tensor) {
    let pieces = SitePieces(of: site, in: b.network)
    let rows = pieces.rows(of: tensor, count: matrix.shape.rows)
    var mixed = Tensor(unspecified: rows.shape)
    mixed.assignProduct(matrix.matrix, rows.matrix, workers: workers)
    pieces.assign(mixed, to: &tensor)
  }
}

extension MatchingProblem {
  /// ⟨A, A⟩ + ⟨B, B⟩ over trained parameters.
  fileprivate func squareSum(with b: Weights) -> Double {
    a.network.parameters.indices.reduce(0) { sum, index in
      guard a.network.parameters[index].isTrained else { return sum }
      return sum + a[index].product(with: a[index]) + b[index].product(with: b[index])
    }
  }
}

extension Tensor {
  /// The sum of the products of elements, in double precision.
  fileprivate func product(with other: Tensor) -> Double {
    elements.withUnsafeBufferPointer { a in
      other.elements.withUnsafeBufferPointer { b in
        var sum = 0.0
        for index in 0..<a.count { sum += Double(a[index]) * Double(b[index]) }
        return sum
      }
    }
  }
}
