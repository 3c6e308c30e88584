// SPDX-License-Identifier: Apache-2.0
import COpenBLAS

/// A symmetric matrix of products, of which some rows and columns are swept (Goodnight, A Tutorial on the
/// SWEEP Operator, The American Statistician 33, 1979): the regression on any choice of features, one of
/// which is taken in or out at a time.
///
/// With the swept features P and the others Q, the blocks of A have become −A_PP⁻¹, A_PP⁻¹ A_PQ and
/// A_QQ − A_QP A_PP⁻¹ A_PQ, and the products with the targets the weights of P and what the prediction leaves of Q.
///
/// A sweep changes the whole matrix by a product of two vectors. These wait until a hundred of them are one
/// product of matrices: until then only the diagonal, the targets and the row that is asked for are brought up to
/// date.
struct SweptMatrix {
  let order: Int
  /// The matrix but for the products that wait.
  private var values: [Double]
  /// The diagonal as it is now.
  private(set) var diagonal: [Double]
  /// Targets, each a row of ``order`` values: as they are now.
  private(set) var targets: [[Double]]
  /// Which features are swept.
  private(set) var isSwept: [Bool]
  /// The vectors v of products that wait, to subtract v vᵀ / pivot.
  private var waiting: [Double] = []
  private var pivots: [Double] = []
  private let workers: Workers

  private static let most = 128

  /// - Parameters:
  ///   - matrix: The products of all features.
  ///   - targets: The products of the features with each target.
  ///   - workers: The threads.
  /// - Throws: `NumericsError.notPositiveDefinite` if the matrix is not finite.
  init(
    _ matrix: SymmetricMatrix, targets: [[Double]], workers: Workers
  ) throws(NumericsError) {
    order = matrix.order
    values = matrix.elements
    self.targets = targets
    self.workers = workers
    isSwept = [Bool](repeating: false, count: order)
    diagonal = (0..<matrix.order).map { matrix[$0, $0] }
    let order = matrix.order
    if let row = (0..<order).first(where: { row in
      !values[row * order..<(row + 1) * order].allSatisfy(\.isFinite)
    }) {
      throw .notPositiveDefinite(order: row + 1)
    }
  }

  /// How much the squared error grows or shrinks with a feature, of targets in some shares: if it is swept,
  /// how much it is missed without it, otherwise how much it helps.
  ///
  /// - Parameters:
  ///   - feature: The feature.
  ///   - targets: The mixed targets of ``mixed(_:)``.
  func effect(of feature: Int, on targets: [[Double]]) -> Double {
    let pivot = isSwept[feature] ? -diagonal[feature] : diagonal[feature]
    guard pivot > 0 else { return 0 }
    return targets.reduce(0) { $0 + $1[feature] * $1[feature] } / pivot
  }

  /// Targets of several sets, one set after the other, mixed in the shares of the sets.
  func mixed(_ shares: [Double]) -> [[Double]] {
    let outputs = targets.count / max(1, shares.count)
    return (0..<outputs).map { output in
      var sum = [Double](repeating: 0, count: order)
      for (set, share) in shares.enumerated() where share != 0 {
        let row = targets[set * outputs + output]
        for index in sum.indices { sum[index] += share * row[index] }
      }
      return sum
    }
  }

  /// Takes a feature in, or out if it is in. One that others determine to rounding stays where it is.
  mutating func sweep(_ feature: Int) {
    let pivot = diagonal[feature]
    guard isSwept[feature] ? pivot < 0 : pivot > 0 else { return }
    if pivots.count == SweptMatrix.most { settle() }
    var row = row(feature)
    for target in targets.indices {
      let factor = targets[target][feature] / pivot
      targets[target].withUnsafeMutableBufferPointer { target in
        for index in target.indices { target[index] -= factor * row[index] }
        target[feature] = factor * pivot / abs(pivot)
      }
    }
    diagonal.withUnsafeMutableBufferPointer { diagonal in
      for index in diagonal.indices { diagonal[index] -= row[index] * row[index] / pivot }
      diagonal[feature] = -1 / pivot
    }
    // The feature's own row and column are written as they are now: what waits no longer touches them.
    for place in pivots.indices { waiting[place * order + feature] = 0 }
    let order = order
    values.withUnsafeMutableBufferPointer { values in
      for index in 0..<order where index != feature {
        let value = row[index] / abs(pivot)
        values[feature * order + index] = value
        values[index * order + feature] = value
      }
    }
    row[feature] = 0
    waiting += row
    pivots.append(pivot)
    isSwept[feature].toggle()
  }

  /// A row as it is now, but for the diagonal.
  private func row(_ feature: Int) -> [Double] {
    var row = Array(values[feature * order..<(feature + 1) * order])
    let factors = pivots.indices.map { -waiting[$0 * order + feature] / pivots[$0] }
    guard !factors.isEmpty, order > 0 else { return row }
    BLAS.useCallingThread()
    cblas_dgemv(
      CblasRowMajor, CblasTrans, blasint(factors.count), blasint(order), 1, waiting,
      blasint(order), factors, 1, 1, &row, 1)
    return row
  }

  /// Subtracts what waits.
  private mutating func settle() {
    let (order, count) = (order, pivots.count)
    guard order > 0, count > 0 else { return }
    BLAS.useCallingThread()
    var scaled = waiting
    for (place, pivot) in pivots.enumerated() {
      for index in place * order..<(place + 1) * order { scaled[index] /= pivot }
    }
    values.withUnsafeMutableBufferPointer { values in
      waiting.withUnsafeBufferPointer { waiting in
        guard let values = values.baseAddress, let waiting = waiting.baseAddress else { return }
        workers.forEachRange(of: order, grain: 64) { rows in
          cblas_dgemm(
            CblasRowMajor, CblasTrans, CblasNoTrans, blasint(rows.count), blasint(order),
            blasint(count), -1, waiting + rows.lowerBound, blasint(order), scaled, blasint(order),
            1, values + rows.lowerBound * order, blasint(order))
        }
      }
    }
    waiting.removeAll(keepingCapacity: true)
    pivots.removeAll(keepingCapacity: true)
  }
}
