// SPDX-License-Identifier: Apache-2.0
import COpenBLAS

/// A tensor read as a matrix `[first size, all others]`, or a rectangle of it, as it stands or
/// transposed.
public struct MatrixOperand: Sendable {
  /// The values.
  public let tensor: Tensor
  /// Whether rows and columns change places.
  public let isTransposed: Bool
  /// The tensor's rows that are read.
  let rowRange: Range<Int>
  /// The tensor's columns that are read.
  let columnRange: Range<Int>

  init(_ tensor: Tensor, rows: Range<Int>?, columns: Range<Int>?, isTransposed: Bool) {
    self.tensor = tensor
    self.isTransposed = isTransposed
    rowRange = rows ?? 0..<tensor.shape.rows
    columnRange = columns ?? 0..<tensor.shape.rowCount
    precondition(
      rowRange.lowerBound >= 0 && rowRange.upperBound <= tensor.shape.rows
        && columnRange.lowerBound >= 0 && columnRange.upperBound <= tensor.shape.rowCount,
      "rows \(rowRange) and columns \(columnRange) are not in \(tensor.shape)")
  }

  /// The number of rows after transposition.
  public var rows: Int { isTransposed ? columnRange.count : rowRange.count }
  /// The number of columns after transposition.
  public var columns: Int { isTransposed ? rowRange.count : columnRange.count }
  /// The place of the first element that is read.
  var offset: Int { rowRange.lowerBound * tensor.shape.rowCount + columnRange.lowerBound }
}

extension Tensor {
  /// This tensor as a factor of a matrix product.
  public var matrix: MatrixOperand { matrix() }
  /// This tensor, transposed, as a factor of a matrix product; nothing is copied.
  public var transposed: MatrixOperand { transposed() }

  /// A rectangle of this tensor as a factor of a matrix product; nothing is copied.
  public func matrix(rows: Range<Int>? = nil, columns: Range<Int>? = nil) -> MatrixOperand {
    MatrixOperand(self, rows: rows, columns: columns, isTransposed: false)
  }

  /// A rectangle of this tensor, then transposed, as a factor of a matrix product; nothing is
  /// copied.
  public func transposed(rows: Range<Int>? = nil, columns: Range<Int>? = nil) -> MatrixOperand {
    MatrixOperand(self, rows: rows, columns: columns, isTransposed: true)
  }

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
  ///   - columns: The columns of this tensor that take the product, all by default; the others
  ///     keep their values.
  ///   - precision: How exact the product has to be.
  ///   - workers: The threads to divide the result among.
  public mutating func assignProduct(
    _ a: MatrixOperand, _ b: MatrixOperand, alpha: Float = 1, beta: Float = 0,
    columns: Range<Int>? = nil, precision: MatrixPrecision = .highest,
    workers: Workers = .serial
  ) {
    let leading = shape.rowCount
    let target = columns ?? 0..<leading
    let (m, n, k) = (shape.rows, target.count, a.columns)
    precondition(
      a.rows == m && b.columns == n && b.rows == k,
      "[\(a.rows), \(a.columns)] · [\(b.rows), \(b.columns)] is not [\(m), \(n)]")
    precondition(
      target.lowerBound >= 0 && target.upperBound <= leading,
      "columns \(target) are not in \(shape)")
    guard m > 0, n > 0 else { return }
    BLAS.useCallingThread()
    // A product too small to be worth a second thread stays on this one.
    let workers = m * n * k < 200_000 ? .serial : workers
    elements.withUnsafeMutableBufferPointer { c in
      a.tensor.elements.withUnsafeBufferPointer { a_ in
        b.tensor.elements.withUnsafeBufferPointer { b_ in
          guard let c = c.baseAddress else { return }
          let product = MatrixKernel(
            a: a_.baseAddress.map { $0 + a.offset }, b: b_.baseAddress.map { $0 + b.offset },
            c: c + target.lowerBound,
            leadingA: a.tensor.shape.rowCount, leadingB: b.tensor.shape.rowCount,
            leadingC: leading,
            transposedA: a.isTransposed, transposedB: b.isTransposed, inner: k,
            alpha: alpha, beta: beta, precision: precision)
          // For all pieces alike: else the bits would depend on the number of workers.
          let unit = product.unit(rows: m, columns: n)
          if m >= n {
            workers.forEachRange(of: m, grain: 16) {
              product.run(rows: $0, columns: 0..<n, on: unit)
            }
          } else {
            workers.forEachRange(of: n, grain: 16) {
              product.run(rows: 0..<m, columns: $0, on: unit)
            }
          }
        }
      }
    }
  }
}
