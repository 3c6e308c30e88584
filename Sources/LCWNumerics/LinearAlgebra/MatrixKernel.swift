// SPDX-License-Identifier: Apache-2.0
import CKernels
import COpenBLAS

/// A single-precision product c ← α · a · b + β · c of which any rectangle of the result can be
/// computed by itself, on the calling thread.
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

  /// What computes a product.
  enum Unit {
    /// OpenBLAS.
    case blas
    /// Our own loops on vectors of 512 bits, as exact as BLAS.
    case vectors
    /// Tile registers of bfloat16, as exact as the precision says.
    case tiles
  }

  /// What is fastest for a rectangle of this size, as measured.
  ///
  /// Packing operands takes as long as some dozens of rows. OpenBLAS has loops of its own for products of less
  /// than a million steps, and none that is good at few rows of a long inner dimension that is contiguous in
  /// both operands.
  func unit(rows: Int, columns: Int) -> Unit {
    let narrow = min(rows, columns)
    if MatrixPrecision.hasTiles {
      let least = precision == .high ? 48 : 192
      return narrow >= least && inner >= 64 ? .tiles : .blas
    }
    // With α = 0 BLAS does not read the operands, which matters where one is not finite.
    guard MatrixPrecision.hasVectors, alpha != 0 else { return .blas }
    let least = transposedB && !transposedA ? 32 : 48
    return narrow >= least && inner >= 32 && rows * columns * inner >= 1 << 20 ? .vectors : .blas
  }

  /// Computes a rectangle of the result.
  /// - Parameter unit: What computes the whole of which this is a piece: else the bits would depend on the
  ///   pieces. If none is given, the rectangle's size decides.
  func run(rows: Range<Int>, columns: Range<Int>, on unit: Unit? = nil) {
    switch unit ?? self.unit(rows: rows.count, columns: columns.count) {
    case .blas: runBLAS(rows: rows, columns: columns, inner: 0..<inner, beta: beta)
    case .vectors: runVectors(rows: rows, columns: columns)
    case .tiles: runTiles(rows: rows, columns: columns)
    }
  }

  /// Where a block of the left factor starts.
  func left(_ a: UnsafePointer<Float>, row: Int, inner: Int) -> UnsafePointer<Float> {
    a + row * (transposedA ? 1 : leadingA) + inner * (transposedA ? leadingA : 1)
  }

  /// Where a block of the right factor starts.
  func right(_ b: UnsafePointer<Float>, column: Int, inner: Int) -> UnsafePointer<Float> {
    b + column * (transposedB ? leadingB : 1) + inner * (transposedB ? 1 : leadingB)
  }

  /// Computes a rectangle's sum over a part of the inner dimension, by BLAS.
  func runBLAS(rows: Range<Int>, columns: Range<Int>, inner: Range<Int>, beta: Float) {
    cblas_sgemm(
      CblasRowMajor, transposedA ? CblasTrans : CblasNoTrans,
      transposedB ? CblasTrans : CblasNoTrans,
      blasint(rows.count), blasint(columns.count), blasint(inner.count), alpha,
      a.map { left($0, row: rows.lowerBound, inner: inner.lowerBound) }, blasint(max(1, leadingA)),
      b.map { right($0, column: columns.lowerBound, inner: inner.lowerBound) },
      blasint(max(1, leadingB)),
      beta, c + rows.lowerBound * leadingC + columns.lowerBound, blasint(leadingC))
  }
}

extension Range<Int> {
  /// The range in pieces of that length, the last of what is left.
  func pieces(of length: Int) -> some Sequence<Range<Int>> {
    stride(from: lowerBound, to: upperBound, by: length).lazy.map {
      $0..<Swift.min($0 + length, upperBound)
    }
  }
}
