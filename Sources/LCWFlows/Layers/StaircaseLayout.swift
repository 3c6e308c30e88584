// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// Where a matrix has values: row i in its first `limits[i]` columns, and the limits never fall.
///
/// Rows are kept in panels, each a matrix `[rows, columns]` with few columns more than its rows see,
/// so that products leave out most of what is zero: for an autoregressive network nearly half. A
/// dense matrix is one panel. The last panel has all columns.
struct StaircaseLayout: Sendable, Hashable {
  /// Rows that are kept together.
  struct Panel: Sendable, Hashable {
    var rows: Range<Int>
    var columns: Int
  }

  let panels: [Panel]
  /// The columns each row sees.
  let limits: [Int]
  let columns: Int

  var rows: Int { limits.count }
  var isDense: Bool { limits.allSatisfy { $0 == columns } }

  /// A matrix without zeros.
  init(dense rows: Int, columns: Int) {
    limits = [Int](repeating: columns, count: rows)
    self.columns = columns
    panels = [Panel(rows: 0..<rows, columns: columns)]
  }

  /// A matrix whose panels end at the given rows and have so many columns, at least what their rows
  /// see; the last has all.
  init(limits: [Int], panels ends: [(row: Int, columns: Int)]) {
    self.limits = limits
    columns = ends.last?.columns ?? 0
    var first = 0
    panels = ends.map { end in
      defer { first = end.row }
      return Panel(rows: first..<end.row, columns: end.columns)
    }
  }

  /// Zeros where rows of a panel do not see.
  func clear(_ tensor: inout Tensor, panel: Int) {
    let (rows, width) = (panels[panel].rows, panels[panel].columns)
    for (index, row) in rows.enumerated() where limits[row] < width {
      tensor.elements.replaceSubrange(
        index * width + limits[row]..<(index + 1) * width,
        with: repeatElement(0, count: width - limits[row]))
    }
  }

  /// The whole matrix from its panels.
  func joined(_ tensors: ArraySlice<Tensor>) -> Tensor {
    var whole = Tensor(zeros: [rows, columns])
    for (panel, tensor) in zip(panels, tensors) {
      for (index, row) in panel.rows.enumerated() {
        whole.elements.replaceSubrange(
          row * columns..<row * columns + panel.columns, with: tensor.row(index))
      }
    }
    return whole
  }

  /// The panels of a whole matrix; what rows do not see is left out.
  func split(_ whole: Tensor) -> [Tensor] {
    panels.indices.map { index in
      let panel = panels[index]
      var tensor = Tensor(zeros: [panel.rows.count, panel.columns])
      for (offset, row) in panel.rows.enumerated() {
        tensor.elements.replaceSubrange(
          offset * panel.columns..<offset * panel.columns + limits[row],
          with: whole.row(row).prefix(limits[row]))
      }
      return tensor
    }
  }
}
