// SPDX-License-Identifier: Apache-2.0
import CKernels
import LCWNumerics

// The one place where a layer's loops are called: pointers are handed out here, behind checked
// shapes. All run on the calling thread; rows are divided among workers further out.

extension Tensor {
  /// self ← tanh(self + bias), row by row.
  mutating func addBiasTanh(_ bias: Tensor) {
    let (rows, columns) = (shape.rows, shape.rowCount)
    precondition(bias.count == columns, "a bias \(bias.shape) does not fit \(shape)")
    withPointers(bias) { lcw_bias_tanh($0, $1, rows, columns) }
  }

  /// Turns each row around.
  mutating func reverseColumns() {
    let (rows, columns) = (shape.rows, shape.rowCount)
    elements.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      lcw_reverse_columns(base, rows, columns)
    }
  }

  /// self ← scale · self + factor · the sums of the columns of `rows`.
  mutating func assignColumnSums(of rows: Tensor, plus scale: Float, factor: Float) {
    let (height, columns) = (rows.shape.rows, rows.shape.rowCount)
    precondition(count == columns, "\(rows.shape) has not \(count) columns")
    withPointers(rows) { lcw_scaled_column_sums($0, scale, factor, $1, height, columns) }
  }

  /// Copies some columns of another tensor of as many rows to this one's columns from `column` on.
  mutating func assignColumns(
    from column: Int, of other: Tensor, columns: Range<Int>
  ) {
    let (rows, leading, otherLeading) = (shape.rows, shape.rowCount, other.shape.rowCount)
    precondition(
      other.shape.rows == rows && column >= 0 && column + columns.count <= leading
        && columns.lowerBound >= 0 && columns.upperBound <= otherLeading,
      "columns \(columns) of \(other.shape) do not fit \(shape) at \(column)")
    withPointers(other) {
      lcw_copy_columns(
        $0 + column, leading, $1 + columns.lowerBound, otherLeading, rows, columns.count)
    }
  }

  /// Some columns of this tensor.
  func columns(_ range: Range<Int>) -> Tensor {
    var result = Tensor(unspecified: [shape.rows, range.count])
    result.assignColumns(from: 0, of: self, columns: range)
    return result
  }

  /// Some rows of a block, each with other columns in another order: y[i, j] =
  /// (x[i, order[j]] − before[j]) · scale[j] + after[j].
  func gathered(
    rows range: Range<Int>, order: [Int32], before: [Float], scale: [Float], after: [Float]
  ) -> Tensor {
    let columns = shape.rowCount
    precondition(
      [order.count, before.count, scale.count, after.count].allSatisfy { $0 == columns }
        && range.lowerBound >= 0 && range.upperBound <= shape.rows
        && order.allSatisfy { (0..<Int32(columns)).contains($0) },
      "an order of \(order.count) columns does not fit \(shape)")
    var result = Tensor(unspecified: [range.count, columns])
    result.withPointers(self) { target, source in
      lcw_gather_affine(
        target, source + range.lowerBound * columns, order, before, scale, after, range.count,
        columns)
    }
    return result
  }

  private mutating func withPointers(
    _ other: Tensor, _ body: (UnsafeMutablePointer<Float>, UnsafePointer<Float>) -> Void
  ) {
    elements.withUnsafeMutableBufferPointer { target in
      other.elements.withUnsafeBufferPointer { source in
        guard let target = target.baseAddress, let source = source.baseAddress else { return }
        body(target, source)
      }
    }
  }
}

/// The affine transformation x · eˢ + m of some columns, with s and m from a network's outputs, in
/// the layout that `flow.h` describes.
struct AffineKernel: Sendable, Hashable {
  /// The columns that move.
  var columns: Range<Int>
  /// The coordinates whose scales lie before their shifts.
  var block: Int
  /// The bound of the scales.
  var bound: Float

  /// x ← x · eˢ + m; the outputs become s and eˢ, and each row's Σ s is added to `logs`.
  func apply(to rows: inout Tensor, outputs: inout Tensor, bias: Tensor, logs: inout [Double]) {
    precondition(logs.count == rows.shape.rows, "there is a logarithm for each row")
    run(&rows, &outputs, bias) { x, leading, outputs, bias, height in
      lcw_affine(x, leading, outputs, bias, &logs, bound, height, columns.count, block)
    }
  }

  /// x ← (x − m) · e⁻ˢ; the outputs become s and eˢ.
  func applyInverse(to rows: inout Tensor, outputs: inout Tensor, bias: Tensor) {
    run(&rows, &outputs, bias) { x, leading, outputs, bias, height in
      lcw_affine_inverse(x, leading, outputs, bias, bound, height, columns.count, block)
    }
  }

  /// The gradient before ``apply(to:outputs:bias:logs:)`` in the place of that behind it; the
  /// outputs, s and eˢ, become their own gradients.
  func backward(
    _ gradient: inout Tensor, outputs: inout Tensor, input: Tensor, logGradients: [Float]
  ) {
    precondition(logGradients.count == gradient.shape.rows, "there is a gradient for each row")
    run(&gradient, &outputs, input) { g, leading, outputs, x, height in
      lcw_affine_backward(
        g, leading, outputs, x + columns.lowerBound, leading, logGradients, bound, height,
        columns.count, block)
    }
  }

  /// The gradient before ``applyInverse(to:outputs:bias:)``, whose result is `result`; the outputs
  /// become the negative of their own gradients.
  func inverseBackward(_ gradient: inout Tensor, outputs: inout Tensor, result: Tensor) {
    run(&gradient, &outputs, result) { g, leading, outputs, x, height in
      lcw_affine_inverse_backward(
        g, leading, outputs, x + columns.lowerBound, leading, bound, height, columns.count, block)
    }
  }

  private func run(
    _ rows: inout Tensor, _ outputs: inout Tensor, _ other: Tensor,
    _ body: (
      UnsafeMutablePointer<Float>, Int, UnsafeMutablePointer<Float>, UnsafePointer<Float>, Int
    )
      -> Void
  ) {
    let (height, leading) = (rows.shape.rows, rows.shape.rowCount)
    precondition(
      outputs.shape == [height, 2 * columns.count] && columns.upperBound <= leading
        && (other.count == 2 * columns.count || other.shape == rows.shape),
      "outputs \(outputs.shape) or \(other.shape) do not fit \(rows.shape)")
    rows.elements.withUnsafeMutableBufferPointer { x in
      outputs.elements.withUnsafeMutableBufferPointer { y in
        other.elements.withUnsafeBufferPointer { z in
          guard let x = x.baseAddress, let y = y.baseAddress, let z = z.baseAddress else { return }
          body(x + columns.lowerBound, leading, y, z, height)
        }
      }
    }
  }
}
