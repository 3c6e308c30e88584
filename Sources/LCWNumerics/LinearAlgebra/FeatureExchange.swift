// SPDX-License-Identifier: Apache-2.0

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
    // An inverse is needed also where no ridge was asked for.
    self.ridge = max(ridge, 1e-9)
    self.workers = workers
  }

  /// How much each unit of a network is missed if it alone is taken out, and the others are solved for
  /// again: the growth of the squared error (LeCun et al. 1990, Hassibi and Stork 1993).
  /// - Parameter network: 0 or 1; the targets are the network's own.
  /// - Throws: `NumericsError` if the products are not finite.
  public func importances(inNetwork network: Int) throws(NumericsError) -> [Double] {
    let first = network * units * columns
    var swept = try swept(Array(first..<first + units * columns))
    for feature in 0..<units * columns { swept.sweep(feature) }
    let targets = swept.mixed(network == 0 ? [1, 0] : [0, 1])
    return (0..<units).map { effect(ofUnit: $0, on: targets, in: swept) }
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
    var swept = try swept(Array(0..<2 * units * columns))
    for feature in 0..<units * columns { swept.sweep(feature) }
    var (leaving, coming): ([Int], [Int]) = ([], [])
    var (staying, waiting) = (Array(0..<units), Array(units..<2 * units))
    for (block, size) in sizes.enumerated() {
      try progress(block)
      let half = (Double(leaving.count) + Double(size) / 2) / Double(units)
      leaving += take(size, of: &staying, in: &swept, shares: [1 - half, half]) { -$0 }
      let share = Double(leaving.count) / Double(units)
      coming += take(size, of: &waiting, in: &swept, shares: [1 - share, share]) { $0 }
    }
    return (leaving, coming.map { $0 - units })
  }

  /// Takes units out of a list one after the other, and sweeps them: always the one whose effect is worth most.
  private func take(
    _ count: Int, of units: inout [Int], in swept: inout SweptMatrix, shares: [Double],
    worth: (Double) -> Double
  ) -> [Int] {
    (0..<min(count, units.count)).compactMap { _ in
      let targets = swept.mixed(shares)
      let values = units.map { worth(effect(ofUnit: $0, on: targets, in: swept)) }
      guard let best = values.indices.min(by: { values[$0] > values[$1] }) else { return nil }
      let unit = units.remove(at: best)
      for feature in unit * columns..<(unit + 1) * columns { swept.sweep(feature) }
      return unit
    }
  }

  /// The effect of a unit; of several columns, as if each alone came or went.
  private func effect(
    ofUnit unit: Int, on targets: [[Double]], in swept: SweptMatrix
  ) -> Double {
    (unit * columns..<(unit + 1) * columns).reduce(0) {
      $0 + swept.effect(of: $1, on: targets)
    }
  }

  private func swept(_ features: [Int]) throws(NumericsError) -> SweptMatrix {
    let targets = [[1.0, 0], [0, 1]].flatMap { shares in
      let rows = problem.targets(of: features, shares)
      return (0..<problem.outputs).map {
        Array(rows[$0 * features.count..<($0 + 1) * features.count])
      }
    }
    return try SweptMatrix(
      problem.ridged(problem.matrix(of: features), ridge), targets: targets, workers: workers)
  }
}
