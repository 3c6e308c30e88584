// SPDX-License-Identifier: Apache-2.0
import LCWNumerics
import Testing

/// Larger problems: SciPy's cheapest costs (Tests/Reference/assignment_costs.py), proofs of those
/// that are random, and problems that take long.
@Suite struct AssignmentReferenceTests {
  /// Costs by a formula of integers, and what SciPy's cheapest assignment of them costs.
  struct Problem: Sendable {
    enum Formula: Sendable { case scattered, mixed }

    var formula: Formula
    var rows: Int
    var columns: Int
    var expected = 0.0

    var costs: Costs {
      Costs(rows, columns) { row, column in
        let sum = row * 7919 + column * 104_729
        switch formula {
        case .scattered: return Double(sum % 10_007)
        case .mixed:
          let other = sum + row * column * 31
          return Double(other * other % 1_000_003 - 500_000)
        }
      }
    }
  }

  private static let problems = [
    Problem(formula: .scattered, rows: 500, columns: 500, expected: 27_914),
    Problem(formula: .scattered, rows: 300, columns: 700, expected: 4413),
    Problem(formula: .scattered, rows: 700, columns: 300, expected: 2200),
    Problem(formula: .mixed, rows: 500, columns: 500, expected: -248_391_647),
    Problem(formula: .mixed, rows: 300, columns: 700, expected: -149_556_840),
    Problem(formula: .mixed, rows: 700, columns: 300, expected: -149_525_137),
  ]

  @Test(arguments: problems)
  func costOfSciPy(problem: Problem) throws {
    let costs = problem.costs
    for assignment in [try costs.solved(), try costs.solvedInSinglePrecision()] {
      #expect(assignment.cost == problem.expected)
      #expect(costs.fault(in: assignment) == nil)
    }
  }

  @Test(arguments: [[300, 300], [300, 500], [500, 300]])
  func proofOfRandomCosts(size: [Int]) throws {
    var random = RandomStream(seed: 11)
    let uniform = Costs(size[0], size[1]) { _, _ in Double(random.uniform()) }
    #expect(uniform.fault(in: try uniform.solved(), tolerance: 1e-13) == nil)
    #expect(uniform.fault(in: try uniform.solvedInSinglePrecision(), tolerance: 1e-13) == nil)
  }

  @Test(arguments: [[300, 300], [200, 400]])
  func proofOfDistances(size: [Int]) throws {
    let (a, b) = (normal([size[0], 64], seed: 1), normal([size[1], 64], seed: 2))
    let distances = a.squaredDistances(toRowsOf: b)
    let costs = Costs(size[0], size[1]) { Double(distances.elements[$0 * size[1] + $1]) }
    let assignment = try LinearSumAssignment.solve(distances)
    #expect(costs.fault(in: assignment, tolerance: 1e-10) == nil)
  }

  // Both precisions take the same steps where the costs are the same, and so does every run.
  @Test func sameCostsSameAssignment() throws {
    var random = RandomStream(seed: 3)
    let costs = Costs(200, 200) { _, _ in random.integer(in: 0...20) }
    let first = try costs.solved()
    #expect(try costs.solved() == first)
    #expect(try costs.solvedInSinglePrecision() == first)
  }

  @Test(arguments: [[150, 150], [100, 170]])
  func transposedCosts(size: [Int]) throws {
    let costs = Problem(formula: .mixed, rows: size[0], columns: size[1]).costs
    let (there, back) = (try costs.solved(), try costs.transposed.solved())
    #expect(there.cost == back.cost)
    // Costs this far apart have one cheapest assignment.
    #expect(there.columnOfRow == back.rowOfColumn)
    #expect(there.rowOfColumn == back.columnOfRow)
  }

  // Products of the indices (Machol and Wien) lead the searches through all rows.
  @Test func productsOfIndices() throws {
    let count = 400
    let costs = Costs(count, count) { Double(($0 + 1) * ($1 + 1)) }
    let clock = ContinuousClock()
    var assignment: Assignment?
    let duration = try clock.measure { assignment = try costs.solved() }
    // The cheapest pairs the largest with the smallest; it takes a twentieth of a second.
    #expect(try #require(assignment).columns == (0..<count).reversed())
    #expect(costs.fault(in: try #require(assignment)) == nil)
    #expect(duration < .seconds(5))
  }

  // Without an end to the reductions, ties and differences that rounding swallows would go on.
  @Test func differencesThatRoundingSwallows() throws {
    let count = 200
    var random = RandomStream(seed: 4)
    let costs = Costs(count, count) { _, _ in 1e16 + 2 * random.integer(in: 0...3) }
    let assignment = try costs.solved()
    #expect(costs.fault(in: assignment, tolerance: 64) == nil)
    #expect(assignment.cost / Double(count) < 1e16 + 2)
  }
}
