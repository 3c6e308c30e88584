// SPDX-License-Identifier: Apache-2.0
import CKernels
import COpenBLAS

/// A single-precision product c ← α · a · b + β · c of which any rectangle of the result can be
/// computed by itself, on the calling thread: on tiles of bfloat16 where the processor has them and
/// the product is large enough, and by BLAS otherwise.
struct MatrixKernel {
  var a: UnsafePointer<Float>?
  var b: UnsafePointer<Float>?
  var c: UnsafeMutablePointer<Float>
  var leadingA: Int
  var leadingB: Int
  var leadingC: Int
  var transposedA = false
  var transposedB = false
  /// The inner dimension.
  var inner: Int
  var alpha: Float = 1
  var beta: Float = 0
  var precision = MatrixPrecision.highest

  /// Computes a rectangle of the result.
  /// - Parameter onTiles: Whether it is a piece of what is computed on tiles; if that is not said, its size
  ///   decides.
  func run(rows: Range<Int>, columns: Range<Int>, onTiles: Bool? = nil) {
    if onTiles ?? runsOnTiles(rows: rows.count, columns: columns.count) {
      runTiles(rows: rows, columns: columns)
    } else {
      runBLAS(rows: rows, columns: columns, inner: 0..<inner, beta: beta)
    }
  }

  /// Whether a rectangle of this size is computed on tiles: where it is faster. Packing takes as long
  /// as some dozens of rows.
  func runsOnTiles(rows: Int, columns: Int) -> Bool {
    guard MatrixPrecision.hasTiles else { return false }
    let least = precision == .high ? 48 : 192
    return min(rows, columns) >= least && inner >= 64
  }

  // MARK: BLAS

  private func runBLAS(rows: Range<Int>, columns: Range<Int>, inner: Range<Int>, beta: Float) {
    let a = a.map {
      $0 + rows.lowerBound * (transposedA ? 1 : leadingA)
        + inner.lowerBound * (transposedA ? leadingA : 1)
    }
    let b = b.map {
      $0 + columns.lowerBound * (transposedB ? leadingB : 1)
        + inner.lowerBound * (transposedB ? 1 : leadingB)
    }
    cblas_sgemm(
      CblasRowMajor, transposedA ? CblasTrans : CblasNoTrans,
      transposedB ? CblasTrans : CblasNoTrans,
      blasint(rows.count), blasint(columns.count), blasint(inner.count),
      alpha, a, blasint(max(1, leadingA)), b, blasint(max(1, leadingB)),
      beta, c + rows.lowerBound * leadingC + columns.lowerBound, blasint(leadingC))
  }

  // MARK: tiles

  // Packed, the left rows, the right columns and the sums of a block fit together in a second cache of 2 MB.
  private static let leftRows = 512
  private static let rightColumns = 256
  private static let sumRows = 256
  private static let innerSteps = 512

  /// Blocks of the right factor are packed once for every 512 rows, just before they are used. A
  /// block in which a number has no bfloat16, such as infinity, is left to BLAS, so that it becomes
  /// what it would become there.
  private func runTiles(rows: Range<Int>, columns: Range<Int>) {
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
          let left =
            a + rows.lowerBound * (transposedA ? 1 : leadingA)
            + inner.lowerBound * (transposedA ? leadingA : 1)
          guard
            lcw_tiles_pack(
              memory.left, left, leadingA, rows.count, inner.count, transposedA ? 0 : 1, 0, parts)
              != 0
          else {
            runBLAS(rows: rows, columns: columns, inner: inner, beta: beta)
            continue
          }
          for columns in columns.pieces(of: Kernel.rightColumns) {
            let right =
              b + columns.lowerBound * (transposedB ? leadingB : 1)
              + inner.lowerBound * (transposedB ? 1 : leadingB)
            guard
              lcw_tiles_pack(
                memory.right, right, leadingB, columns.count, inner.count, transposedB ? 1 : 0, 1,
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

extension Range<Int> {
  /// The range in pieces of that length, the last of what is left.
  fileprivate func pieces(of length: Int) -> some Sequence<Range<Int>> {
    stride(from: lowerBound, to: upperBound, by: length).lazy.map {
      $0..<Swift.min($0 + length, upperBound)
    }
  }
}
