// SPDX-License-Identifier: Apache-2.0
import COpenBLAS

/// In which order the units of one network give their slots to those of another, so that what reads them can
/// go on from the units that are there.
///
/// What a linear layer puts out is a sum over units. If a unit is not there, the layer can use what the others
/// tell of it: with the best prediction of the missing units from the present ones, the output's squared
/// error is tr(M R), where R is the covariance of what the prediction leaves and M the product of the
/// layer's weights of each two units. The order is found slot by slot: the next is that whose exchange
/// leaves the least error of both networks' outputs, in the shares that are then reached.
///
/// R and its changes come from sweeps of one matrix of covariances (Goodnight, "A tutorial on the SWEEP operator", 1979),
/// so that a slot costs some products of matrices whose order is the number of units: n⁴ in all up to 128 units, and
/// n³ beyond, where the best n / 128 of a look are exchanged together.
public struct SlotExchangeOrder: Sendable {
  /// A layer that reads the units.
  public struct Reader: Sendable {
    /// The covariances of the units' values, `[2n, 2n]`: the first network's, then the second's.
    public var covariance: SymmetricMatrix
    /// For each network the products of the layer's weights, `[n, n]`: of each two units the sum over all
    /// outputs.
    public var weights: [SymmetricMatrix]

    /// A layer that reads the units.
    public init(covariance: SymmetricMatrix, weights: [SymmetricMatrix]) {
      precondition(
        weights.count == 2 && weights.allSatisfy { 2 * $0.order == covariance.order },
        "the covariances are not those of both networks' units")
      self.covariance = covariance
      self.weights = weights
    }
  }

  /// What is added to each unit's variance, as a share of it.
  static let ridge = 1e-4
  /// From so many units on, the best are exchanged several at a time.
  private static let singleUnits = 128

  private let units: Int
  private var readers: [SweptReader]

  /// - Parameters:
  ///   - units: The units of each network, n.
  ///   - readers: The layers that read them.
  public init(units: Int, readers: [Reader]) {
    precondition(readers.allSatisfy { $0.covariance.order == 2 * units })
    self.units = units
    self.readers = readers.map { SweptReader($0, units: units) }
  }

  /// The slots, that to exchange first at the front.
  ///
  /// - Parameters:
  ///   - slots: All slots in the order that decides between equals.
  ///   - workers: The threads.
  ///   - progress: Is told of each slot; if it throws, so does this.
  /// - Throws: What `progress` throws.
  public func order(
    among slots: [Int], workers: Workers = .serial, progress: (Int) throws -> Void = { _ in }
  ) throws -> [Int] {
    var readers = readers
    var (waiting, order) = (slots, [Int]())
    while !waiting.isEmpty {
      try progress(order.count)
      let share = Double(order.count + 1) / Double(units)
      let candidates = waiting
      let errors = try workers.map(readers.count) { [readers] index in
        readers[index].errors(exchanging: candidates, share: share)
      }
      let sums = candidates.indices.map { place in errors.reduce(0) { $0 + $1[place] } }
      let chosen = candidates.indices.sorted { (sums[$0], $0) < (sums[$1], $1) }
        .prefix(max(1, units / Self.singleUnits)).map { candidates[$0] }
      order += chosen
      waiting.removeAll(where: chosen.contains)
      readers = try workers.map(readers.count) { [readers] index in
        var reader = readers[index]
        for slot in chosen { reader.exchange(slot) }
        return reader
      }
    }
    return order
  }
}

/// A reader's covariances, swept for the units that are there.
private struct SweptReader: Sendable {
  private let units: Int
  /// Between present units minus the inverse of their covariances, between a present and a missing unit the
  /// coefficient of its prediction, between missing units what the predictions leave.
  private var swept: [Double]
  private let weights: [[Double]]
  private var isPresent: [Bool]

  private var order: Int { 2 * units }

