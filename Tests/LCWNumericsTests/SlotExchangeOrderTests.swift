// SPDX-License-Identifier: Apache-2.0
import LCWNumerics
import Testing

struct SlotExchangeOrderTests {
  /// Covariances of random rows, and products of random weights, of units some of which resemble each other.
  private func reader(units: Int, seed: UInt64) -> SlotExchangeOrder.Reader {
    var random = RandomStream(seed: seed)
    let sources = random.normal([400, units])
    let mixing = random.normal([2 * units, units])
    var rows = Tensor(zeros: [400, 2 * units])
    rows.assignProduct(sources.matrix, mixing.transposed)
    let noise = random.normal([400, 2 * units])
    for index in 0..<rows.count { rows.elements[index] += 0.3 * noise.elements[index] }
    var covariance = CovarianceAccumulator(order: 2 * units)
    covariance.add(rows)
    let weights = (0..<2).map { _ in
      var products = SymmetricMatrix(order: units)
      products.addGram(of: random.normal([7, units]))
      return products
    }
    return SlotExchangeOrder.Reader(covariance: covariance.covariance, weights: weights)
  }

  /// What the layer's outputs lack in both networks, in shares of their variance, if these units are there.
  private func error(
    of reader: SlotExchangeOrder.Reader, units: Int, present: [Int], share: Double
  ) throws -> Double {
    var matrix = reader.covariance
    for unit in 0..<2 * units { matrix[unit, unit] *= 1 + 1e-4 }
    var own = SymmetricMatrix(order: present.count)
    for (row, unit) in present.enumerated() {
      for (column, other) in present.enumerated() { own[row, column] = matrix[unit, other] }
    }
    var sum = 0.0
    for (network, part) in [1 - share, share].enumerated() {
      let missing = (network * units..<(network + 1) * units).filter { !present.contains($0) }
      let solved = try own.solution(of: missing.map { unit in present.map { matrix[unit, $0] } })
      var (error, whole) = (0.0, 0.0)
      for (row, unit) in missing.enumerated() {
        for other in missing {
          let predicted = zip(solved[row], present).reduce(0) { $0 + $1.0 * matrix[other, $1.1] }
          error +=
            reader.weights[network][unit - network * units, other - network * units]
            * (matrix[unit, other] - predicted)
        }
      }
      for row in 0..<units {
        for column in 0..<units {
          whole +=
            reader.weights[network][row, column]
            * reader.covariance[network * units + row, network * units + column]
        }
      }
      sum += part * error / whole
    }
    return sum
  }

  @Test(arguments: [1, 2])
  func `each slot is the one whose exchange leaves the least error`(readers: Int) throws {
    let units = 7
    let all = (0..<readers).map { reader(units: units, seed: UInt64(3 + $0)) }
    let found = try SlotExchangeOrder(units: units, readers: all).order(
      among: Array(0..<units), workers: Workers(2))
    var expected: [Int] = []
    while expected.count < units {
      let share = Double(expected.count + 1) / Double(units)
      let errors = try (0..<units).map { slot in
        guard !expected.contains(slot) else { return Double.infinity }
        let gone = expected + [slot]
        let present = (0..<units).filter { !gone.contains($0) } + gone.map { units + $0 }
        return try all.reduce(0) {
          $0 + (try error(of: $1, units: units, present: present, share: share))
        }
      }
      expected.append(errors.indices.min { errors[$0] < errors[$1] } ?? 0)
    }
    #expect(found == expected)
  }

  @Test func `how units are scaled does not matter`() throws {
    let units = 7
    let plain = reader(units: units, seed: 11)
    var scaled = plain
    let factors = (0..<2 * units).map {
      $0.isMultiple(of: 3) ? 1e4 : $0.isMultiple(of: 2) ? 1e-3 : 1
    }
    for row in 0..<2 * units {
      for column in row..<2 * units {
        scaled.covariance[row, column] =
          plain.covariance[row, column] * factors[row] * factors[column]
      }
    }
    for network in 0..<2 {
      for row in 0..<units {
        for column in row..<units {
          scaled.weights[network][row, column] =
            plain.weights[network][row, column]
            / (factors[network * units + row] * factors[network * units + column])
        }
      }
    }
    let slots = Array(0..<units)
    #expect(
      try SlotExchangeOrder(units: units, readers: [plain]).order(among: slots)
        == SlotExchangeOrder(units: units, readers: [scaled]).order(among: slots))
  }

  @Test func `many units are exchanged several at a time, each once`() throws {
    let units = 300
    let order = try SlotExchangeOrder(units: units, readers: [reader(units: units, seed: 5)])
      .order(among: Array(0..<units), workers: Workers(2))
    #expect(order.sorted() == Array(0..<units))
    let first = try SlotExchangeOrder(units: units, readers: [reader(units: units, seed: 5)])
      .order(among: Array((0..<units).reversed()))
    #expect(first == order)
  }

  @Test func `units that never vary are no obstacle, and equals keep the given order`() throws {
    let silent = SlotExchangeOrder.Reader(
      covariance: SymmetricMatrix(order: 8),
      weights: [SymmetricMatrix(order: 4), SymmetricMatrix(order: 4)])
    let order = try SlotExchangeOrder(units: 4, readers: [silent]).order(among: [2, 0, 3, 1])
    #expect(order == [2, 0, 3, 1])
    #expect(try SlotExchangeOrder(units: 3, readers: []).order(among: [1, 2, 0]) == [1, 2, 0])
  }

  @Test func `covariances are those of all rows about their means`() {
    var random = RandomStream(seed: 9)
    let rows = random.normal([300, 5])
    var blocks = CovarianceAccumulator(order: 5)
    blocks.add(Tensor(Array(rows.elements[..<500])).reshaped([100, 5]))
    blocks.add(Tensor(Array(rows.elements[500...])).reshaped([200, 5]))
    let obvious = SymmetricMatrix.covariance(of: [rows], columns: 5, workers: .serial).covariance
    for row in 0..<5 {
      for column in 0..<5 {
        #expect(abs(blocks.covariance[row, column] - obvious[row, column]) < 1e-6)
      }
    }
  }
}
