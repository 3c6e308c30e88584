// SPDX-License-Identifier: Apache-2.0
import COpenBLAS

/// Linear least-squares problems over windows of neighbouring features, to which samples are added once for
/// all of them: for any window S of the features X, min ‖X_S Wᵀ + 1 bᵀ − Σₖ cₖ Yₖ‖² + λ ‖W − W₀‖².
///
/// The targets are several sets Yₖ of the same outputs, such as those of two networks, which a problem mixes.
/// Only the normal equations are kept, and of these only products of features that can lie in one window:
/// a row for each feature, as long as a window. Products of a block are in single precision and their sums
/// in double; with few samples for the features of a window, products are in double precision too, as in
/// ``LeastSquares``.
public struct WindowedLeastSquares: Sendable {
  /// The number of features.
  public let features: Int
  /// The most features of a window.
  public let window: Int
  /// The number of outputs.
  public let outputs: Int
  /// The number of sets of targets.
  public let sets: Int
  /// Whether a bias b is solved for besides the weights W.
  public let solvesBias: Bool
  /// The number of samples added.
  public private(set) var samples = 0

  private let isDouble: Bool
  /// Row i has the products of feature i with itself and those behind it, as many as a window has.
  private var band: [Double]
  /// Row k · outputs + o has the products of output o of set k with all features.
  private var cross: [Double]
  private var featureSums: [Double]
  private var targetSums: [Double]
  /// What is taken off all samples, so that sums of squares do not drown what varies.
  private var origin: SampleOrigin?

  /// The samples for each feature of a window below which products are in double precision.
  private static let ampleSamples = 4
  /// The rows of a panel: its product stays in the cache until it is added.
  private static let panel = 256

  /// A problem without samples.
  ///
  /// - Parameters:
  ///   - features: The number of features.
  ///   - window: The most features of a window.
  ///   - outputs: The number of outputs.
  ///   - sets: The number of sets of targets.
  ///   - solvesBias: Whether to solve for a bias.
  ///   - expected: The number of samples that will be added.
  public init(
    features: Int, window: Int, outputs: Int, sets: Int, solvingBias solvesBias: Bool,
    expecting expected: Int
  ) {
    precondition(window >= 0 && window <= features, "a window has no more than all features")
    self.features = features
    self.window = window
    self.outputs = outputs
    self.sets = sets
    self.solvesBias = solvesBias
    isDouble = expected / max(1, window) < Self.ampleSamples
    band = [Double](repeating: 0, count: features * window)
    cross = [Double](repeating: 0, count: sets * outputs * features)
    featureSums = [Double](repeating: 0, count: features)
    targetSums = [Double](repeating: 0, count: sets * outputs)
  }

  /// The bytes that the normal equations occupy, and those that a problem takes while it is solved.
  public static func bytes(
    features: Int, window: Int, targets: Int
  ) -> (kept: Double, solving: Double) {
    let (features, window, targets) = (Double(features), Double(window), Double(targets))
    return (8 * features * (window + targets), 8 * window * (2 * window + 3 * targets))
  }

  /// Adds samples.
  ///
  /// - Parameters:
  ///   - x: Their features, `[n, features]`.
  ///   - y: Their targets, `[n, sets · outputs]`, one set after the other.
  ///   - workers: The threads to divide the products among.
  public mutating func add(_ x: Tensor, targets y: Tensor, workers: Workers = .serial) {
    precondition(
      x.shape.rowCount == features && y.shape.rowCount == sets * outputs
        && x.shape.rows == y.shape.rows,
      "samples \(x.shape) and \(y.shape) do not fit \(features) features, \(sets * outputs) targets"
    )
    samples += x.shape.rows
    BLAS.useCallingThread()
    let (x, y) = solvesBias ? SampleOrigin.shifting(x, y, by: &origin) : (x, y)
    if isDouble {
      addDouble(x.elements.map(Double.init), y.elements.map(Double.init), x.shape.rows, workers)
    } else {
      addSingle(x, workers)
      var product = Tensor(unspecified: [sets * outputs, features])
      product.assignProduct(y.transposed, x.matrix, workers: workers)
      for index in cross.indices { cross[index] += Double(product.elements[index]) }
    }
    guard solvesBias else { return }
    x.addColumnSums(to: &featureSums)
    y.addColumnSums(to: &targetSums)
  }

