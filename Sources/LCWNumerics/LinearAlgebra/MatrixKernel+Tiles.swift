// SPDX-License-Identifier: Apache-2.0
import CKernels

extension MatrixKernel {
  // Packed, the left rows, the right columns and the sums of a block fit together in a second cache of 2 MB.
  private static let leftRows = 512
  private static let rightColumns = 256
  private static let sumRows = 256
  private static let innerSteps = 512

  /// Blocks of the right factor are packed once for every 512 rows, just before they are used. A
  /// block in which a number has no bfloat16, such as infinity, is left to BLAS, so that it becomes
  /// what it would become there.
  func runTiles(rows: Range<Int>, columns: Range<Int>) {
    guard let a, let b else { return }
    typealias Kernel = MatrixKernel
    let parts = precision.parts
    let depth = min(inner, Kernel.innerSteps)
    let leftCount = lcw_tiles_packed_count(min(rows.count, Kernel.leftRows), depth, parts)
    let rightCount = lcw_tiles_packed_count(min(columns.count, Kernel.rightColumns), depth, parts)
    let memory = TileMemory(
      left: leftCount, right: rightCount, sums: Kernel.sumRows * Kernel.rightColumns)
    withExtendedLifetime(memory) {
      for rows in rows.pieces(of: Kernel.leftRows) {
        for inner in (0..<inner).pieces(of: Kernel.innerSteps) {
          let beta = inner.lowerBound == 0 ? self.beta : 1
          guard
            lcw_tiles_pack(
              memory.left, left(a, row: rows.lowerBound, inner: inner.lowerBound), leadingA,
              rows.count, inner.count, transposedA ? 0 : 1, 0, parts)
              != 0
          else {
            runBLAS(rows: rows, columns: columns, inner: inner, beta: beta)
            continue
          }
          for columns in columns.pieces(of: Kernel.rightColumns) {
            guard
              lcw_tiles_pack(
                memory.right, right(b, column: columns.lowerBound, inner: inner.lowerBound),
                leadingB, columns.count, inner.count, transposedB ? 1 : 0, 1,
                parts) != 0
            else {
              runBLAS(rows: rows, columns: columns, inner: inner, beta: beta)
              continue
            }
            for block in rows.pieces(of: Kernel.sumRows) {
              lcw_tiles_multiply(
                c + block.lowerBound * leadingC + columns.lowerBound, leadingC,
                memory.left
                  + lcw_tiles_packed_count(block.lowerBound - rows.lowerBound, inner.count, parts),
                memory.right, block.count, columns.count, inner.count, parts, alpha, beta,
                memory.sums)
            }
          }
        }
      }
    }
  }
}

/// A thread's own memory for a product on tiles.
private final class TileMemory {
  let left: UnsafeMutablePointer<UInt16>
  let right: UnsafeMutablePointer<UInt16>
  let sums: UnsafeMutablePointer<Float>
  private let bytes: UnsafeMutableRawPointer

  init(left: Int, right: Int, sums: Int) {
    // Whole tiles, so that each piece starts at a cache line as the first does.
    bytes = .allocate(byteCount: 2 * (left + right) + 4 * sums, alignment: 64)
    self.left = bytes.bindMemory(to: UInt16.self, capacity: left)
    self.right = (bytes + 2 * left).bindMemory(to: UInt16.self, capacity: right)
    self.sums = (bytes + 2 * (left + right)).bindMemory(to: Float.self, capacity: sums)
  }

  deinit { bytes.deallocate() }
}
