// SPDX-License-Identifier: Apache-2.0
import COpenBLAS

/// A least-squares problem given by its normal equations: W with W M = R, for a symmetric matrix M of the
/// features' mean products and a row of R for each target, with a ridge on W.
///
/// If the features end with a 1, its weight is the bias, and has no ridge.
public struct RidgeProblem: Sendable {
  /// The features' mean products, `[features]` squared, with those of the 1 last if there is one.
  public let matrix: SymmetricMatrix
  /// The mean products of what is wanted with the features, row by row.
  public let right: [Double]
  /// Whether the last feature is a 1.
  public let hasOnes: Bool

  /// A problem.
  public init(matrix: SymmetricMatrix, right: [Double], hasOnes: Bool) {
    precondition(
      matrix.order > 0 && right.count % matrix.order == 0,
      "\(right.count) values are no rows of \(matrix.order)")
    self.matrix = matrix
    self.right = right
    self.hasOnes = hasOnes
  }

  /// The rounding of products in single precision, beside the matrix's norm.
  private static let roundingShare = 0x1p-24

  /// What solves the problem.
  ///
  /// - Parameters:
  ///   - ridge: λ, as a share of the mean of the diagonal once the bias is solved for. It is never below what the
  ///     products' rounding can't tell from zero.
  ///   - workers: The threads to divide the targets among.
  /// - Returns: The weights, a row for each target, and the bias if there is a 1.
  /// - Throws: `NumericsError` if the matrix is not finite, or is not one of products.
  public func solution(
    ridge: Double, workers: Workers = .serial
  ) throws(NumericsError) -> (weights: [Double], bias: [Double]?) {
    let features = matrix.order - (hasOnes ? 1 : 0)
    let targets = right.count / matrix.order
    guard features > 0 else {
      return ([], hasOnes ? (0..<targets).map { right[$0] / matrix[0, 0] } : nil)
    }
    var own = hasOnes ? matrix.leading(features) : matrix
    var rows = right
    var means: [Double] = []
    let ones = hasOnes ? matrix[features, features] : 1
    if hasOnes {
      // Taking the means out solves for the bias beforehand.
      means = (0..<features).map { matrix[$0, features] / ones }
      own.subtractOuterProduct(of: means, scaled: ones)
      rows = []
      rows.reserveCapacity(targets * features)
      for target in 0..<targets {
        let row = right[target * matrix.order..<(target + 1) * matrix.order]
        let last = row[row.endIndex - 1]
        rows += zip(row.dropLast(), means).map { $0 - last * $1 }
      }
    }
    // What is left of a feature that hardly varies is the rounding of its square: it has no products.
    for feature in 0..<(hasOnes ? features : 0)
    where own[feature, feature] <= 0x1p-20 * matrix[feature, feature] {
      for other in 0..<features { own[feature, other] = 0 }
      for target in 0..<targets { rows[target * features + feature] = 0 }
    }
    let scale = own.trace / Double(features)
    let added = max(ridge * scale, Self.roundingShare * own.norm)
    own.addToDiagonal(added > 0 ? added : 1)
    try CholeskyFactor(liftingAsNeeded: own).solve(&rows, workers: workers)
    guard hasOnes else { return (rows, nil) }
    let bias = (0..<targets).map { target in
      let fitted = zip(rows[target * features..<(target + 1) * features], means)
        .reduce(0) { $0 + $1.0 * $1.1 }
      return right[(target + 1) * matrix.order - 1] / ones - fitted
    }
    return (rows, bias)
  }
}

extension SymmetricMatrix {
  /// The first rows and columns.
  func leading(_ count: Int) -> SymmetricMatrix {
    var result = SymmetricMatrix(order: count)
    result.modifyElements { values in
      for row in 0..<count {
        for column in 0..<count { values[row * count + column] = elements[row * order + column] }
      }
    }
    return result
  }

  /// Σ cⱼ Mⱼ of matrices of one order.
  public static func combination(
    _ matrices: [SymmetricMatrix], coefficients: [Double]
  ) -> SymmetricMatrix {
    precondition(
      matrices.count == coefficients.count && Set(matrices.map(\.order)).count == 1,
      "a combination needs matrices of one order and a coefficient for each")
    var result = SymmetricMatrix(order: matrices[0].order)
    for (matrix, coefficient) in zip(matrices, coefficients) where coefficient != 0 {
      result.modifyElements { values in
        matrix.elements.withUnsafeBufferPointer { own in
          for index in values.indices { values[index] += coefficient * own[index] }
        }
      }
    }
    return result
  }

  /// Multiplies all that is off the diagonal.
  public mutating func scaleOffDiagonal(by factor: Double) {
    let order = order
    modifyElements { values in
      for row in 0..<order {
        for column in 0..<order where column != row { values[row * order + column] *= factor }
      }
    }
  }

  /// The matrix with some rows and columns in others' places: of index i what was of `indices[i]`.
  public func picking(_ indices: [Int]) -> SymmetricMatrix {
    var result = SymmetricMatrix(order: indices.count)
    result.modifyElements { values in
      for (row, source) in indices.enumerated() {
        for (column, other) in indices.enumerated() {
          values[row * indices.count + column] = elements[source * order + other]
        }
      }
    }
    return result
  }

  /// rows · M[range, columns], for a matrix `[n, range.count]`, row by row.
  ///
  /// - Parameters:
  ///   - rows: The left factor, row by row.
  ///   - range: The rows of M that are taken.
  ///   - columns: The columns of M that are taken.
  public func product(of rows: [Double], with range: Range<Int>, columns: Range<Int>) -> [Double] {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= order && columns.lowerBound >= 0
        && columns.upperBound <= order && !range.isEmpty && rows.count % range.count == 0,
      "rows \(range) and columns \(columns) do not fit \(order)")
    let count = rows.count / range.count
    var result = [Double](repeating: 0, count: count * columns.count)
    guard count > 0, !columns.isEmpty else { return result }
    BLAS.useCallingThread()
    elements.withUnsafeBufferPointer { own in
      guard let own = own.baseAddress else { return }
      cblas_dgemm(
        CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(count), blasint(columns.count),
        blasint(range.count), 1, rows, blasint(range.count),
        own + range.lowerBound * order + columns.lowerBound, blasint(order), 0, &result,
        blasint(columns.count))
    }
    return result
  }
}
