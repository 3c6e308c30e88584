// SPDX-License-Identifier: Apache-2.0
import CKernels

extension MatrixKernel {
  /// The most columns in a packed block: with `LCW_VECTORS_DEPTH` steps it fits in a second cache of 1 MB, and
  /// leaves room for the lines that pass.
  private static let blockColumns = 384

  /// Computes a rectangle of the result, or of its transpose: of two operands whose inner dimension
  /// is contiguous, the one that is cheaper to pack is the right one.
  ///
  /// An element's sums are the same either way.
  func runVectors(rows: Range<Int>, columns: Range<Int>) {
    guard let a, let b else { return }
    let straight = Operands(
      left: left(a, row: rows.lowerBound, inner: 0), leadingLeft: leadingA,
      isLeftContiguous: !transposedA,
      right: right(b, column: columns.lowerBound, inner: 0), leadingRight: leadingB,
      isRightContiguous: transposedB, rows: rows.count, columns: columns.count)
    let swaps =
      transposedB && (transposedA || straight.swapped.packedCost < straight.packedCost)
    multiply(
      swaps ? straight.swapped : straight, isTransposed: swaps,
      into: c + rows.lowerBound * leadingC + columns.lowerBound)
  }

  private func multiply(
    _ operands: Operands, isTransposed: Bool, into c: UnsafeMutablePointer<Float>
  ) {
    let (width, depth) = (MatrixKernel.blockColumns, Int(LCW_VECTORS_DEPTH))
    let rightCount = lcw_vectors_packed_count(min(operands.columns, width), min(inner, depth))
    let lineCount = Int(LCW_VECTORS_LEFT_COUNT)
    let memory = AlignedMemory(count: rightCount + lineCount)
    withExtendedLifetime(memory) {
      let packed = memory.values + lineCount
      for columns in (0..<operands.columns).pieces(of: width) {
        for inner in (0..<inner).pieces(of: depth) {
          lcw_vectors_pack(
            packed, operands.right(column: columns.lowerBound, inner: inner.lowerBound),
            operands.leadingRight, columns.count, inner.count, operands.isRightContiguous ? 1 : 0)
          lcw_vectors_multiply(
            c + columns.lowerBound * (isTransposed ? leadingC : 1), leadingC, isTransposed ? 1 : 0,
            operands.left(inner: inner.lowerBound), operands.leadingLeft,
            operands.isLeftContiguous ? 1 : 0, packed, operands.rows, columns.count, inner.count,
            alpha, inner.lowerBound == 0 ? beta : 1, memory.values)
        }
      }
    }
  }
}

/// Both factors of a rectangle.
private struct Operands {
  var left: UnsafePointer<Float>
  var leadingLeft: Int
  /// Whether a row's values along the inner dimension lie one after the other.
  var isLeftContiguous: Bool
  var right: UnsafePointer<Float>
  var leadingRight: Int
  /// Whether a column's values along the inner dimension lie one after the other.
  var isRightContiguous: Bool
  var rows: Int
  var columns: Int

  /// The operands of the transposed product.
  var swapped: Operands {
    Operands(
      left: right, leadingLeft: leadingRight, isLeftContiguous: isRightContiguous, right: left,
      leadingRight: leadingLeft, isRightContiguous: isLeftContiguous, rows: columns, columns: rows)
  }

  /// Clock cycles for each step of the inner dimension, of operands that are both contiguous along it, as
  /// measured on an AMD EPYC of family 25.
  var packedCost: Double {
    let vectors = Double((columns + 15) / 16)
    return 1.5 * Double(rows) + 0.7 * Double(columns) + Double(rows) * vectors
  }

  func left(inner: Int) -> UnsafePointer<Float> {
    left + inner * (isLeftContiguous ? 1 : leadingLeft)
  }

  func right(column: Int, inner: Int) -> UnsafePointer<Float> {
    right + column * (isRightContiguous ? leadingRight : 1)
      + inner * (isRightContiguous ? 1 : leadingRight)
  }
}

/// Memory that starts at a cache line.
private final class AlignedMemory {
  let values: UnsafeMutablePointer<Float>
  private let bytes: UnsafeMutableRawPointer

  init(count: Int) {
    bytes = .allocate(byteCount: 4 * count, alignment: 64)
    values = bytes.bindMemory(to: Float.self, capacity: count)
  }

  deinit { bytes.deallocate() }
}
