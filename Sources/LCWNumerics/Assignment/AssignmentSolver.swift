// SPDX-License-Identifier: Apache-2.0
import CKernels

/// The search for a cheapest assignment of every row, where there are no more rows than columns.
///
/// At any time the potentials v of the columns and the assignment belong together: an assigned
/// column is one of the smallest reduced cost cost[i, j] − vⱼ in its row. In rectangular problems v
/// is zero until a column is assigned, and a column keeps being assigned once it is. v only sinks.
struct AssignmentSolver<Cost: AssignmentCost> {
  /// Rounds of reduction. Jonker and Volgenant have two; with lists in the place of rows a round is
  /// cheap, and six leave a tenth of the rows for the costlier searches that two leave.
  private static var reductionRounds: Int { 6 }
  /// Steps of one round for each row, which ties and rounding might else repeat without end.
  private static var reductionSteps: Int { 20 }

  let costs: [Cost]
  let rows: Int
  let columns: Int
  /// What the rows are to the user.
  private let side: AssignmentError.Side

  private(set) var potentials: [Double]
  /// The column of each row, and the row of each column: other files replace them together.
  var columnOfRow: [Int]
  var rowOfColumn: [Int]
  private var lists: CandidateLists

  /// No partner.
  private static var none: Int { -1 }

  init(_ costs: [Cost], rows: Int, columns: Int, side: AssignmentError.Side) {
    self.costs = costs
    self.rows = rows
    self.columns = columns
    self.side = side
    potentials = [Double](repeating: 0, count: columns)
    columnOfRow = [Int](repeating: Self.none, count: rows)
    rowOfColumn = [Int](repeating: Self.none, count: columns)
    lists = CandidateLists(rows: rows, columns: columns)
  }

  /// The assignment; of equally cheap ones of a square matrix, one that keeps the most places.
  /// - Throws: `AssignmentError.infeasible`.
  mutating func solution() throws(AssignmentError) -> Assignment {
    _ = try cheapest()
    if rows == columns { try keepPlaces() }
    return assignment()
  }

  /// The column of each row in a cheapest assignment, whichever it is.
  mutating func cheapest() throws(AssignmentError) -> [Int] {
    // With columns left over, potentials other than zero would have to be zero in the end.
    if rows == columns { reduceColumns() }
    var free = (0..<rows).filter { columnOfRow[$0] == Self.none }
    for _ in 0..<Self.reductionRounds where !free.isEmpty { free = reduceRows(free) }
    try augment(free)
    return columnOfRow
  }

  func reducedCost(_ row: Int, _ column: Int) -> Double {
    Double(costs[row * columns + column]) - potentials[column]
  }

  private func assignment() -> Assignment {
    let rowPotentials = (0..<rows).map { reducedCost($0, columnOfRow[$0]) }
    return Assignment(
      columnOfRow: columnOfRow.map(Optional.init),
      rowOfColumn: rowOfColumn.map { $0 == Self.none ? nil : $0 },
      cost: (0..<rows).reduce(0) { $0 + Double(costs[$1 * columns + columnOfRow[$1]]) },
      rowPotentials: rowPotentials, columnPotentials: potentials)
  }
}

// MARK: - Reductions

extension AssignmentSolver {
  /// Makes each potential its column's smallest cost, assigns it to its row if that has no column
  /// yet, and lets rows with one such column pass on what the column is cheaper than any other.
  private mutating func reduceColumns() {
    var minima = [Double](repeating: .infinity, count: columns)
    var rowOfMinimum = [Int32](repeating: 0, count: columns)
    for row in 0..<rows { Cost.lowerMinima(costs, row, columns, &minima, &rowOfMinimum) }
    // A column that no row is allowed is found as infeasible by the searches.
    for column in 0..<columns where minima[column].isFinite {
      potentials[column] = minima[column]
    }
    var matches = [Int](repeating: 0, count: rows)
    for column in (0..<columns).reversed() where minima[column].isFinite {
      let row = Int(rowOfMinimum[column])
      matches[row] += 1
      guard matches[row] == 1 else { continue }
      columnOfRow[row] = column
      rowOfColumn[column] = row
    }
    for row in 0..<rows where matches[row] == 1 {
      let column = columnOfRow[row]
      let two = twoSmallest(of: row)
      let other = Int(two.first_column) == column ? two.second : two.first
      let excess = other - reducedCost(row, column)
      if excess > 0, excess.isFinite { potentials[column] -= excess }
    }
  }

