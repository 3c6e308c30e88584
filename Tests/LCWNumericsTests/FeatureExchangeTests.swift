// SPDX-License-Identifier: Apache-2.0
import LCWNumerics
import Testing

/// The order of a greedy exchange against regressions that are solved anew for every single step.
@Suite struct FeatureExchangeOrderTests {
  /// Products, ridge and targets as sums in double precision, and the plain greedy choice.
  private struct Obvious {
    let units: Int
    let columns: Int
    let products: [[Double]]
    /// For each network and output a row of products with all features.
    let targets: [[[Double]]]

    init(_ x: Tensor, _ y: Tensor, units: Int, columns: Int, outputs: Int, ridge: Double) {
      self.units = units
      self.columns = columns
      func centred(_ tensor: Tensor) -> [[Double]] {
        let rows = (0..<tensor.shape.rows).map { tensor.row($0).map(Double.init) }
        return (0..<tensor.shape.rowCount).map { column in
          let values = rows.map { $0[column] }
          let mean = values.reduce(0, +) / Double(values.count)
          return values.map { $0 - mean }
        }
      }
      func product(_ a: [Double], _ b: [Double]) -> Double {
        zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
      }
      let (features, outcomes) = (centred(x), centred(y))
      var products = features.map { one in features.map { product(one, $0) } }
      let trace = products.indices.reduce(0.0) { $0 + products[$1][$1] }
      for index in products.indices {
        products[index][index] += ridge * trace / Double(products.count)
      }
      self.products = products
      targets = (0..<2).map { set in
        (0..<outputs).map { output in
          features.map { product($0, outcomes[set * outputs + output]) }
        }
      }
    }

    private func features(_ chosen: [Int]) -> [Int] {
      chosen.flatMap { $0 * columns..<($0 + 1) * columns }
    }

    private func mixed(_ share: Double) -> [[Double]] {
      zip(targets[0], targets[1]).map { zip($0, $1).map { (1 - share) * $0 + share * $1 } }
    }

    /// The inverse by Gauss and Jordan.
    private func inverse(_ matrix: [[Double]]) -> [[Double]] {
      let n = matrix.count
      var rows = matrix.enumerated().map { index, row in
        row + (0..<n).map { $0 == index ? 1 : 0 }
      }
      for pivot in 0..<n {
        let scale = rows[pivot][pivot]
        for column in rows[pivot].indices { rows[pivot][column] /= scale }
        for row in 0..<n where row != pivot {
          let factor = rows[row][pivot]
          guard factor != 0 else { continue }
          for column in rows[row].indices { rows[row][column] -= factor * rows[pivot][column] }
        }
      }
      return rows.map { Array($0[n...]) }
    }

    /// What each candidate among those present is missed.
    private func missed(_ present: [Int], _ candidates: [Int], share: Double) -> [Double] {
      let chosen = features(present)
      let inverse = inverse(chosen.map { row in chosen.map { products[row][$0] } })
      let weights = mixed(share).map { target in
        inverse.map { row in zip(row, chosen).reduce(0) { $0 + $1.0 * target[$1.1] } }
      }
      return candidates.map { unit in
        features([unit]).reduce(0) { sum, feature in
          guard let place = chosen.firstIndex(of: feature) else { return .nan }
          return sum + weights.reduce(0) { $0 + $1[place] * $1[place] } / inverse[place][place]
        }
      }
    }

    /// What each candidate helps beside those present.
    private func helped(_ present: [Int], _ candidates: [Int], share: Double) -> [Double] {
      let chosen = features(present)
      let inverse = inverse(chosen.map { row in chosen.map { products[row][$0] } })
      return candidates.map { unit in
        features([unit]).reduce(0) { sum, feature in
          let cross = chosen.map { products[feature][$0] }
          let solved = inverse.map { row in zip(row, cross).reduce(0) { $0 + $1.0 * $1.1 } }
          let residual =
            products[feature][feature] - zip(solved, cross).reduce(0) { $0 + $1.0 * $1.1 }
          return sum
            + mixed(share).reduce(0) { total, target in
              let left =
                target[feature] - zip(solved, chosen).reduce(0) { $0 + $1.0 * target[$1.1] }
              return total + left * left / residual
            }
        }
      }
    }

