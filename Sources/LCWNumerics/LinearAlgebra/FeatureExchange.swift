// SPDX-License-Identifier: Apache-2.0
import COpenBLAS

/// Which features to give up and which to take in their place, block by block, so that what is there fits
/// the targets well all along.
///
/// The features of a ``WindowedLeastSquares`` whose window has them all are the columns of two networks'
/// hidden units: a half each, every unit as many neighbouring ones.
public struct FeatureExchange: Sendable {
  private let problem: WindowedLeastSquares
  private let units: Int
  private let columns: Int
  private let ridge: Double
  private let workers: Workers

  /// - Parameters:
  ///   - problem: The products, of all features with all.
  ///   - units: The units of each network.
  ///   - ridge: As in ``WindowedLeastSquares/solution(of:shares:reference:ridge:workers:)``.
  ///   - workers: The threads.
  public init(
    _ problem: WindowedLeastSquares, units: Int, ridge: Double, workers: Workers = .serial
  ) {
    precondition(
      problem.window == problem.features && problem.features % (2 * max(1, units)) == 0
        && problem.sets == 2,
      "\(problem.features) features are not those of twice \(units) units")
    self.problem = problem
    self.units = units
    columns = problem.features / (2 * max(1, units))
    // A factor is needed also where none was asked for.
    self.ridge = max(ridge, 1e-9)
    self.workers = workers
  }

  /// The units of both networks, numbered one after the other, as lists of features.
  private func features(of units: [Int]) -> [Int] {
    units.flatMap { $0 * columns..<($0 + 1) * columns }
  }

  /// How much each unit of a network is missed if it alone is taken out, and the others are solved for
  /// again: the growth of the squared error (LeCun et al. 1990, Hassibi and Stork 1993).
  /// - Parameter network: 0 or 1; the targets are the network's own.
  /// - Throws: `NumericsError` if the products are not finite.
  public func importances(inNetwork network: Int) throws(NumericsError) -> [Double] {
    let pool = try Pool(
      Array(network * units..<(network + 1) * units), self, shares: network == 0 ? [1, 0] : [0, 1])
    return pool.costs()
  }

  /// The orders in which units of the first network leave and units of the second come.
  ///
  /// Of each block, those leave, one after the other, that are missed least; then those come that help most,
  /// beside the ones that are there and for the targets mixed in the shares that are then reached.
  ///
  /// - Parameters:
  ///   - sizes: The units of each block.
  ///   - progress: Is told of each block; if it throws, so does this.
  /// - Throws: `NumericsError` if the products are not finite, and what `progress` throws.
  public func greedyOrders(
    blocks sizes: [Int], progress: (Int) throws -> Void
  ) throws -> (leaving: [Int], coming: [Int]) {
    var (leaving, coming): ([Int], [Int]) = ([], [])
    var (present, waiting) = (Array(0..<units), Array(units..<2 * units))
    for (block, size) in sizes.enumerated() {
      try progress(block)
      let half = (Double(leaving.count) + Double(size) / 2) / Double(units)
      var pool = try Pool(present, self, shares: [1 - half, half])
      let gone = pool.removeLeastMissed(size, below: units)
      leaving += gone
      present.removeAll(where: Set(gone).contains)
      let share = Double(leaving.count) / Double(units)
      let new = try mostHelpful(size, of: waiting, beside: present, shares: [1 - share, share])
      coming += new.map { $0 - units }
      waiting.removeAll(where: Set(new).contains)
      present += new
    }
    return (leaving, coming)
  }

  /// Units that are there, the inverse of their products and their weights: what tells how much each is
  /// missed.
  private struct Pool {
    var units: [Int]
    let columns: Int
    /// [features, features]
    var inverse: [Double]
    /// [outputs, features]
    var weights: [Double]

    init(
      _ units: [Int], _ exchange: FeatureExchange, shares: [Double]
    ) throws(NumericsError) {
      self.units = units
      columns = exchange.columns
      let chosen = exchange.features(of: units)
      let matrix = exchange.problem.ridged(
        exchange.problem.matrix(of: chosen), exchange.ridge)
      let factor = try CholeskyFactor(liftingAsNeeded: matrix)
      weights = exchange.problem.targets(of: chosen, shares)
      factor.solve(&weights)
      inverse = [Double](repeating: 0, count: chosen.count * chosen.count)
      for index in chosen.indices { inverse[index * (chosen.count + 1)] = 1 }
      factor.solve(&inverse, workers: exchange.workers)
    }

    private var order: Int { units.count * columns }

    /// For each unit the growth of the squared error without it; of several columns, as if each alone went.
    func costs() -> [Double] {
      units.indices.map { unit in
        (unit * columns..<(unit + 1) * columns).reduce(0) { $0 + cost(ofFeature: $1) }
      }
    }

    private func cost(ofFeature feature: Int) -> Double {
      let outputs = order > 0 ? weights.count / order : 0
      let squares = (0..<outputs).reduce(0.0) {
        let weight = weights[$1 * order + feature]
        return $0 + weight * weight
      }
      let pivot = inverse[feature * (order + 1)]
      return pivot > 0 ? squares / pivot : 0
    }