  private mutating func addSingle(_ x: Tensor, _ workers: Workers) {
    let (order, window, samples) = (features, window, x.shape.rows)
    guard samples > 0, window > 0 else { return }
    band.withUnsafeMutableBufferPointer { band in
      x.elements.withUnsafeBufferPointer { x in
        guard let x = x.baseAddress else { return }
        workers.forEachUnchecked((order + Self.panel - 1) / Self.panel) { index in
          let first = index * Self.panel
          let rows = min(Self.panel, order - first)
          let columns = min(order - first, rows - 1 + window)
          withUnsafeTemporaryAllocation(of: Float.self, capacity: rows * columns) { product in
            guard let product = product.baseAddress else { return }
            MatrixKernel(
              a: x + first, b: x + first, c: product, leadingA: order, leadingB: order,
              leadingC: columns, transposedA: true, inner: samples
            ).run(rows: 0..<rows, columns: 0..<columns)
            for row in 0..<rows {
              let target = (first + row) * window
              for column in row..<min(columns, row + window) {
                band[target + column - row] += Double(product[row * columns + column])
              }
            }
          }
        }
      }
    }
  }

  private mutating func addDouble(
    _ x: [Double], _ y: [Double], _ samples: Int, _ workers: Workers
  ) {
    let (order, window) = (features, window)
    guard samples > 0, window > 0 else { return }
    band.withUnsafeMutableBufferPointer { band in
      x.withUnsafeBufferPointer { x in
        guard let x = x.baseAddress else { return }
        workers.forEachUnchecked((order + Self.panel - 1) / Self.panel) { index in
          let first = index * Self.panel
          let rows = min(Self.panel, order - first)
          let columns = min(order - first, rows - 1 + window)
          withUnsafeTemporaryAllocation(of: Double.self, capacity: rows * columns) { product in
            guard let product = product.baseAddress else { return }
            cblas_dgemm(
              CblasRowMajor, CblasTrans, CblasNoTrans, blasint(rows), blasint(columns),
              blasint(samples), 1, x + first, blasint(order), x + first, blasint(order), 0, product,
              blasint(columns))
            for row in 0..<rows {
              let target = (first + row) * window
              for column in row..<min(columns, row + window) {
                band[target + column - row] += product[row * columns + column]
              }
            }
          }
        }
      }
    }
    let targets = sets * outputs
    guard targets > 0 else { return }
    cblas_dgemm(
      CblasRowMajor, CblasTrans, CblasNoTrans, blasint(targets), blasint(order), blasint(samples),
      1, y, blasint(targets), x, blasint(order), 1, &cross, blasint(order))
  }

  /// The mean of the squares of the features' values: infinite or not a number if a sum overflowed.
  public var meanSquareOfFeatures: Double {
    guard samples > 0, features > 0, window > 0 else { return 0 }
    let trace = (0..<features).reduce(0) { $0 + band[$1 * window] }
    return trace / Double(samples) / Double(features)
  }

  /// Solves the problem of a window.
  ///
  /// The ridge and its least value are those of ``LeastSquares/solution(ridge:workers:)``; it pulls towards
  /// the reference instead of zero.
  ///
  /// - Parameters:
  ///   - chosen: The features of the problem, in any order, all of them in one window.
  ///   - shares: The share cₖ of each set in the targets.
  ///   - reference: W₀, `[outputs, chosen.count]`.
  ///   - ridge: λ, as a share of the features' mean square times the samples: 0 or more.
  ///   - workers: The threads.
  /// - Returns: W, `[outputs, chosen.count]`, and b, `[outputs]`, if it is solved for.
  /// - Throws: `NumericsError` if the samples are not finite.
  public func solution(
    of chosen: [Int], shares: [Double], reference: Tensor, ridge: Double,
    workers: Workers = .serial
  ) throws(NumericsError) -> (weights: Tensor, bias: Tensor?) {
    precondition(ridge >= 0, "a ridge is not negative")
    precondition(
      chosen.allSatisfy { 0 <= $0 && $0 < features } && spread(of: chosen) <= window
        && shares.count == sets && reference.shape == [outputs, chosen.count],
      "the features or their reference \(reference.shape) do not fit")
    let matrix = matrix(of: chosen)
    let reference = reference.elements.map(Double.init)
    // What the reference leaves of the targets, times the features.
    var right = targets(of: chosen, shares)
    matrix.subtractProduct(of: reference, from: &right)
    let ridged = ridged(matrix, ridge)
    let change = try NormalEquations(
      matrix: ridged, right: right, isRidged: ridge > 0, roundingShare: roundingShare
    ).solution(workers: workers).values
    let weights = zip(reference, change).map { $0 + $1 }
    return (
      Tensor(trusted: weights.map { Float($0) }, shape: [outputs, chosen.count]),
      solvesBias ? bias(for: weights, chosen, shares) : nil
    )
  }

