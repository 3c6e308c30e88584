// SPDX-License-Identifier: Apache-2.0
import LCWNumerics
import Testing

/// Among cheapest assignments, one that leaves the most rows where they are.
@Suite struct AssignmentTieTests {
  /// The most rows with the column of their own number in any cheapest assignment, by trying all.
  private func mostKept(_ costs: Costs) -> Int {
    let least = costs.leastCost
    func most(from row: Int, taken: Set<Int>, cost: Double, kept: Int) -> Int {
      guard row < costs.rows else { return cost == least ? kept : -1 }
      return (0..<costs.columns).filter { !taken.contains($0) }.reduce(-1) { best, column in
        max(
          best,
          most(
            from: row + 1, taken: taken.union([column]), cost: cost + costs[row, column],
            kept: kept + (row == column ? 1 : 0)))
      }
    }
    return most(from: 0, taken: [], cost: 0, kept: 0)
  }

  private func kept(_ assignment: Assignment) -> Int {
    assignment.columnOfRow.enumerated().count { $0.offset == $0.element }
  }

  // Few values make many ties; integers make every comparison exact.
  @Test(arguments: 1...6, [0...1, 0...2, -3...3])
  func `as many rows as can be keep their place`(size: Int, range: ClosedRange<Int>) throws {
    for seed in 0..<(size > 5 ? 15 : 40) {
      var random = RandomStream(seed: UInt64(seed))
      let costs = Costs(size, size) { _, _ in random.integer(in: range) }
      let most = mostKept(costs)
      for assignment in [try costs.solved(), try costs.solvedInSinglePrecision()] {
        #expect(assignment.cost == costs.leastCost, "\(costs)")
        #expect(costs.fault(in: assignment) == nil, "\(costs)")
        #expect(kept(assignment) == most, "\(costs)")
      }
    }
  }

  @Test(arguments: [1, 7, 300])
  func `where all cost the same nothing moves`(size: Int) throws {
    for cost in [0, 3.7, -1e30] {
      let costs = Costs(size, size) { _, _ in cost }
      #expect(try costs.solved().columns == Array(0..<size))
    }
  }

  @Test func `equal columns and equal rows of reals stay`() throws {
    for seed in 0..<20 {
      var random = RandomStream(seed: UInt64(seed))
      let count = 40
      let places = (0..<count).map { _ in random.integer(below: 12) }
      let near = Costs(12, 12) { _, _ in Double(random.uniform()) }
      // Rows and columns of one place are equal, and cheapest with themselves.
      let costs = Costs(count, count) { row, column in
        places[row] == places[column] ? 0 : 1 + near[places[row], places[column]]
      }
      #expect(try costs.solved().columns == Array(0..<count))
    }
  }

  @Test func `what is cheaper by however little moves`() throws {
    var random = RandomStream(seed: 4)
    let least = 1 - 0x1p-50
    let costs = Costs(30, 30) { row, column in
      if row / 2 == column / 2 { return row == column ? 1 : least }
      return 2 + Double(random.uniform())
    }
    #expect(try costs.solved().columns == (0..<30).map { $0 ^ 1 })
  }

  @Test func `forbidden pairs are not taken for a place`() throws {
    let costs = Costs(4, 4) { $0 == $1 && $0 < 2 ? .infinity : 0 }
    let columns = try #require(try costs.solved().columns)
    #expect(columns == [1, 0, 2, 3])
  }
}