  /// Assigns free rows to their best columns, in the manner of an auction, and returns those that
  /// are left.
  ///
  /// A row lowers its column's potential by what its second best is dearer, so that the row it
  /// displaces may prefer another; that row is next. Where nothing can be lowered the displaced row
  /// waits for the next round.
  private mutating func reduceRows(_ free: [Int]) -> [Int] {
    var waiting = free
    var next = 0
    var left: [Int] = []
    var steps = Self.reductionSteps * rows
    while next < waiting.count {
      let row = waiting[next]
      next += 1
      let two = twoSmallest(of: row)
      // A row with a single allowed column has to have it: the searches see to that.
      guard two.second.isFinite else {
        left.append(row)
        continue
      }
      var column = Int(two.first_column)
      let lowered = potentials[column] - (two.second - two.first)
      let isLower = lowered < potentials[column]
      steps -= 1
      if isLower, steps > 0 {
        potentials[column] = lowered
      } else if two.second == two.first, rowOfColumn[column] != Self.none {
        column = Int(two.second_column)
      }
      let displaced = rowOfColumn[column]
      columnOfRow[row] = column
      rowOfColumn[column] = row
      guard displaced != Self.none else { continue }
      columnOfRow[displaced] = Self.none
      if isLower, steps > 0 {
        next -= 1
        waiting[next] = displaced
      } else {
        left.append(displaced)
      }
    }
    return left
  }

  private mutating func twoSmallest(of row: Int) -> lcw_two_smallest_t {
    let two = lists.twoSmallest(of: row, potentials)
    if lists.isCertain(two, of: row) { return two }
    Cost.fill(&lists, costs, row, columns, potentials)
    return lists.twoSmallest(of: row, potentials)
  }
}

// MARK: - Shortest augmenting paths

extension AssignmentSolver {
  /// Assigns each of the rows along a shortest path of reduced costs to a column without a row
  /// (Dijkstra's search over the whole matrix).
  private mutating func augment(_ free: [Int]) throws(AssignmentError) {
    guard !free.isEmpty else { return }
    var search = Search(columns: columns)
    var freeColumns = (0..<columns).filter { rowOfColumn[$0] == Self.none }.map(Int32.init)
    for root in free {
      let end = try find(&search, from: root, freeColumns)
      // In order, so that a tie goes to the lowest column.
      freeColumns.remove(at: end.place)
      var column = end.column
      while true {
        let row = Int(search.predecessors[column])
        let previous = columnOfRow[row]
        columnOfRow[row] = column
        rowOfColumn[column] = row
        if row == root { break }
        column = previous
      }
    }
  }

  /// Finds a nearest column without a row, and lowers the potentials of the columns nearer than it
  /// so that the path there consists of smallest reduced costs.
  private mutating func find(
    _ search: inout Search, from root: Int, _ freeColumns: [Int32]
  ) throws(AssignmentError) -> (column: Int, place: Int) {
    search.begin()
    var row = root
    var distance = 0.0
    // Distances are counted from the root's smallest reduced cost. If it has none, none is found.
    var base = -twoSmallest(of: root).first
    while true {
      let nearest = Cost.relax(
        costs, row, potentials, base: base, least: distance, &search.keys, &search.predecessors)
      guard nearest.key.isFinite else {
        search.restore(&potentials)
        throw infeasible(search, root)
      }
      distance = nearest.key
      // A column without a row ends the search as soon as none is nearer.
      let place = lcw_first_at_most(search.keys, freeColumns, freeColumns.count, distance)
      if place < freeColumns.count {
        search.lower(&potentials, to: distance)
        return (Int(freeColumns[place]), place)
      }
      row = rowOfColumn[nearest.column]
      base = distance - reducedCost(row, nearest.column)
      search.settle(nearest.column, at: distance, &potentials)
    }
  }

  /// The rows of a search that ended without reaching a free column, and the columns they have.
  private func infeasible(_ search: Search, _ root: Int) -> AssignmentError {
    let partners = search.settled.map(\.column)
    return .infeasible(
      side, members: ([root] + partners.map { rowOfColumn[$0] }).sorted(),
      partners: partners.sorted())
  }
}

/// The state of one search for a shortest augmenting path.
private struct Search {
  /// The distance of each column found so far; infinity for settled columns too.
  var keys: [Double]
  /// The row before each column on the path there.
  var predecessors: [Int32]
  /// The columns whose distance is final, with the potential each had.
  private(set) var settled: [(column: Int, distance: Double, potential: Double)] = []

  init(columns: Int) {
    keys = [Double](repeating: .infinity, count: columns)
    predecessors = [Int32](repeating: 0, count: columns)
  }

  mutating func begin() {
    for column in keys.indices { keys[column] = .infinity }
    settled.removeAll(keepingCapacity: true)
  }

  /// Takes a column out of the search, by a potential that no path gets through.
  mutating func settle(_ column: Int, at distance: Double, _ potentials: inout [Double]) {
    settled.append((column, distance, potentials[column]))
    keys[column] = .infinity
    potentials[column] = -.infinity
  }

  /// Gives settled columns their potentials back.
  func restore(_ potentials: inout [Double]) {
    for entry in settled { potentials[entry.column] = entry.potential }
  }

  /// Gives settled columns their potentials, less what they are nearer than `distance`.
  func lower(_ potentials: inout [Double], to distance: Double) {
    for entry in settled {
      potentials[entry.column] = entry.potential + (entry.distance - distance)
    }
  }
}