    /// Takes out units with numbers below a bound, one after the other.
    mutating func removeLeastMissed(_ count: Int, below bound: Int) -> [Int] {
      var isThere = units.map { $0 < bound }
      return (0..<count).compactMap { _ in
        let costs = costs()
        guard
          let least = units.indices.filter({ isThere[$0] }).min(by: { costs[$0] < costs[$1] })
        else { return nil }
        isThere[least] = false
        for feature in least * columns..<(least + 1) * columns { eliminate(feature) }
        return units[least]
      }
    }

    private mutating func eliminate(_ feature: Int) {
      let order = order
      let pivot = inverse[feature * (order + 1)]
      guard pivot > 0 else { return }
      let row = Array(inverse[feature * order..<(feature + 1) * order])
      let outputs = weights.count / order
      for output in 0..<outputs {
        let factor = weights[output * order + feature] / pivot
        for index in 0..<order { weights[output * order + index] -= factor * row[index] }
      }
      inverse.subtractOuterProduct(of: row, scaled: 1 / pivot)
    }
  }

  /// The units that take most of the squared error away, one after the other.
  private func mostHelpful(
    _ count: Int, of waiting: [Int], beside present: [Int], shares: [Double]
  ) throws(NumericsError) -> [Int] {
    guard count < waiting.count else { return waiting }
    let (old, new) = (features(of: present), features(of: waiting))
    let all = problem.ridged(problem.matrix(of: old + new), ridge)
    var (left, right) = (all.block(old.count..<all.order), problem.targets(of: new, shares))
    if !old.isEmpty {
      // What the features that are there leave of the others and of the targets.
      let factor = try CholeskyFactor(liftingAsNeeded: all.block(0..<old.count))
      let cross = all.rows(old.count..<all.order, columns: 0..<old.count)
      var solved = cross
      factor.solve(&solved, workers: workers)
      left.subtractProduct(cross, solved, inner: old.count)
      let known = problem.targets(of: old, shares)
      for output in 0..<problem.outputs {
        for index in new.indices {
          var sum = 0.0
          for feature in old.indices {
            sum += known[output * old.count + feature] * solved[index * old.count + feature]
          }
          right[output * new.count + index] -= sum
        }
      }
    }
    var residual = left.elements
    var isWaiting = [Bool](repeating: true, count: waiting.count)
    var chosen: [Int] = []
    let width = new.count
    func gain(_ feature: Int) -> Double {
      let pivot = residual[feature * (width + 1)]
      let squares = (0..<problem.outputs).reduce(0.0) {
        $0 + right[$1 * width + feature] * right[$1 * width + feature]
      }
      return pivot > 0 ? squares / pivot : 0
    }
    for _ in 0..<count {
      let gains = waiting.indices.map { unit in
        isWaiting[unit]
          ? (unit * columns..<(unit + 1) * columns).reduce(0) { $0 + gain($1) } : -1
      }
      guard let best = gains.indices.max(by: { gains[$0] < gains[$1] }) else { break }
      isWaiting[best] = false
      chosen.append(waiting[best])
      for feature in best * columns..<(best + 1) * columns {
        let pivot = residual[feature * (width + 1)]
        guard pivot > 0 else { continue }
        let row = Array(residual[feature * width..<(feature + 1) * width])
        for output in 0..<problem.outputs {
          let factor = right[output * width + feature] / pivot
          for index in 0..<width { right[output * width + index] -= factor * row[index] }
        }
        residual.subtractOuterProduct(of: row, scaled: 1 / pivot)
      }
    }
    return chosen
  }
}

extension [Double] {
  /// Subtracts `scale` · v vᵀ from a square matrix.
  fileprivate mutating func subtractOuterProduct(of vector: [Double], scaled scale: Double) {
    let order = vector.count
    guard order > 0 else { return }
    cblas_dger(
      CblasRowMajor, blasint(order), blasint(order), -scale, vector, 1, vector, 1, &self,
      blasint(order))
  }
}

extension SymmetricMatrix {
  /// A square part along the diagonal.
  fileprivate func block(_ range: Range<Int>) -> SymmetricMatrix {
    SymmetricMatrix(upperTriangle: rows(range, columns: range), order: range.count)
  }

  /// A rectangle, row by row.
  fileprivate func rows(_ rows: Range<Int>, columns: Range<Int>) -> [Double] {
    rows.flatMap { elements[$0 * order + columns.lowerBound..<$0 * order + columns.upperBound] }
  }

  /// Subtracts A Bᵀ for `[order, inner]` A and B whose product is symmetric.
  fileprivate mutating func subtractProduct(_ a: [Double], _ b: [Double], inner: Int) {
    let order = order
    guard order > 0, inner > 0 else { return }
    BLAS.useCallingThread()
    modifyElements { values in
      guard let base = values.baseAddress else { return }
      cblas_dgemm(
        CblasRowMajor, CblasNoTrans, CblasTrans, blasint(order), blasint(order), blasint(inner), -1,
        a, blasint(inner), b, blasint(inner), 1, base, blasint(order))
    }
  }
}
