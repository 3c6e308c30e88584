// SPDX-License-Identifier: Apache-2.0
import CKernels

extension Tensor {
  /// The squared Euclidean distances of all rows of this tensor to all rows of another, `[n, m]`.
  ///
  /// They are ‖a‖² + ‖b‖² − 2⟨a, b⟩, the inner products by matrix products of blocks of rows, which
  /// is many times as fast as differences. Its rounding is relative to the norms and not to the
  /// distance: some 10⁻⁷ (‖a‖² + ‖b‖²), for which reason the mean of all rows is taken off first.
  /// Distances that are small beside the norms are computed anew, from the differences. So that of
  /// equal rows is zero, nearly equal rows are told apart, and no distance is below zero. Equal rows
  /// of one tensor have the same distances to the bit: where they can change places, that is a tie.
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
          let near = NearRows(
            a: self, b: other, normsA: normsA, normsB: normsB)
          let product = MatrixKernel(
            a: a.baseAddress, b: b.baseAddress, c: c, leadingA: width, leadingB: width,
            leadingC: m, transposedB: true, inner: width, alpha: -2)
          workers.forEachUnchecked((n + height - 1) / height) { block in
            let rows = block * height..<min(n, (block + 1) * height)
            product.run(rows: rows, columns: 0..<m)
            for row in rows {
              lcw_distances_from_products(c + row * m, normsA[row], normsB, m)
              near.measure(row, c + row * m)
            }
          }
        }
      }
    }
    result.copyDistances(
      ofEqualRows: equalRows(norms: normsA), columns: other.equalRows(norms: normsB))
    return result
  }

  /// The first row that each row equals: itself, if there is none before it.
  /// - Parameter norms: A number for each row that is the same for equal rows.
  private func equalRows(norms: [Float]) -> [Int] {
    var first = Array(0..<shape.rows)
    var known: [Float: [Int]] = [:]
    for row in first.indices {
      let same = known[norms[row]]?.first { self.row($0).elementsEqual(self.row(row)) }
      if let same { first[row] = same } else { known[norms[row], default: []].append(row) }
    }
    return first
  }

  /// Gives rows and columns of distances those of the first that they equal: a product's rounding
  /// depends on the place in the matrix.
  private mutating func copyDistances(ofEqualRows rows: [Int], columns: [Int]) {
    let width = shape.rowCount
    let moved = columns.indices.filter { columns[$0] != $0 }
    for row in rows.indices {
      if rows[row] != row {
        let source = rows[row] * width
        elements.replaceSubrange(
          row * width..<(row + 1) * width, with: Array(elements[source..<source + width]))
      } else {
        for column in moved {
          elements[row * width + column] = elements[row * width + columns[column]]
        }
      }
    }
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

/// The pairs of rows whose distance is small beside their norms.
private struct NearRows {
  let a: Tensor
  let b: Tensor
  let normsA: [Float]
  let normsB: [Float]
  /// The share of the norms below which a product's rounding shows in a distance: above it the
  /// distance is right to four digits.
  private static let share: Float = 1e-3

  /// Computes the small ones among the distances of a row to all others from the differences.
  func measure(_ row: Int, _ distances: UnsafeMutablePointer<Float>) {
    let width = a.shape.rowCount
    let norm = normsA[row]
    for column in normsB.indices
    where distances[column] < NearRows.share * (norm + normsB[column]) {
      a.elements.withUnsafeBufferPointer { first in
        b.elements.withUnsafeBufferPointer { second in
          guard let x = first.baseAddress, let y = second.baseAddress else { return }
          distances[column] = Float(
            lcw_squared_distance(x + row * width, y + column * width, width))
        }
      }
    }
  }
}
