// SPDX-License-Identifier: Apache-2.0
import COpenBLAS

/// Householder reflections of the first columns of rows, one after the other: an orthogonal map of
/// `[n, width]` that costs 4 · `count` · `width` operations a row, however wide the rows are (Golub
/// and Van Loan 2013, "Matrix Computations", 5.1).
///
/// Whatever the vectors are, as long as none is zero, the map is orthogonal but for rounding.
public struct Reflections: Sendable, Hashable {
  /// The vector v of each reflection x ← x − 2 (x · v / v · v) v, in the order in which they act,
  /// `[count, width]`.
  public let vectors: Tensor
  // Of unit vectors, x behind all reflections is x − (x · leftᵀ) · units.
  private let left: Tensor
  private let units: Tensor

  /// The number of reflections.
  public var count: Int { vectors.shape.rows }
  /// The number of columns that they mix.
  public var width: Int { vectors.shape.rowCount }

  /// Reflections along vectors, `[count, width]`, of which none is zero.
  public init(vectors: Tensor) {
    self.vectors = vectors
    let (count, width) = (vectors.shape.rows, vectors.shape.rowCount)
    var units = vectors
    for k in 0..<count {
      let norm = vectors.row(k).reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
      precondition(norm > 0 && norm.isFinite, "vector \(k) is zero or not finite")
      for place in k * width..<(k + 1) * width {
        units.elements[place] = Float(Double(vectors.elements[place]) / norm)
      }
    }
    self.units = units
    // The triangle T of the compact form I − VᵀTV, column by column.
    let products = units.doubleProducts
    var triangle = [Double](repeating: 0, count: count * count)
    for k in 0..<count {
      let scale = 2 / products[k * count + k]
      for row in 0..<k {
        var sum = 0.0
        for inner in row..<k {
          sum += triangle[row * count + inner] * products[k * count + inner]
        }
        triangle[row * count + k] = -scale * sum
      }
      triangle[k * count + k] = scale
    }
    var left = Tensor(unspecified: [count, width])
    left.assignProduct(
      Tensor(triangle.map { Float($0) }).reshaped([count, count]).transposed, units.matrix)
    self.left = left
  }

  /// The reflections that turn orthonormal axes, the rows of `[count, width]`, into the first
  /// coordinates, but for signs, by LAPACK's `dgeqrf`.
  ///
  /// The other coordinates become some orthonormal basis of what is orthogonal to the axes.
  /// - Throws: `NumericsError.notFactored` if LAPACK refuses the axes.
  public init(turning axes: Tensor) throws(NumericsError) {
    let (count, width) = (axes.shape.rows, axes.shape.rowCount)
    precondition(count <= width, "\(count) axes of \(width) coordinates")
    BLAS.useCallingThread()
    // Row by row is column by column of the transposed matrix, as LAPACK wants it.
    var matrix = axes.elements.map(Double.init)
    var factors = [Double](repeating: 0, count: max(1, count))
    var (rows, columns, info) = (Int32(width), Int32(count), Int32(0))
    var (workSize, workQuery): (Int32, Double) = (-1, 0)
    var leading = max(1, rows)
    dgeqrf_(&rows, &columns, &matrix, &leading, &factors, &workQuery, &workSize, &info)
    workSize = max(1, Int32(workQuery))
    var work = [Double](repeating: 0, count: Int(workSize))
    dgeqrf_(&rows, &columns, &matrix, &leading, &factors, &work, &workSize, &info)
    guard info == 0 else { throw .notFactored(rows: width, columns: count) }
    var vectors = [Float](repeating: 0, count: count * width)
    for k in 0..<count {
      vectors[k * width + k] = 1
      for column in k + 1..<max(k + 1, width) {
        vectors[k * width + column] = Float(matrix[k * width + column])
      }
    }
    self.init(vectors: Tensor(vectors).reshaped([count, width]))
  }

  /// All reflections of rows' first ``width`` columns.
  public func apply(to rows: inout Tensor) { subtract(from: &rows, left, units) }

  /// The way back, which is the transpose too: all reflections in the opposite order.
  public func applyInverse(to rows: inout Tensor) { subtract(from: &rows, units, left) }

  private func subtract(from rows: inout Tensor, _ inner: Tensor, _ outer: Tensor) {
    precondition(rows.shape.rowCount >= width, "\(rows.shape) has not \(width) columns")
    guard count > 0 else { return }
    var shares = Tensor(unspecified: [rows.shape.rows, count])
    shares.assignProduct(rows.matrix(columns: 0..<width), inner.transposed)
    rows.assignProduct(
      shares.matrix, outer.matrix, alpha: -1, beta: 1, columns: 0..<width)
  }
}

extension Tensor {
  /// The products of all rows with one another, in double precision.
  fileprivate var doubleProducts: [Double] {
    let (rows, width) = (shape.rows, shape.rowCount)
    let values = elements.map(Double.init)
    var products = [Double](repeating: 0, count: rows * rows)
    guard rows > 0, width > 0 else { return products }
    BLAS.useCallingThread()
    products.withUnsafeMutableBufferPointer { c in
      values.withUnsafeBufferPointer { x in
        guard let c = c.baseAddress, let x = x.baseAddress else { return }
        cblas_dgemm(
          CblasRowMajor, CblasNoTrans, CblasTrans, blasint(rows), blasint(rows), blasint(width),
          1, x, blasint(width), x, blasint(width), 0, c, blasint(rows))
      }
    }
    return products
  }
}
