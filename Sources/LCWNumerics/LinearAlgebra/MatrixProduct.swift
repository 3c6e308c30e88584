// SPDX-License-Identifier: Apache-2.0
import COpenBLAS

/// A tensor read as a matrix `[first size, all others]`, as it stands or transposed.
public struct MatrixOperand: Sendable {
  /// The values.
  public let tensor: Tensor
  /// Whether rows and columns change places.
  public let isTransposed: Bool

  /// The number of rows after transposition.
  public var rows: Int { isTransposed ? tensor.shape.rowCount : tensor.shape.rows }
  /// The number of columns after transposition.
  public var columns: Int { isTransposed ? tensor.shape.rows : tensor.shape.rowCount }
}

extension Tensor {
  /// This tensor as a factor of a matrix product.
  public var matrix: MatrixOperand { MatrixOperand(tensor: self, isTransposed: false) }
  /// This tensor, transposed, as a factor of a matrix product; nothing is copied.
  public var transposed: MatrixOperand { MatrixOperand(tensor: self, isTransposed: true) }

  /// self ← α · a · b + β · self, the product of BLAS's `sgemm`.
  ///
  /// With β = 0 the previous values are not read. The rows or the columns of the result, whichever
  /// are more, are divided among the workers; every element is one sum over the inner dimension.
  ///
  /// - Parameters:
  ///   - a: The left factor, `[m, k]`.
  ///   - b: The right factor, `[k, n]`.
  ///   - alpha: The factor α.
  ///   - beta: The factor β.
  ///   - workers: The threads to divide the result among.
  public mutating func assignProduct(
    _ a: MatrixOperand, _ b: MatrixOperand, alpha: Float = 1, beta: Float = 0,
    workers: Workers = .serial
  ) {
    let (m, n, k) = (shape.rows, shape.rowCount, a.columns)
    precondition(
      a.rows == m && b.columns == n && b.rows == k,
      "[\(a.rows), \(a.columns)] · [\(b.rows), \(b.columns)] is not \(shape)")
    guard m > 0, n > 0 else { return }
    BLAS.useCallingThread()
    // A product too small to be worth a second thread stays on this one.
    let workers = m * n * k < 200_000 ? .serial : workers
    elements.withUnsafeMutableBufferPointer { c in
      a.tensor.elements.withUnsafeBufferPointer { a_ in
        b.tensor.elements.withUnsafeBufferPointer { b_ in
          guard let c = c.baseAddress else { return }
          let product = BLAS.Product(
            a: a_.baseAddress, b: b_.baseAddress, c: c,
            leadingA: a.tensor.shape.rowCount, leadingB: b.tensor.shape.rowCount, leadingC: n,
            transposedA: a.isTransposed, transposedB: b.isTransposed, inner: k,
            alpha: alpha, beta: beta)
          if m >= n {
            workers.forEachRange(of: m, grain: 16) { product.run(rows: $0, columns: 0..<n) }
          } else {
            workers.forEachRange(of: n, grain: 16) { product.run(rows: 0..<m, columns: $0) }
          }
        }
      }
    }
  }
}
