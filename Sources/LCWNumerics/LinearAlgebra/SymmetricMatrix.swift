// SPDX-License-Identifier: Apache-2.0
import COpenBLAS

/// A symmetric matrix in double precision, for Gram matrices and covariances.
///
/// Both triangles are stored, row by row, `[order, order]`; they are always equal.
public struct SymmetricMatrix: Sendable, Hashable {
  /// The number of rows and of columns.
  public let order: Int
  /// The values, row by row.
  public private(set) var elements: [Double]

  /// A matrix from its upper triangle; what stands below the diagonal is not read.
  /// - Parameter elements: `order` · `order` values, row by row.
  init(upperTriangle elements: [Double], order: Int) {
    precondition(elements.count == order * order, "the values are not those of a square")
    self.order = order
    self.elements = elements
    mirror()
  }

  /// Lets `body` change all values; it must keep the matrix symmetric.
  mutating func modifyElements(_ body: (UnsafeMutableBufferPointer<Double>) -> Void) {
    elements.withUnsafeMutableBufferPointer { body($0) }
  }

  /// Adds the same number to each element of the diagonal.
  public mutating func addToDiagonal(_ value: Double) {
    for index in 0..<order { elements[index * (order + 1)] += value }
  }

  /// The sum of the diagonal.
  public var trace: Double { (0..<order).reduce(0) { $0 + elements[$1 * (order + 1)] } }

  /// A matrix of zeros.
  public init(order: Int) {
    self.order = order
    self.elements = [Double](repeating: 0, count: order * order)
  }

  /// The value at a row and a column.
  public subscript(row: Int, column: Int) -> Double {
    get { elements[min(row, column) * order + max(row, column)] }
    set {
      elements[row * order + column] = newValue
      elements[column * order + row] = newValue
    }
  }

  /// Adds XᵀX, the Gram matrix of the columns of `rows`, `[samples, order]`.
  ///
  /// The samples are taken in double precision, a few hundred at a time.
  public mutating func addGram(of rows: Tensor, workers: Workers = .serial) {
    precondition(rows.shape.rowCount == order, "\(rows.shape) has not \(order) columns")
    BLAS.useCallingThread()
    let block = 256
    var start = 0
    while start < rows.shape.rows {
      let count = min(block, rows.shape.rows - start)
      let samples = rows.elements[start * order..<(start + count) * order].map(Double.init)
      addGram(ofBlock: samples, count: count, workers: workers)
      start += count
    }
    mirror()
  }

  /// The means of the columns of rows, and their covariances, in double precision.
  ///
  /// - Parameters:
  ///   - parts: The rows, `[n, d]` each with the same d and one row or more altogether.
  ///   - columns: d.
  ///   - workers: The threads.
  public static func covariance(
    of parts: some Sequence<Tensor>, columns: Int, workers: Workers
  ) -> (mean: [Double], covariance: SymmetricMatrix) {
    var gram = SymmetricMatrix(order: columns)
    var sums = [Double](repeating: 0, count: columns)
    var count = 0
    for rows in parts {
      for row in 0..<rows.shape.rows {
        for (index, value) in rows.row(row).enumerated() { sums[index] += Double(value) }
      }
      gram.addGram(of: rows, workers: workers)
      count += rows.shape.rows
    }
    precondition(count > 0, "there are no rows")
    let mean = sums.map { $0 / Double(count) }
    gram.modifyElements { values in
      for row in 0..<columns {
        for column in 0..<columns {
          let place = row * columns + column
          values[place] = values[place] / Double(count) - mean[row] * mean[column]
        }
      }
    }
    return (mean, gram)
  }

