// SPDX-License-Identifier: Apache-2.0
import COpenBLAS

/// A linear least-squares problem with several targets, to which samples are added block by block:
/// min ‖X Wᵀ + 1 bᵀ − Y‖² + λ ‖W‖² for X `[samples, features]` and Y `[samples, targets]`.
///
/// Only the normal equations are kept, so that memory does not depend on the number of samples,
/// and the work for each is a rank-one update done as matrix products (Golub and Van Loan, Matrix
/// Computations, section 5.3.2). Products of a block are in single precision, their sums in double;
/// a block is best some thousand samples. With few samples for the features, some directions hang on the
/// last digits of the products, and these are in double precision.
public struct LeastSquares: Sendable {
  /// The number of features.
  public let features: Int
  /// The number of targets.
  public let targets: Int
  /// Whether a bias b is solved for besides the weights W.
  public let solvesBias: Bool
  /// The number of samples added.
  public private(set) var samples = 0

  private var gram: Gram
  /// YᵀX, row by row.
  private var cross: [Double]
  private var featureSums: [Double]
  private var targetSums: [Double]
  private var targetSquares = 0.0
  /// What is taken off all samples, so that sums of squares do not drown what varies.
  private var origin: SampleOrigin?

  /// XᵀX, in one precision or the other.
  private enum Gram: Sendable {
    case single(GramAccumulator)
    case double(SymmetricMatrix)
  }

  /// The samples for each feature below which products are in double precision.
  private static let ampleSamples = 4

  /// A problem without samples.
  ///
  /// - Parameters:
  ///   - features: The number of features.
  ///   - targets: The number of targets.
  ///   - solvesBias: Whether to solve for a bias.
  ///   - expected: The number of samples that will be added; ample ones if there is no number.
  public init(
    features: Int, targets: Int, solvingBias solvesBias: Bool, expecting expected: Int? = nil
  ) {
    self.features = features
    self.targets = targets
    self.solvesBias = solvesBias
    let isAmple = expected.map { $0 / max(1, features) >= Self.ampleSamples } ?? true
    gram =
      isAmple
      ? .single(GramAccumulator(order: features)) : .double(SymmetricMatrix(order: features))
    cross = [Double](repeating: 0, count: targets * features)
    featureSums = [Double](repeating: 0, count: features)
    targetSums = [Double](repeating: 0, count: targets)
  }

  /// The bytes a problem occupies.
  public static func bytes(features: Int, targets: Int) -> Int {
    8 * (features * features + targets * features)
  }

  /// Adds samples.
  ///
  /// - Parameters:
  ///   - x: Their features, `[n, features]`.
  ///   - y: Their targets, `[n, targets]`.
  ///   - workers: The threads to divide the products among.
  public mutating func add(_ x: Tensor, targets y: Tensor, workers: Workers = .serial) {
    precondition(
      x.shape.rowCount == features && y.shape.rowCount == targets && x.shape.rows == y.shape.rows,
      "samples \(x.shape) and \(y.shape) do not fit \(features) features and \(targets) targets")
    samples += x.shape.rows
    let (x, y) = solvesBias ? SampleOrigin.shifting(x, y, by: &origin) : (x, y)
    switch gram {
    case .single(var sum):
      gram = .double(SymmetricMatrix(order: 0))
      sum.add(x, workers: workers)
      gram = .single(sum)
      var product = Tensor(unspecified: [targets, features])
      product.assignProduct(y.transposed, x.matrix, workers: workers)
      for index in cross.indices { cross[index] += Double(product.elements[index]) }
    case .double(var sum):
      gram = .double(SymmetricMatrix(order: 0))
      sum.addGram(of: x, workers: workers)
      gram = .double(sum)
      addCross(x, y)
    }
    if solvesBias {
      x.addColumnSums(to: &featureSums)
      y.addColumnSums(to: &targetSums)
    }
    for value in y.elements { targetSquares += Double(value) * Double(value) }
  }

  private mutating func addCross(_ x: Tensor, _ y: Tensor) {
    BLAS.useCallingThread()
    let (x, y, count) = (x.elements.map(Double.init), y.elements.map(Double.init), x.shape.rows)
    guard count > 0, features > 0, targets > 0 else { return }
    cblas_dgemm(
      CblasRowMajor, CblasTrans, CblasNoTrans, blasint(targets), blasint(features),
      blasint(count), 1, y, blasint(targets), x, blasint(features), 1, &cross, blasint(features))
  }

  /// The mean of the squares of the features' values: infinite or not a number if a sum overflowed.
  public var meanSquareOfFeatures: Double {
    let trace =
      switch gram {
      case .single(let sum): sum.matrix.trace
      case .double(let sum): sum.trace
      }
    return samples > 0 && features > 0 ? trace / Double(samples) / Double(features) : 0
  }

  /// What minimises the sum.
  public struct Solution: Sendable {
    /// W, `[targets, features]`.
    public let weights: Tensor
    /// b, `[targets]`, if it was solved for.
    public let bias: Tensor?
    /// The root mean square of what remains of a target.
    public let residual: Double
    /// The number of directions of the features that the solution uses; all, if the Cholesky
    /// factorisation served.
    public let rank: Int
  }

