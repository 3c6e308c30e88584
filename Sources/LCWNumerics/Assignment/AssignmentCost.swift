// SPDX-License-Identifier: Apache-2.0
import CKernels

/// A type that costs are kept in, with the loops over a row of them.
///
/// The shapes are the caller's to keep: `AssignmentSolver` and `LinearSumAssignment` only.
protocol AssignmentCost: BinaryFloatingPoint, Sendable {
  /// The largest finite magnitude in a row; `refused` becomes the first column with NaN or
  /// −infinity, or −1.
  static func measure(_ costs: [Self], _ row: Int, _ columns: Int, _ refused: inout Int) -> Double

  /// Lowers `minima` to the row's costs and notes the row where it did.
  static func lowerMinima(
    _ costs: [Self], _ row: Int, _ columns: Int, _ minima: inout [Double], _ rows: inout [Int32])

  /// Writes the candidates of a row to their lists.
  static func fill(
    _ lists: inout CandidateLists, _ costs: [Self], _ row: Int, _ columns: Int,
    _ potentials: [Double])

  /// Lowers `keys` to the row's reduced costs; returns the smallest key and its column.
  static func relax(
    _ costs: [Self], _ row: Int, _ potentials: [Double], base: Double, least: Double,
    _ keys: inout [Double], _ predecessors: inout [Int32]
  ) -> (key: Double, column: Int)
}

extension Float: AssignmentCost {
  static func measure(_ costs: [Float], _ row: Int, _ columns: Int, _ refused: inout Int) -> Double
  {
    lcw_costs_measure_f32(costs, row, columns, &refused)
  }

  static func lowerMinima(
    _ costs: [Float], _ row: Int, _ columns: Int, _ minima: inout [Double], _ rows: inout [Int32]
  ) {
    lcw_costs_column_minima_f32(costs, row, columns, &minima, &rows)
  }

  static func fill(
    _ lists: inout CandidateLists, _ costs: [Float], _ row: Int, _ columns: Int,
    _ potentials: [Double]
  ) {
    lists.fill(row) {
      lcw_costs_candidates_f32(costs, row, columns, potentials, $0, $1, $2, $3, $4)
    }
  }

  static func relax(
    _ costs: [Float], _ row: Int, _ potentials: [Double], base: Double, least: Double,
    _ keys: inout [Double], _ predecessors: inout [Int32]
  ) -> (key: Double, column: Int) {
    var column = 0
    let key = lcw_costs_relax_f32(
      costs, row, potentials.count, potentials, base, least, &keys, &predecessors, &column)
    return (key, column)
  }
}

extension Double: AssignmentCost {
  static func measure(
    _ costs: [Double], _ row: Int, _ columns: Int, _ refused: inout Int
  ) -> Double {
    lcw_costs_measure_f64(costs, row, columns, &refused)
  }

  static func lowerMinima(
    _ costs: [Double], _ row: Int, _ columns: Int, _ minima: inout [Double], _ rows: inout [Int32]
  ) {
    lcw_costs_column_minima_f64(costs, row, columns, &minima, &rows)
  }

  static func fill(
    _ lists: inout CandidateLists, _ costs: [Double], _ row: Int, _ columns: Int,
    _ potentials: [Double]
  ) {
    lists.fill(row) {
      lcw_costs_candidates_f64(costs, row, columns, potentials, $0, $1, $2, $3, $4)
    }
  }

  static func relax(
    _ costs: [Double], _ row: Int, _ potentials: [Double], base: Double, least: Double,
    _ keys: inout [Double], _ predecessors: inout [Int32]
  ) -> (key: Double, column: Int) {
    var column = 0
    let key = lcw_costs_relax_f64(
      costs, row, potentials.count, potentials, base, least, &keys, &predecessors, &column)
    return (key, column)
  }
}
