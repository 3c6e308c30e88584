// SPDX-License-Identifier: Apache-2.0

/// The linear sum assignment problem: partners for rows and columns, of the least sum of costs.
///
/// ```swift
/// let costs = networkA.squaredDistances(toRowsOf: networkB)
/// let assignment = try LinearSumAssignment.solve(costs)
/// ```
///
/// The method is that of R. Jonker and A. Volgenant, *A shortest augmenting path algorithm for dense
/// and sparse linear assignment problems*, Computing 38 (1987): reductions that assign most rows,
/// then a shortest augmenting path for each row that is left. It is exact: O(n³) operations at the
/// most, in double precision whatever the costs are kept in. Integer costs whose sums stay below
/// 2⁵³ are solved without rounding.
///
/// Every choice among equals follows a fixed rule, the lowest index at hand, and nothing but
/// differences, sums and comparisons is computed. So the same costs give the same assignment, on
/// every machine. Of several cheapest assignments of a square matrix it is one in which the most rows
/// have the column of their own number: equal rows or columns stay in the order they have. Which one
/// of these it is, or of a matrix that is not square, is not specified.
public enum LinearSumAssignment {
  /// A cheapest assignment of single-precision costs.
  ///
  /// - Parameter costs: `[rows, columns]`; +infinity where an assignment is forbidden.
  /// - Throws: ``AssignmentError``, if the costs are no matrix, one of them is NaN, −infinity or too
  ///   large, or every assignment is forbidden.
  public static func solve(_ costs: Tensor) throws(AssignmentError) -> Assignment {
    try solve(costs.elements, costs.shape)
  }

  /// A cheapest assignment of double-precision costs.
  ///
  /// - Parameters:
  ///   - costs: The costs, row by row; +infinity where an assignment is forbidden.
  ///   - shape: `[rows, columns]`.
  /// - Throws: ``AssignmentError``, if the costs do not fit the shape, it is no matrix's, a cost is
  ///   NaN, −infinity or too large, or every assignment is forbidden.
  public static func solve(
    _ costs: [Double], shape: Shape
  ) throws(AssignmentError) -> Assignment {
    try solve(costs, shape)
  }

  private static func solve<Cost: AssignmentCost>(
    _ costs: [Cost], _ shape: Shape
  ) throws(AssignmentError) -> Assignment {
    guard shape.rank == 2 else { throw .notAMatrix(shape) }
    guard costs.count == shape.count else {
      throw .elementCount(shape: shape, found: costs.count)
    }
    let (rows, columns) = (shape[0], shape[1])
    guard max(rows, columns) <= Int(Int32.max) else { throw .tooLarge(shape) }
    try check(costs, rows: rows, columns: columns)
    // The solver wants no more rows than columns.
    guard rows > columns else {
      var solver = AssignmentSolver(costs, rows: rows, columns: columns, side: .rows)
      return try solver.solution()
    }
    var solver = AssignmentSolver(
      transposed(costs, rows: rows, columns: columns), rows: columns, columns: rows, side: .columns)
    return try solver.solution().transposed
  }

  private static func check<Cost: AssignmentCost>(
    _ costs: [Cost], rows: Int, columns: Int
  ) throws(AssignmentError) {
    guard columns > 0 else { return }
    // Potentials are sums of at most two differences for each row and column, and keys of two such.
    let limit = Double.greatestFiniteMagnitude / Double(8 * (rows + columns))
    for row in 0..<rows {
      var refused = 0
      let largest = Cost.measure(costs, row, columns, &refused)
      if refused >= 0 {
        throw .notFinite(
          row: row, column: refused, value: Double(costs[row * columns + refused]))
      }
      if largest > limit { throw .overflow(magnitude: largest, limit: limit) }
    }
  }

  private static func transposed<Cost: AssignmentCost>(
    _ costs: [Cost], rows: Int, columns: Int
  ) -> [Cost] {
    let tile = 32
    var result = [Cost](repeating: 0, count: costs.count)
    for rowStart in stride(from: 0, to: rows, by: tile) {
      for columnStart in stride(from: 0, to: columns, by: tile) {
        for row in rowStart..<min(rowStart + tile, rows) {
          for column in columnStart..<min(columnStart + tile, columns) {
            result[column * rows + row] = costs[row * columns + column]
          }
        }
      }
    }
    return result
  }
}
