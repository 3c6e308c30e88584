// SPDX-License-Identifier: Apache-2.0

/// Covariances of the columns of rows that are added block by block; products of a block are in single
/// precision, their sums in double.
public struct CovarianceAccumulator: Sendable {
  private var gram: GramAccumulator
  private var sums: [Double]
  private var count = 0

  /// No rows yet.
  /// - Parameter order: The number of columns.
  public init(order: Int) {
    gram = GramAccumulator(order: order)
    sums = [Double](repeating: 0, count: order)
  }

  /// Adds rows, `[n, order]`.
  public mutating func add(_ rows: Tensor) {
    gram.add(rows)
    for row in 0..<rows.shape.rows {
      for (column, value) in rows.row(row).enumerated() { sums[column] += Double(value) }
    }
    count += rows.shape.rows
  }

  /// The covariances of what was added, about its means; there must be a row.
  public var covariance: SymmetricMatrix {
    precondition(count > 0, "there are no rows")
    var matrix = gram.matrix
    let squares = (0..<matrix.order).map { matrix[$0, $0] / Double(count) }
    let (order, scale) = (matrix.order, 1 / Double(count))
    matrix.modifyElements { values in
      for row in 0..<order {
        for column in 0..<order {
          values[row * order + column] =
            scale * (values[row * order + column] - scale * sums[row] * sums[column])
        }
      }
    }
    // What is left of a column that hardly varies is the rounding of its square.
    for column in 0..<order where matrix[column, column] <= 0x1p-20 * squares[column] {
      for other in 0..<order { matrix[column, other] = 0 }
    }
    return matrix
  }
}
