// SPDX-License-Identifier: Apache-2.0
import COpenBLAS

/// A Gram matrix XᵀX that blocks of samples are added to: products of a block are in single
/// precision, their sum in double.
///
/// Only the upper triangle is computed, in panels of rows: a panel's product stays in the cache
/// until it is added.
public struct GramAccumulator: Sendable {
  /// The number of features.
  public let order: Int
  private var upper: [Double]
  /// The rows of a panel.
  private static let panel = 256

  /// A matrix of zeros.
  public init(order: Int) {
    self.order = order
    upper = [Double](repeating: 0, count: order * order)
  }

  /// The matrix as it is now.
  public var matrix: SymmetricMatrix { SymmetricMatrix(upperTriangle: upper, order: order) }

  /// Adds the products of a block's columns, `[samples, order]`; a block is best some thousand samples.
  public mutating func add(_ block: Tensor, workers: Workers = .serial) {
    precondition(block.shape.rowCount == order, "\(block.shape) has not \(order) columns")
    BLAS.useCallingThread()
    let (order, samples, panel) = (order, block.shape.rows, GramAccumulator.panel)
    upper.withUnsafeMutableBufferPointer { upper in
      block.elements.withUnsafeBufferPointer { x in
        guard let x = x.baseAddress, samples > 0 else { return }
        workers.forEachUnchecked((order + panel - 1) / panel) { index in
          let first = index * panel
          let (rows, columns) = (min(panel, order - first), order - first)
          withUnsafeTemporaryAllocation(of: Float.self, capacity: rows * columns) { product in
            guard let product = product.baseAddress else { return }
            let kernel = MatrixKernel(
              a: x + first, b: x + first, c: product, leadingA: order, leadingB: order,
              leadingC: columns, transposedA: true, inner: samples)
            let unit = kernel.unit(rows: rows, columns: columns)
            if unit == .tiles {
              kernel.run(rows: 0..<rows, columns: 0..<columns, on: unit)
            } else {
              cblas_ssyrk(
                CblasRowMajor, CblasUpper, CblasTrans, blasint(rows), blasint(samples),
                1, x + first, blasint(order), 0, product, blasint(columns))
              if columns > rows { kernel.run(rows: 0..<rows, columns: rows..<columns, on: unit) }
            }
            for row in 0..<rows {
              let target = (first + row) * order + first
              for column in row..<columns {
                upper[target + column] += Double(product[row * columns + column])
              }
            }
          }
        }
      }
    }
  }
}
