// SPDX-License-Identifier: Apache-2.0
import LCWNumerics
import Testing

@Suite struct AssignmentTests {
  private static let sizes = [
    [1, 1], [2, 2], [3, 3], [4, 4], [5, 5], [6, 6], [7, 7], [1, 6], [6, 1], [2, 7], [7, 2], [4, 7],
    [7, 4], [6, 7], [7, 6], [3, 40], [40, 3],
  ]

  private func check(_ costs: Costs, tolerance: Double = 0) throws {
    let least = costs.leastCost
    for assignment in [try costs.solved(), try costs.solvedInSinglePrecision()] {
      #expect(abs(assignment.cost - least) <= tolerance * 20, "\(costs)")
      let fault = costs.fault(in: assignment, tolerance: tolerance)
      #expect(fault == nil, "\(costs)")
    }
  }

  // Few values make many ties; integers make every comparison exact.
  @Test(arguments: sizes, [0...1, 0...3, -4...4, -1000...1000])
  func integersAgainstEveryAssignment(size: [Int], range: ClosedRange<Int>) throws {
    for seed in 0..<(size[0] * size[1] > 36 ? 8 : 40) {
      var random = RandomStream(seed: UInt64(seed))
      try check(Costs(size[0], size[1]) { _, _ in random.integer(in: range) })
    }
  }

  @Test(arguments: sizes, [1, 1e-30, 1e30])
  func realsAgainstEveryAssignment(size: [Int], scale: Double) throws {
    for seed in 0..<(size[0] * size[1] > 36 ? 8 : 40) {
      var random = RandomStream(seed: UInt64(seed))
      let costs = Costs(size[0], size[1]) { _, _ in
        Double(Float(scale) * (2 * random.uniform() - 1))
      }
      try check(costs, tolerance: scale * 1e-14)
    }
  }

  @Test(arguments: sizes)
  func magnitudesFarApart(size: [Int]) throws {
    for seed in 0..<8 {
      var random = RandomStream(seed: UInt64(seed))
      let costs = Costs(size[0], size[1]) { _, _ in
        (random.uniform() < 0.5 ? 1 : -1) * [0, 0x1p-20, 1, 0x1p20][random.integer(below: 4)]
      }
      try check(costs)
    }
  }

  @Test func costsAtTheEndsOfDoublePrecision() throws {
    for scale in [0x1p-1074, 0x1p-1000, 0x1p1000] {
      var random = RandomStream(seed: 5)
      let costs = Costs(6, 6) { _, _ in scale * random.integer(in: 0...50) }
      let assignment = try costs.solved()
      #expect(assignment.cost == costs.leastCost)
      #expect(costs.fault(in: assignment) == nil)
    }
  }

  @Test(arguments: sizes, [0.2, 0.6])
  func forbiddenAssignments(size: [Int], share: Float) throws {
    var feasible = 0
    for seed in 0..<(size[0] * size[1] > 36 ? 8 : 40) {
      var random = RandomStream(seed: UInt64(seed))
      let costs = Costs(size[0], size[1]) { _, _ in
        random.uniform() < share ? .infinity : random.integer(in: -5...5)
      }
      guard costs.leastCost.isFinite else {
        #expect(throws: AssignmentError.self) { try costs.solved() }
        continue
      }
      feasible += 1
      try check(costs)
    }
    // Of 1 × 1 at this share some are allowed, and so of all.
    #expect(feasible > 0)
  }

  // More columns than a list of candidates holds, of which few are allowed.
  @Test(arguments: [30, 100])
  func fewAllowedPairs(count: Int) throws {
    var random = RandomStream(seed: 8)
    let hidden = random.permutation(of: count)
    let costs = Costs(count, count) { row, column in
      hidden[row] == column || random.integer(below: count) < 3
        ? random.integer(in: 0...100) : .infinity
    }
    let assignment = try costs.solved()
    #expect(costs.fault(in: assignment) == nil)
    #expect(costs.fault(in: try costs.solvedInSinglePrecision()) == nil)
    let only = Costs(count, count) { $1 == hidden[$0] ? 1 : .infinity }
    #expect(try only.solved().columns == hidden)
  }

  @Test(arguments: [[0, 0], [0, 5], [5, 0]])
  func nothingToAssign(size: [Int]) throws {
    let assignment = try Costs(size[0], size[1]) { _, _ in 0 }.solved()
    #expect(assignment.cost == 0)
    #expect(assignment.columnOfRow == [Int?](repeating: nil, count: size[0]))
    #expect(assignment.rowOfColumn == [Int?](repeating: nil, count: size[1]))
    #expect(assignment.columns == (size[0] == 0 ? [] : nil))
  }

  @Test(arguments: [[50, 50], [50, 80], [80, 50]])
  func identicalRows(size: [Int]) throws {
    for costs in [
      Costs(size[0], size[1]) { _, _ in 0 }, Costs(size[0], size[1]) { Double($1 % 7) },
      Costs(size[0], size[1]) { row, _ in Double(row % 7) },
    ] {
      #expect(costs.fault(in: try costs.solved()) == nil)
    }
  }

  @Test func columnsOnlyWhereEveryRowHasOne() throws {
    let wide = try Costs(2, 3) { $0 == $1 ? 0 : 1 }.solved()
    #expect(wide.columns == [0, 1])
    #expect(wide.rowOfColumn == [0, 1, nil])
    let tall = try Costs(3, 2) { $0 == $1 ? 0 : 1 }.solved()
    #expect(tall.columns == nil)
    #expect(tall.columnOfRow == [0, 1, nil])
  }
}