    func orders(_ sizes: [Int]) -> (leaving: [Int], coming: [Int]) {
      var (leaving, coming): ([Int], [Int]) = ([], [])
      var (staying, waiting) = (Array(0..<units), Array(units..<2 * units))
      for size in sizes {
        let half = (Double(leaving.count) + Double(size) / 2) / Double(units)
        for _ in 0..<size {
          let costs = missed(staying + coming, staying, share: half)
          guard let least = costs.indices.min(by: { costs[$0] < costs[$1] }) else { break }
          leaving.append(staying.remove(at: least))
        }
        let share = Double(leaving.count) / Double(units)
        for _ in 0..<size {
          let gains = helped(staying + coming, waiting, share: share)
          guard let best = gains.indices.max(by: { gains[$0] < gains[$1] }) else { break }
          coming.append(waiting.remove(at: best))
        }
      }
      return (leaving, coming.map { $0 - units })
    }
  }

  /// With forty units there are more sweeps than wait together, with two columns each has two.
  @Test(arguments: [(6, 1), (40, 1), (20, 2)], [1, 2])
  func agreesWithRegressionsSolvedAnew(shape: (units: Int, columns: Int), workers: Int) throws {
    let (units, columns) = shape
    let (samples, outputs, width) = (5 * units * columns, 3, 2 * units * columns)
    var random = RandomStream(seed: 11)
    let causes = random.normal([samples, width / 2])
    var x = Tensor(zeros: [samples, width])
    x.assignProduct(causes.matrix, random.normal([width / 2, width]).matrix)
    x.relu()
    var y = Tensor(zeros: [samples, 2 * outputs])
    y.assignProduct(x.matrix, random.normal([width, 2 * outputs]).matrix)
    var problem = WindowedLeastSquares(
      features: width, window: width, outputs: outputs, sets: 2, solvingBias: true,
      expecting: samples)
    problem.add(x, targets: y)
    let sizes = [units / 3, units / 2, units - units / 3 - units / 2]
    let orders = try FeatureExchange(
      problem, units: units, ridge: 1e-3, workers: Workers(workers)
    ).greedyOrders(blocks: sizes) { _ in }
    let expected = Obvious(
      x, y, units: units, columns: columns, outputs: outputs, ridge: 1e-3
    ).orders(sizes)
    #expect(orders.leaving == expected.leaving)
    #expect(orders.coming == expected.coming)
  }

  @Test func productsThatOverflowAreRefused() throws {
    var problem = WindowedLeastSquares(
      features: 4, window: 4, outputs: 1, sets: 2, solvingBias: false, expecting: 2)
    problem.add(
      Tensor(repeating: .infinity, shape: [2, 4]), targets: Tensor(zeros: [2, 2]))
    let exchange = FeatureExchange(problem, units: 2, ridge: 1e-3)
    #expect(throws: NumericsError.self) { try exchange.greedyOrders(blocks: [1, 1]) { _ in } }
    #expect(throws: NumericsError.self) { try exchange.importances(inNetwork: 0) }
  }
}

@Suite struct UnitValueTests {
  @Test func chosenUnitsTakeOtherValues() {
    let block = normal([3, 4, 2])
    let values = normal([3, 2, 2], seed: 2)
    var result = block
    result.assignUnits([3, 1], from: values, of: 4, shifts: [0.5, -1])
    for sample in 0..<3 {
      for unit in 0..<4 {
        for position in 0..<2 {
          let place = [3, 1].firstIndex(of: unit)
          let expected =
            place.map { values.elements[(sample * 2 + $0) * 2 + position] + [0.5, -1][$0] }
            ?? block.elements[(sample * 4 + unit) * 2 + position]
          #expect(result.elements[(sample * 4 + unit) * 2 + position] == expected)
        }
      }
    }
  }
}
