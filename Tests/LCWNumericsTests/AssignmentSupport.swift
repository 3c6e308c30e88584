// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// A matrix of costs in the type a solver is asked about.
struct Costs: CustomStringConvertible {
  var rows: Int
  var columns: Int
  var values: [Double]

  init(_ rows: Int, _ columns: Int, _ cost: (Int, Int) -> Double) {
    self.rows = rows
    self.columns = columns
    values = (0..<rows * columns).map { cost($0 / columns, $0 % columns) }
  }

  subscript(row: Int, column: Int) -> Double { values[row * columns + column] }

  var transposed: Costs { Costs(columns, rows) { self[$1, $0] } }

  var description: String { "\(rows) × \(columns): \(values.prefix(49))" }

  func solved() throws -> Assignment {
    try LinearSumAssignment.solve(values, shape: [rows, columns])
  }

  /// As ``solved()``, in single precision, which the values have to fit.
  func solvedInSinglePrecision() throws -> Assignment {
    try LinearSumAssignment.solve(Tensor(values.map(Float.init), shape: [rows, columns]))
  }

  /// The least cost over all assignments of the smaller side, by trying every one; infinity if all
  /// are forbidden.
  var leastCost: Double {
    rows <= columns ? leastCost(from: 0, taken: []) : transposed.leastCost
  }

  private func leastCost(from row: Int, taken: Set<Int>) -> Double {
    guard row < rows else { return 0 }
    return (0..<columns).filter { !taken.contains($0) }.reduce(.infinity) {
      min($0, self[row, $1] + leastCost(from: row + 1, taken: taken.union([$1])))
    }
  }

  /// What is wrong with an assignment or with the proof that none is cheaper; nothing if all is
  /// right, to a tolerance.
  func fault(in assignment: Assignment, tolerance: Double = 0) -> String? {
    let (u, v) = (assignment.rowPotentials, assignment.columnPotentials)
    guard assignment.columnOfRow.count == rows, assignment.rowOfColumn.count == columns,
      u.count == rows, v.count == columns
    else { return "the sizes differ" }
    var total = 0.0
    var assigned = 0
    for row in 0..<rows {
      guard let column = assignment.columnOfRow[row] else { continue }
      guard assignment.rowOfColumn[column] == row else { return "\(row) and \(column) disagree" }
      guard abs(self[row, column] - u[row] - v[column]) <= tolerance else {
        return "row \(row) is not tight"
      }
      total += self[row, column]
      assigned += 1
    }
    guard assigned == min(rows, columns),
      assignment.rowOfColumn.count(where: { $0 != nil }) == assigned
    else { return "\(assigned) rows are assigned" }
    for row in 0..<rows {
      for column in 0..<columns where !(self[row, column] - u[row] - v[column] >= -tolerance) {
        return "the reduced cost at \(row), \(column) is negative"
      }
    }
    let larger = rows <= columns ? zip(v, assignment.rowOfColumn) : zip(u, assignment.columnOfRow)
    if rows != columns, larger.contains(where: { $0 > 0 || ($1 == nil && $0 != 0) }) {
      return "potentials of the larger side are positive, or not zero without a partner"
    }
    let scale = tolerance * Double(max(1, rows + columns))
    guard abs(total - assignment.cost) <= scale else { return "the cost is not the sum" }
    guard abs((u + v).reduce(0, +) - total) <= scale else { return "there is a duality gap" }
    return nil
  }
}

extension RandomStream {
  /// An integer uniform on a range.
  mutating func integer(in range: ClosedRange<Int>) -> Double {
    Double(range.lowerBound + integer(below: range.count))
  }
}