  /// Solves the problem.
  ///
  /// With a ridge, by Cholesky; λ is then never below what the products' rounding can't tell from zero,
  /// so that the solution is a continuous function of the samples. Without one, by Cholesky where the
  /// matrix is well enough conditioned, and otherwise by its eigenvectors, leaving out directions whose
  /// eigenvalue is lost in the rounding, so that the solution is the smallest one.
  ///
  /// - Parameters:
  ///   - ridge: λ, as a share of the features' mean square times the samples: 0 or more.
  ///   - workers: The threads to divide the targets among.
  /// - Throws: `NumericsError` if the samples are not finite.
  public func solution(
    ridge: Double = 0, workers: Workers = .serial
  ) throws(NumericsError) -> Solution {
    precondition(ridge >= 0, "a ridge is not negative")
    var matrix =
      switch gram {
      case .single(let sum): sum.matrix
      case .double(let sum): sum
      }
    var right = cross
    if solvesBias, samples > 0 { center(&matrix, &right) }
    let scale = features > 0 ? matrix.trace / Double(features) : 0
    let (centered, centeredRight) = (matrix, right)
    if ridge > 0 {
      // The norm is an upper bound of the largest eigenvalue.
      matrix.addToDiagonal(max(ridge * scale, roundingShare / 2 * matrix.norm))
    }
    let rank: Int
    (right, rank) = try NormalEquations(
      matrix: matrix, right: right, isRidged: ridge > 0, roundingShare: roundingShare
    ).solution(workers: workers)
    let bias = solvesBias ? bias(for: right) : nil
    return Solution(
      weights: Tensor(trusted: right.map { Float($0) }, shape: [targets, features]), bias: bias,
      residual: residual(of: right, centered, centeredRight), rank: rank)
  }

  /// Takes the means out of the products, which solves for the bias beforehand.
  private func center(_ matrix: inout SymmetricMatrix, _ right: inout [Double]) {
    let count = Double(samples)
    matrix.subtractOuterProduct(of: featureSums, scaled: 1 / count)
    for target in 0..<targets {
      let share = targetSums[target] / count
      for feature in 0..<features {
        right[target * features + feature] -= share * featureSums[feature]
      }
    }
  }

  private func bias(for weights: [Double]) -> Tensor {
    let count = Double(max(1, samples))
    return Tensor(
      (0..<targets).map { target in
        let row = weights[target * features..<(target + 1) * features]
        let fitted = zip(row, featureSums).reduce(0) { $0 + $1.0 * $1.1 }
        guard let origin else { return Float((targetSums[target] - fitted) / count) }
        let shift = zip(row, origin.features.elements).reduce(
          Double(origin.targets.elements[target])
        ) {
          $0 - $1.0 * Double($1.1)
        }
        return Float((targetSums[target] - fitted) / count + shift)
      })
  }

  /// The size, beside the largest eigenvalue, of what products can't tell from zero. The samples
  /// themselves are in single precision, but their rounding averages out.
  private var roundingShare: Double {
    switch gram {
    case .single: 0x1p-23
    case .double: 0x1p-27
    }
  }

  /// From ‖Y − X Wᵀ‖² = ‖Y‖² − 2 ⟨W, YᵀX⟩ + ⟨W, W XᵀX⟩, with the means taken out.
  private func residual(
    of weights: [Double], _ matrix: SymmetricMatrix, _ right: [Double]
  ) -> Double {
    guard samples > 0, targets > 0 else { return 0 }
    var sum = targetSquares
    if solvesBias { sum -= targetSums.reduce(0) { $0 + $1 * $1 } / Double(samples) }
    sum -= 2 * zip(weights, right).reduce(0) { $0 + $1.0 * $1.1 }
    sum += matrix.quadraticForms(of: weights).reduce(0, +)
    return (max(0, sum) / Double(samples * targets)).squareRoot()
  }
}

extension SymmetricMatrix {
  /// Subtracts `scale` · v vᵀ.
  mutating func subtractOuterProduct(of vector: [Double], scaled scale: Double) {
    precondition(vector.count == order, "the vector is not of length \(order)")
    let order = order
    modifyElements { values in
      for row in 0..<order {
        let factor = scale * vector[row]
        for column in 0..<order { values[row * order + column] -= factor * vector[column] }
      }
    }
  }

  /// vᵀ M v for each row v of a matrix `[n, order]`.
  fileprivate func quadraticForms(of rows: [Double]) -> [Double] {
    guard order > 0 else { return [] }
    BLAS.useCallingThread()
    let count = rows.count / order
    var products = [Double](repeating: 0, count: rows.count)
    cblas_dsymm(
      CblasRowMajor, CblasRight, CblasUpper, blasint(count), blasint(order), 1, elements,
      blasint(order), rows, blasint(order), 0, &products, blasint(order))
    return (0..<count).map { row in
      (row * order..<(row + 1) * order).reduce(0) { $0 + products[$1] * rows[$1] }
    }
  }
}

extension Tensor {
  /// Adds each column's sum to an element of `sums`.
  func addColumnSums(to sums: inout [Double]) {
    let width = shape.rowCount
    elements.withUnsafeBufferPointer { values in
      sums.withUnsafeMutableBufferPointer { sums in
        for row in 0..<shape.rows {
          for column in 0..<width { sums[column] += Double(values[row * width + column]) }
        }
      }
    }
  }
}