  private mutating func addGram(ofBlock samples: [Double], count: Int, workers: Workers) {
    let order = order
    elements.withUnsafeMutableBufferPointer { c in
      guard let c = c.baseAddress else { return }
      samples.withUnsafeBufferPointer { x in
        guard let x = x.baseAddress else { return }
        // Row blocks of the upper triangle, each from its diagonal to the right edge.
        let height = 128
        workers.forEachUnchecked((order + height - 1) / height) { block in
          let first = block * height
          let rows = min(height, order - first)
          cblas_dgemm(
            CblasRowMajor, CblasTrans, CblasNoTrans,
            blasint(rows), blasint(order - first), blasint(count),
            1, x + first, blasint(order), x + first, blasint(order),
            1, c + first * order + first, blasint(order))
        }
      }
    }
  }

  private mutating func mirror() {
    let (order, tile) = (order, 64)
    elements.withUnsafeMutableBufferPointer { values in
      // Tile by tile, since columns of a large matrix lie far apart.
      for top in stride(from: 0, to: order, by: tile) {
        for left in stride(from: 0, through: top, by: tile) {
          for row in top..<min(top + tile, order) {
            for column in left..<min(left + tile, row) {
              values[row * order + column] = values[column * order + row]
            }
          }
        }
      }
    }
  }

  /// The largest order whose eigenvectors LAPACK can find: of the next one the size of its work space,
  /// 1 + 6n + 2n², is beyond its integers of 32 bits, which it does not notice.
  public static let largestDecomposed = 32_766

  /// The eigenvalues, ascending, and the eigenvectors, the k-th in row k, by LAPACK's `dsyevd`.
  /// - Throws: `NumericsError.eigenvaluesDidNotConverge` if the matrix is not finite, or
  ///   `NumericsError.tooLarge` beyond ``largestDecomposed``.
  public func eigendecomposition() throws(NumericsError) -> (
    values: [Double], vectors: [[Double]]
  ) {
    guard order <= Self.largestDecomposed else {
      throw .tooLarge(order: order, limit: Self.largestDecomposed)
    }
    guard elements.allSatisfy(\.isFinite) else {
      throw .eigenvaluesDidNotConverge(size: order)
    }
    guard order > 0 else { return ([], []) }
    BLAS.useCallingThread()
    var vectors = elements
    var values = [Double](repeating: 0, count: order)
    var n = Int32(order)
    var info: Int32 = 0
    var (workSize, integerSize): (Int32, Int32) = (-1, -1)
    var (workQuery, integerQuery): (Double, Int32) = (0, 0)
    // The first call asks how much room the second needs.
    var leading = n
    dsyevd_(
      "V", "U", &n, &vectors, &leading, &values, &workQuery, &workSize, &integerQuery,
      &integerSize, &info, 1, 1)
    (workSize, integerSize) = (Int32(workQuery), integerQuery)
    var work = [Double](repeating: 0, count: Int(workSize))
    var integers = [Int32](repeating: 0, count: Int(integerSize))
    dsyevd_(
      "V", "U", &n, &vectors, &leading, &values, &work, &workSize, &integers, &integerSize,
      &info, 1, 1)
    guard info == 0 else { throw .eigenvaluesDidNotConverge(size: order) }
    return (values, (0..<order).map { Array(vectors[$0 * order..<($0 + 1) * order]) })
  }

  /// The solution X of self · X = right, for a positive definite matrix, by Cholesky.
  ///
  /// - Parameter right: The columns of the right-hand side, each of `order` values.
  /// - Returns: The columns of the solution.
  /// - Throws: `NumericsError.notPositiveDefinite` with the leading minor that fails, which it does
  ///   too where it is not finite.
  public func solution(of right: [[Double]]) throws(NumericsError) -> [[Double]] {
    precondition(right.allSatisfy { $0.count == order }, "a column is not of length \(order)")
    guard order > 0, !right.isEmpty else { return right }
    let factor = try CholeskyFactor(of: self)
    var columns = right.flatMap(\.self)
    factor.solve(&columns)
    return right.indices.map { Array(columns[$0 * order..<($0 + 1) * order]) }
  }
}
