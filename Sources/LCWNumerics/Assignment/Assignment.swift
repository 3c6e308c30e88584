// SPDX-License-Identifier: Apache-2.0

/// A cheapest assignment of the rows of a matrix of costs to its columns, with the proof.
///
/// Each member of the smaller side has a partner, and no two have the same. The potentials u of the
/// rows and v of the columns prove that nothing is cheaper: cost[i, j] − uᵢ − vⱼ is nowhere
/// negative and zero where i is assigned to j, potentials of the larger side are at most zero, and
/// zero without a partner. Then every assignment costs at least Σu + Σv, and this one does not
/// cost more. All of it holds to the rounding of double precision.
public struct Assignment: Sendable, Hashable {
  /// The column of each row, or `nil` if the row has none, which only more rows than columns cause.
  public let columnOfRow: [Int?]
  /// The row of each column, or `nil` if the column has none.
  public let rowOfColumn: [Int?]
  /// The sum of the assigned costs.
  public let cost: Double
  /// The potentials u of the rows.
  public let rowPotentials: [Double]
  /// The potentials v of the columns.
  public let columnPotentials: [Double]

  /// The column of each row, if every row has one: a permutation where the matrix is square.
  public var columns: [Int]? {
    let columns = columnOfRow.compactMap(\.self)
    return columns.count == columnOfRow.count ? columns : nil
  }

  /// The assignment of the transposed costs.
  var transposed: Assignment {
    Assignment(
      columnOfRow: rowOfColumn, rowOfColumn: columnOfRow, cost: cost,
      rowPotentials: columnPotentials, columnPotentials: rowPotentials)
  }
}
