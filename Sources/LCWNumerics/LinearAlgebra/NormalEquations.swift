// SPDX-License-Identifier: Apache-2.0
import COpenBLAS

/// Normal equations M W = R of a least-squares problem, and how far their numbers can be trusted.
struct NormalEquations: Sendable {
  /// M, perhaps with a ridge on its diagonal.
  var matrix: SymmetricMatrix
  /// R, one target after the other, each of as many values as the matrix has rows.
  var right: [Double]
  /// Whether a ridge keeps the matrix away from singular ones.
  var isRidged: Bool
  /// The size, beside the largest eigenvalue, of what the products that M was summed from can't tell from
  /// zero.
  var roundingShare: Double

  /// The solution in the place of the right-hand sides, and the number of directions that it uses.
  ///
  /// By Cholesky where a ridge is there or the matrix is well enough conditioned, and otherwise by its
  /// eigenvectors, leaving out directions whose eigenvalue is lost in the rounding, so that the solution is
  /// the smallest one.
  ///
  /// - Throws: `NumericsError` if the numbers are not finite.
  func solution(workers: Workers) throws(NumericsError) -> (values: [Double], rank: Int) {
    let features = matrix.order
    guard features > 0 else { return (right, 0) }
    var values = right
    if let factor = try? CholeskyFactor(of: matrix),
      isRidged || factor.pivotRatio > roundingShare
    {
      factor.solve(&values, workers: workers)
      return (values, features)
    }
    let targets = right.count / features
    let (eigenvalues, vectors) = try matrix.eigendecomposition()
    let cutoff = (eigenvalues.last ?? 0) * roundingShare * Double(features).squareRoot()
    let kept = eigenvalues.indices.filter { eigenvalues[$0] > cutoff }
    guard !kept.isEmpty else { return ([Double](repeating: 0, count: right.count), 0) }
    // The coordinates along the eigenvectors, divided by the eigenvalues, and back.
    let basis = kept.flatMap { vectors[$0] }
    var coordinates = [Double](repeating: 0, count: targets * kept.count)
    cblas_dgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, blasint(targets), blasint(kept.count),
      blasint(features), 1, right, blasint(features), basis, blasint(features), 0, &coordinates,
      blasint(kept.count))
    for index in coordinates.indices { coordinates[index] /= eigenvalues[kept[index % kept.count]] }
    cblas_dgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(targets), blasint(features),
      blasint(kept.count), 1, coordinates, blasint(kept.count), basis, blasint(features), 0,
      &values,
      blasint(features))
    return (values, kept.count)
  }
}

extension SymmetricMatrix {
  /// The root of the sum of the values' squares (Frobenius).
  var norm: Double { elements.reduce(0) { $0 + $1 * $1 }.squareRoot() }
}