  init(_ reader: SlotExchangeOrder.Reader, units: Int) {
    self.units = units
    swept = reader.covariance.elements
    // Else predictions from fewer samples than units would be perfect, and of these samples alone. In shares of
    // each unit's own variance: how a unit's values are scaled says nothing.
    for unit in 0..<2 * units {
      let own = swept[unit * (2 * units + 1)]
      // A unit that never varies predicts nothing, whatever stands here.
      swept[unit * (2 * units + 1)] = own > 0 ? own * (1 + SlotExchangeOrder.ridge) : 1
    }
    weights = reader.weights.enumerated().map { network, matrix in
      // In shares of the variance of what the layer puts out in the network itself.
      var whole = 0.0
      for row in 0..<units {
        for column in 0..<units {
          whole +=
            matrix[row, column]
            * reader.covariance[network * units + row, network * units + column]
        }
      }
      return matrix.elements.map { whole > 0 ? $0 / whole : 0 }
    }
    isPresent = [Bool](repeating: false, count: 2 * units)
    for unit in 0..<units { sweep(unit) }
  }

  /// Takes a unit among those that are there, or out of them.
  private mutating func sweep(_ unit: Int) {
    let order = order
    let pivot = swept[unit * (order + 1)]
    isPresent[unit].toggle()
    let row = Array(swept[unit * order..<(unit + 1) * order])
    cblas_dger(
      CblasRowMajor, blasint(order), blasint(order), -1 / pivot, row, 1, row, 1, &swept,
      blasint(order))
    let sign = isPresent[unit] ? 1 / pivot : -1 / pivot
    for other in 0..<order where other != unit {
      swept[unit * order + other] = row[other] * sign
      swept[other * order + unit] = row[other] * sign
    }
    swept[unit * (order + 1)] = -1 / pivot
  }

  mutating func exchange(_ slot: Int) {
    BLAS.useCallingThread()
    sweep(units + slot)
    sweep(slot)
  }

  /// For each slot the error that its exchange leaves, of both networks' outputs in their shares, less the
  /// error that is there now.
  func errors(exchanging slots: [Int], share: Double) -> [Double] {
    BLAS.useCallingThread()
    let (order, count) = (order, slots.count)
    var result = [Double](repeating: 0, count: count)
    // Of each slot: what is explained once the new unit is there, and what is missed without the old one.
    var (gained, lost) = (
      [Double](repeating: 0, count: count * order), [Double](repeating: 0, count: count * order)
    )
    var (gain, loss) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
    for (place, slot) in slots.enumerated() {
      let (new, old) = (units + slot, slot)
      let pivot = swept[new * (order + 1)]
      let cross = swept[new * order + old]
      gain[place] = 1 / pivot
      loss[place] = 1 / (cross * cross / pivot - swept[old * (order + 1)])
      for other in 0..<order where !isPresent[other] {
        let residual = swept[new * order + other]
        gained[place * order + other] = residual
        lost[place * order + other] = swept[old * order + other] - residual * cross / pivot
      }
      lost[place * order + new] = 0
      lost[place * order + old] = 1
    }
    for (network, part) in [1 - share, share].enumerated() where part > 0 {
      for (vectors, factors, sign) in [(gained, gain, -1.0), (lost, loss, 1.0)] {
        let squares = quadraticForms(vectors, count: count, network: network)
        for place in 0..<count { result[place] += sign * part * factors[place] * squares[place] }
      }
    }
    return result
  }

  /// vᵀ M v of each vector, of which a network's half counts.
  private func quadraticForms(_ vectors: [Double], count: Int, network: Int) -> [Double] {
    let (order, units) = (order, units)
    var products = [Double](repeating: 0, count: count * units)
    vectors.withUnsafeBufferPointer { vectors in
      guard let base = vectors.baseAddress, units > 0 else { return }
      cblas_dgemm(
        CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(count), blasint(units), blasint(units),
        1, base + network * units, blasint(order), weights[network], blasint(units), 0, &products,
        blasint(units))
    }
    return (0..<count).map { place in
      (0..<units).reduce(0.0) {
        $0 + products[place * units + $1] * vectors[place * order + network * units + $1]
      }
    }
  }
}
