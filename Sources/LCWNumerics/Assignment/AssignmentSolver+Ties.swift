// SPDX-License-Identifier: Apache-2.0

/// Among cheapest assignments of a square matrix, one in which as many rows as can be have the column
/// of their own number.
///
/// The potentials tell which pairs a cheapest assignment can have: those whose reduced cost is their
/// row's smallest, the *tight* ones. Without ties these are the assigned pairs alone, and to see that
/// takes a look at the diagonal. Otherwise the rows that ties lead to are assigned anew among their
/// tight pairs, at a cost of 0 on the diagonal and 1 elsewhere.
extension AssignmentSolver {
  /// The rounding of reduced costs, as a share of what they are computed from.
  private static var rounding: Double { 0x1p-44 }

  /// Gives rows the column of their own number where the whole costs no more for it.
  mutating func keepPlaces() throws(AssignmentError) {
    let moved = (0..<rows).filter { columnOfRow[$0] != $0 && isTight($0, $0) }
    guard !moved.isEmpty else { return }
    let tied = rowsReached(from: moved)
    let choice = try mostKept(of: tied)
    for cycle in cycles(of: tied, choice) where !isDearer(cycle, choice) {
      for row in cycle {
        let column = choice[row] ?? columnOfRow[row]
        columnOfRow[row] = column
        rowOfColumn[column] = row
      }
    }
  }

  /// Whether a cheapest assignment can have a pair.
  private func isTight(_ row: Int, _ column: Int) -> Bool {
    let cost = Double(costs[row * columns + column])
    guard cost.isFinite else { return false }
    let least = reducedCost(row, columnOfRow[row])
    let excess = reducedCost(row, column) - least
    let slack = max(abs(cost), abs(least), abs(potentials[column])) * Self.rounding
    return excess <= slack
  }

  /// The rows that ways along tight pairs lead to, from a row to the one that has its column now,
  /// ascending. What changes places with one of the first rows is among them.
  private func rowsReached(from first: [Int]) -> [Int] {
    var isReached = [Bool](repeating: false, count: rows)
    for row in first { isReached[row] = true }
    var waiting = first
    while let row = waiting.popLast() {
      for column in 0..<columns {
        let owner = rowOfColumn[column]
        guard !isReached[owner], isTight(row, column) else { continue }
        isReached[owner] = true
        waiting.append(owner)
      }
    }
    return (0..<rows).filter { isReached[$0] }
  }

  /// The column of each of some rows, by tight pairs within the columns that they have now, so that the
  /// most have the column of their own number.
  private func mostKept(of tied: [Int]) throws(AssignmentError) -> [Int: Int] {
    let available = tied.map { columnOfRow[$0] }
    let count = tied.count
    var choices = [Float](repeating: .infinity, count: count * count)
    for (i, row) in tied.enumerated() {
      for (j, column) in available.enumerated() where isTight(row, column) {
        choices[i * count + j] = row == column ? 0 : 1
      }
    }
    var solver = AssignmentSolver<Float>(choices, rows: count, columns: count, side: .rows)
    let places = try solver.cheapest()
    return Dictionary(uniqueKeysWithValues: zip(tied, places.map { available[$0] }))
  }

  /// The cycles in which rows pass their columns on; rows that keep theirs are in none.
  private func cycles(of tied: [Int], _ choice: [Int: Int]) -> [[Int]] {
    var isDone = Set<Int>()
    var cycles: [[Int]] = []
    for first in tied where choice[first] != columnOfRow[first] && !isDone.contains(first) {
      var cycle: [Int] = []
      var row = first
      while isDone.insert(row).inserted {
        cycle.append(row)
        guard let column = choice[row] else { break }
        row = rowOfColumn[column]
      }
      cycles.append(cycle)
    }
    return cycles
  }

  /// Whether rows cost more by the columns chosen than by those they have: what is tight but for
  /// rounding may.
  private func isDearer(_ cycle: [Int], _ choice: [Int: Int]) -> Bool {
    let now = cycle.map { Double(costs[$0 * columns + columnOfRow[$0]]) }
    let then = cycle.map { Double(costs[$0 * columns + (choice[$0] ?? columnOfRow[$0])]) }
    // Equal costs in another order have equal sums, whatever their rounding.
    if now.sorted() == then.sorted() { return false }
    return compensatedSum(then + now.map { -$0 }) > 0
  }
}

/// The sum of numbers with the rounding of each addition made up for (Neumaier 1974).
private func compensatedSum(_ values: [Double]) -> Double {
  var (sum, lost) = (0.0, 0.0)
  for value in values {
    let next = sum + value
    lost += abs(sum) >= abs(value) ? (sum - next) + value : (value - next) + sum
    sum = next
  }
  return sum + lost
}
