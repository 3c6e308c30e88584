// SPDX-License-Identifier: Apache-2.0
import COpenBLAS

/// The Cholesky factor L of a positive definite matrix L Lᵀ, with which systems are solved.
public struct CholeskyFactor: Sendable {
  /// The number of rows and of columns.
  public let order: Int
  private let elements: [Double]

  /// The factor of a matrix, by LAPACK's `dpotrf`.
  /// - Throws: `NumericsError.notPositiveDefinite` with the leading minor that fails, which it does
  ///   too where it is not finite.
  public init(of matrix: SymmetricMatrix) throws(NumericsError) {
    BLAS.useCallingThread()
    var factor = matrix.elements
    var n = Int32(matrix.order)
    var leading = max(1, n)
    var info: Int32 = 0
    // LAPACK counts by columns: its lower triangle is the upper one here.
    if matrix.order > 0 { dpotrf_("L", &n, &factor, &leading, &info, 1) }
    guard info == 0 else { throw .notPositiveDefinite(order: Int(info)) }
    // The factorisation compares pivots with 0 and so lets NaN pass.
    let order = matrix.order
    if let row = (0..<order).first(where: { !factor[$0 * (order + 1)].isFinite }) {
      throw .notPositiveDefinite(order: row + 1)
    }
    self.order = order
    elements = factor
  }

  /// The factor of a matrix of products, with as much on its diagonal as makes it positive definite.
  ///
  /// Of features that hardly vary, products are rounding once means are taken out, and may be negative.
  /// - Throws: `NumericsError.notPositiveDefinite` if the matrix is not finite.
  init(liftingAsNeeded matrix: SymmetricMatrix) throws(NumericsError) {
    var matrix = matrix
    var lift = 1e-6 * (0..<matrix.order).reduce(0) { max($0, abs(matrix[$1, $1])) }
    for _ in 0..<8 {
      if let factor = try? CholeskyFactor(of: matrix) {
        self = factor
        return
      }
      guard lift.isFinite, lift > 0 else { break }
      matrix.addToDiagonal(lift)
      lift *= 8
    }
    self = try CholeskyFactor(of: matrix)
  }

  /// The smallest of the squared pivots, divided by the largest: about the reciprocal of the
  /// condition number where the matrix is nearly singular, and never far below it.
  public var pivotRatio: Double {
    let pivots = (0..<order).map { elements[$0 * (order + 1)] }
    guard let smallest = pivots.min(), let largest = pivots.max(), largest > 0 else { return 1 }
    return (smallest / largest) * (smallest / largest)
  }

  /// Replaces right-hand sides by the solutions.
  ///
  /// - Parameters:
  ///   - columns: The right-hand sides, one after the other, each of ``order`` values.
  ///   - workers: The threads to divide them among.
  public func solve(_ columns: inout [Double], workers: Workers = .serial) {
    guard order > 0 else { return }
    precondition(columns.count % order == 0, "a right-hand side is not of length \(order)")
    BLAS.useCallingThread()
    let (order, count) = (order, columns.count / order)
    elements.withUnsafeBufferPointer { factor in
      columns.withUnsafeMutableBufferPointer { columns in
        guard let factor = factor.baseAddress, let columns = columns.baseAddress else { return }
        workers.forEachRange(of: count, grain: 8) { range in
          var (n, leading, leadingRight) = (Int32(order), Int32(order), Int32(order))
          var right = Int32(range.count)
          var info: Int32 = 0
          dpotrs_(
            "L", &n, &right, factor, &leading, columns + range.lowerBound * order, &leadingRight,
            &info, 1)
        }
      }
    }
  }
}
