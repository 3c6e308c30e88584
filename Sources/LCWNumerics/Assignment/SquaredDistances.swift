// SPDX-License-Identifier: Apache-2.0
import CKernels

extension Tensor {
  /// The squared Euclidean distances of all rows of this tensor to all rows of another, `[n, m]`.
  ///
  /// They are ‖a‖² + ‖b‖² − 2⟨a, b⟩, the inner products by matrix products of blocks of rows, which
  /// is many times as fast as differences. Its rounding is relative to the norms and not to the
  /// distance: some 10⁻⁷ (‖a‖² + ‖b‖²), for which reason the mean of all rows is taken off first. What
  /// comes out below zero is zero.
  ///
  /// In an assignment of all rows to all rows the norms are the same whatever the assignment, and
  /// negative inner products would do. But where distances are small beside the norms, products are
  /// rounded no less; they would be no costs where the numbers of rows differ; and a sum of squared
  /// distances is what a transport is measured by. So there is only this.
  ///
  /// - Parameters:
  ///   - other: `[m, …]`, with rows as long as those here, `[n, …]`.
  ///   - workers: The threads to divide the rows among.
  /// - Returns: The distances; NaN or infinity only where the rows hold such or values near 10¹⁹.
  public func squaredDistances(toRowsOf other: Tensor, workers: Workers = .serial) -> Tensor {
    let width = shape.rowCount
    precondition(
      other.shape.rowCount == width, "the rows of \(shape) and \(other.shape) differ in length")
    let (n, m) = (shape.rows, other.shape.rows)
    var result = Tensor(unspecified: [n, m])
    guard n > 0, m > 0 else { return result }
    BLAS.useCallingThread()
    let shift = Tensor.negatedMean(of: [self, other])
    let (a, b) = (shifted(by: shift, workers), other.shifted(by: shift, workers))
    let (normsA, normsB) = (a.squaredNorms, b.squaredNorms)
    // So many rows that the product is at its full speed, and its result still in a cache when the
    // norms are added.
    let height = 128
    result.elements.withUnsafeMutableBufferPointer { c in
      a.elements.withUnsafeBufferPointer { a in
        b.elements.withUnsafeBufferPointer { b in
          guard let c = c.baseAddress else { return }
          let product = BLAS.Product(
            a: a.baseAddress, b: b.baseAddress, c: c, leadingA: width, leadingB: width,
            leadingC: m, transposedA: false, transposedB: true, inner: width, alpha: -2, beta: 0)
          workers.forEachUnchecked((n + height - 1) / height) { block in
            let rows = block * height..<min(n, (block + 1) * height)
            product.run(rows: rows, columns: 0..<m)
            for row in rows {
              lcw_distances_from_products(c + row * m, normsA[row], normsB, m)
            }
          }
        }
      }
    }
    return result
  }

  // Any point near the mean serves as well, so its rounding does not matter.
  private static func negatedMean(of populations: [Tensor]) -> Tensor {
    let count = populations.reduce(0) { $0 + $1.shape.rows }
    var sum = Tensor(zeros: [populations[0].shape.rowCount])
    for population in populations { sum.assignColumnSums(of: population, plus: 1) }
    return Tensor(sum.elements.map { -$0 / Float(count) })
  }

  private func shifted(by vector: Tensor, _ workers: Workers) -> Tensor {
    var result = self
    result.addBias(vector, workers: workers)
    return result
  }

  private var squaredNorms: [Float] {
    let width = shape.rowCount
    let origin = [Float](repeating: 0, count: width)
    return elements.withUnsafeBufferPointer { rows in
      (0..<shape.rows).map { row in
        guard let base = rows.baseAddress else { return 0 }
        return Float(lcw_squared_distance(base + row * width, origin, width))
      }
    }
  }
}
