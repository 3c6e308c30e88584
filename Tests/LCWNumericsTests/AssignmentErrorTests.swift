// SPDX-License-Identifier: Apache-2.0
import LCWNumerics
import Testing

@Suite struct AssignmentErrorTests {
  @Test(arguments: [[], [4], [2, 2, 1]])
  func noMatrix(size: [Int]) throws {
    let shape = Shape(size)
    #expect(throws: AssignmentError.notAMatrix(shape)) {
      try LinearSumAssignment.solve(Tensor(zeros: shape))
    }
    #expect(throws: AssignmentError.notAMatrix(shape)) {
      try LinearSumAssignment.solve([Double](repeating: 0, count: shape.count), shape: shape)
    }
  }

  @Test func anotherNumberOfCosts() {
    #expect(throws: AssignmentError.elementCount(shape: [2, 3], found: 5)) {
      try LinearSumAssignment.solve([1, 2, 3, 4, 5], shape: [2, 3])
    }
  }

  @Test func moreColumnsThanAreCounted() {
    let shape: Shape = [0, 1 << 31]
    #expect(throws: AssignmentError.tooLarge(shape)) {
      try LinearSumAssignment.solve([], shape: shape)
    }
  }

  // Rows of 70: an entry in the part that is read as vectors, and one behind it.
  @Test(arguments: [0, 33, 69], [Double.nan, -.infinity])
  func costsThatAreNone(column: Int, value: Double) throws {
    for (rows, columns, row) in [(3, 70, 2), (100, 70, 99)] {
      let costs = Costs(rows, columns) { $0 == row && $1 == column ? value : 1 }
      for solve in [costs.solved, costs.solvedInSinglePrecision] {
        let error = #expect(throws: AssignmentError.self) { try solve() }
        // NaN is not equal to itself, and neither are errors that hold it.
        guard case .notFinite(row, column, let found) = error else {
          Issue.record("found \(String(describing: error))")
          continue
        }
        #expect(found.isNaN == value.isNaN && (found == value || value.isNaN))
      }
    }
  }

  @Test func sumsThatWouldOverflow() throws {
    let error = #expect(throws: AssignmentError.self) {
      try Costs(2, 2) { _, _ in -1e308 }.solved()
    }
    guard case .overflow(let magnitude, let limit) = error else {
      Issue.record("found \(String(describing: error))")
      return
    }
    #expect(magnitude == 1e308)
    #expect(limit < magnitude)
    // In single precision nothing overflows.
    let largest = Double(Float.greatestFiniteMagnitude)
    let costs = Costs(3, 3) { ($0 + $1) % 2 == 0 ? largest : -largest }
    #expect(costs.fault(in: try costs.solvedInSinglePrecision()) == nil)
  }

  // Whatever the size, rows are named that have fewer columns between them than they are.
  @Test(arguments: [[3, 3], [40, 40], [40, 60], [60, 40]])
  func membersWithTooFewPartners(size: [Int]) throws {
    // Three of the smaller side are allowed two of the larger.
    let few = [1, size.min() == 3 ? 0 : 17, 2]
    let partners = [2, size.min() == 3 ? 0 : 30]
    let isTall = size[0] > size[1]
    let costs = Costs(size[0], size[1]) { row, column in
      let (member, partner) = isTall ? (column, row) : (row, column)
      return few.contains(member) && !partners.contains(partner)
        ? .infinity : Double((row * 7 + column * 5) % 11)
    }
    let error = #expect(throws: AssignmentError.self) { try costs.solved() }
    #expect(
      error
        == .infeasible(
          isTall ? .columns : .rows, members: few.sorted(), partners: partners.sorted()))
  }

  @Test func aRowAndAColumnWithoutAny() throws {
    #expect(throws: AssignmentError.infeasible(.rows, members: [1], partners: [])) {
      try Costs(3, 3) { row, _ in row == 1 ? .infinity : 0 }.solved()
    }
    #expect(throws: AssignmentError.infeasible(.rows, members: [0, 1, 2], partners: [0, 2])) {
      try Costs(3, 3) { _, column in column == 1 ? .infinity : 0 }.solved()
    }
  }

  @Test(arguments: [
    (
      AssignmentError.infeasible(.rows, members: [1], partners: []),
      "no assignment has a finite cost: 1 row (1) may have no columns"
    ),
    (
      .infeasible(.columns, members: Array(0..<20), partners: [3]),
      "no assignment has a finite cost: 20 columns (0, 1, 2, 3, 4, 5, 6, 7, …) may have only "
        + "1 row (3)"
    ),
    (
      .notFinite(row: 2, column: 5, value: .nan),
      "the cost at row 2, column 5 is nan: costs are finite, or +infinity where an assignment is "
        + "forbidden"
    ),
  ])
  func messages(error: AssignmentError, message: String) {
    #expect(error.description == message)
  }
}