  /// From the first of some features to the last.
  private func spread(of chosen: [Int]) -> Int {
    guard let first = chosen.min(), let last = chosen.max() else { return 0 }
    return last - first + 1
  }

  /// The matrix with the ridge of a problem, and never less than the products' rounding.
  func ridged(_ matrix: SymmetricMatrix, _ ridge: Double) -> SymmetricMatrix {
    guard ridge > 0, matrix.order > 0 else { return matrix }
    var result = matrix
    // The norm is an upper bound of the largest eigenvalue.
    let added = max(
      ridge * matrix.trace / Double(matrix.order), roundingShare / 2 * matrix.norm)
    result.addToDiagonal(added > 0 ? added : 1)
    return result
  }

  /// Whether what is left of a feature, once its mean is taken out, is the rounding of its square: such a
  /// feature has no products.
  private func isConstant(_ feature: Int) -> Bool {
    guard solvesBias, samples > 0 else { return false }
    let (square, sum) = (band[feature * window], featureSums[feature])
    guard square.isFinite else { return false }
    let varying = square - sum * sum / Double(samples)
    // Values far from zero have the rounding of their own last digits.
    let mean = (origin.map { Double($0.features.elements[feature]) } ?? 0) + sum / Double(samples)
    return varying <= (isDouble ? 0x1p-40 : 0x1p-20) * square
      || varying <= 0x1p-42 * mean * mean * Double(samples)
  }

  /// The products of some features of a window, without their means if a bias is solved for.
  func matrix(of chosen: [Int]) -> SymmetricMatrix {
    let (count, window) = (chosen.count, window)
    let means = chosen.map { solvesBias && samples > 0 ? featureSums[$0] / Double(samples) : 0 }
    let sums = chosen.map { solvesBias ? featureSums[$0] : 0 }
    let isConstant = chosen.map(isConstant)
    var upper = [Double](repeating: 0, count: count * count)
    upper.withUnsafeMutableBufferPointer { upper in
      band.withUnsafeBufferPointer { band in
        for (row, feature) in chosen.enumerated() where !isConstant[row] {
          for column in row..<count where !isConstant[column] {
            let other = chosen[column]
            let product =
              feature < other
              ? band[feature * window + other - feature] : band[other * window + feature - other]
            upper[row * count + column] = product - means[row] * sums[column]
          }
        }
      }
    }
    return SymmetricMatrix(upperTriangle: upper, order: count)
  }

  /// The products of some features with the mixed targets, without the means if a bias is solved for: a row
  /// for each output.
  func targets(of chosen: [Int], _ shares: [Double]) -> [Double] {
    var right = [Double](repeating: 0, count: outputs * chosen.count)
    for output in 0..<outputs {
      for (set, share) in shares.enumerated() where share != 0 {
        let row = set * outputs + output
        let mean = solvesBias && samples > 0 ? targetSums[row] / Double(samples) : 0
        for (place, feature) in chosen.enumerated() where !isConstant(feature) {
          right[output * chosen.count + place] +=
            share * (cross[row * features + feature] - mean * featureSums[feature])
        }
      }
    }
    return right
  }

  private func bias(
    for weights: [Double], _ chosen: [Int], _ shares: [Double]
  ) -> Tensor {
    let count = Double(max(1, samples))
    return Tensor(
      (0..<outputs).map { output in
        var sum = shares.enumerated().reduce(0) {
          $0 + $1.element * targetSums[$1.offset * outputs + output]
        }
        for (place, feature) in chosen.enumerated() {
          sum -= weights[output * chosen.count + place] * featureSums[feature]
        }
        guard let origin else { return Float(sum / count) }
        var shift = shares.enumerated().reduce(0) {
          $0 + $1.element * Double(origin.targets.elements[$1.offset * outputs + output])
        }
        for (place, feature) in chosen.enumerated() {
          shift -=
            weights[output * chosen.count + place] * Double(origin.features.elements[feature])
        }
        return Float(sum / count + shift)
      })
  }

  /// The size, beside the largest eigenvalue, of what products can't tell from zero.
  private var roundingShare: Double { isDouble ? 0x1p-27 : 0x1p-23 }
}

extension SymmetricMatrix {
  /// Subtracts M v for each row v of a matrix from the row of the same number.
  fileprivate func subtractProduct(of rows: [Double], from right: inout [Double]) {
    guard order > 0, !rows.isEmpty else { return }
    cblas_dsymm(
      CblasRowMajor, CblasRight, CblasUpper, blasint(rows.count / order), blasint(order), -1,
      elements, blasint(order), rows, blasint(order), 1, &right, blasint(order))
  }
}
