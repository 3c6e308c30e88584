// SPDX-License-Identifier: Apache-2.0
import CKernels

/// For each row the few columns of the smallest reduced costs, and a bound below all others.
///
/// Potentials only ever sink while an assignment is sought, so reduced costs only rise, and a bound
/// stays one. While the two smallest of a list are not above it, they are the two smallest of the
/// row, and the row itself need not be read: the difference between 16 numbers and thousands.
struct CandidateLists {
  private static let width = Int(LCW_CANDIDATES)

  private var costs: [Double]
  private var columns: [Int32]
  private var counts: [Int]
  private var bounds: [Double]
  private var scratch: [Double]
  private var scratchColumns: [Int32]

  /// Empty lists.
  init(rows: Int, columns: Int) {
    costs = [Double](repeating: 0, count: rows * Self.width)
    self.columns = [Int32](repeating: 0, count: rows * Self.width)
    counts = [Int](repeating: 0, count: rows)
    // So that an empty list is never taken for the whole.
    bounds = [Double](repeating: -.infinity, count: rows)
    scratch = [Double](repeating: 0, count: columns)
    scratchColumns = [Int32](repeating: 0, count: columns)
  }

  /// Fills the list of a row: `body` takes its costs, columns and bound, and two scratches for a
  /// row, and returns the count.
  mutating func fill(
    _ row: Int,
    _ body: (
      UnsafeMutablePointer<Double>, UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Double>,
      UnsafeMutablePointer<Double>, UnsafeMutablePointer<Int32>
    ) -> Int
  ) {
    var listCosts = [Double](repeating: 0, count: Self.width)
    var listColumns = [Int32](repeating: 0, count: Self.width)
    let count = body(&listCosts, &listColumns, &bounds[row], &scratch, &scratchColumns)
    counts[row] = count
    for place in 0..<count {
      costs[row * Self.width + place] = listCosts[place]
      columns[row * Self.width + place] = listColumns[place]
    }
  }

  /// The two smallest reduced costs in the list of a row, and their columns.
  func twoSmallest(of row: Int, _ potentials: [Double]) -> lcw_two_smallest_t {
    lcw_two_smallest(costs, columns, row * Self.width, counts[row], potentials)
  }

  /// Whether the two smallest of the list are the two smallest of the row, as they always are in a
  /// list that was filled at these potentials.
  func isCertain(_ two: lcw_two_smallest_t, of row: Int) -> Bool { two.second <= bounds[row] }
}
