// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// What a layer between two networks is solved for, from their own features alone: layers do not depend on each
/// other.
public enum MergingRule: Sendable, Hashable {
  /// What each network's layer puts out on its own features, with the weights 1 − t and t: W minimises
  /// (1 − t) ‖(W − W_A) X_A‖² + t ‖(W − W_B) X_B‖² (RegMean; Jin et al. 2022). What is off the diagonal of
  /// both networks' products XᵀX counts `shrink` times.
  case eachNetwork(shrink: Double)
  /// The mean of both outputs on the mean of both features: W minimises
  /// ‖W ((1 − t) X_A + t X_B) − ((1 − t) W_A X_A + t W_B X_B)‖² (PLeaS; Nasery et al. 2024).
  case meanFeatures
}

/// The normal equations of one part of a layer at every time: those of the change of the weights on the straight
/// line between both networks'. It is zero at both ends, whatever the features.
///
/// With D the difference of both networks' weights and bias, for RegMean
/// Δ [(1 − t) G_A + t G_B] = t (1 − t) D (G_A − G_B), and for PLeaS, with x = (1 − t) x_A + t x_B,
/// Δ E[x xᵀ] = t (1 − t) D E[(x_A − x_B) xᵀ].
struct MergedPart: Sendable {
  private var matrices: [SymmetricMatrix] = []
  private var rights: [[Double]] = []
  private let rule: MergingRule
  private let hasOnes: Bool

  /// The features that are counted for each sample: of both networks, and a 1 where a bias is solved for.
  static func columns(_ features: Int, _ rule: MergingRule, hasOnes: Bool) -> [Int] {
    let own = features + (hasOnes ? 1 : 0)
    switch rule {
    case .eachNetwork: return [own, own]
    case .meanFeatures: return [2 * features + (hasOnes ? 1 : 0)]
    }
  }

  /// The bytes that the products of one part take.
  static func bytes(features: Int, targets: Int, _ rule: MergingRule) -> Int {
    // The sums, their symmetric form, and what is kept of them.
    let sums = columns(features, rule, hasOnes: true).reduce(0) { $0 + $1 * $1 }
    return 8 * (2 * sums + 4 * (features + 1) * targets)
  }

  /// - Parameters:
  ///   - products: The mean products of ``columns(_:_:hasOnes:)``.
  ///   - difference: The first network's weights less the second's, `[targets, features]`.
  ///   - biases: The difference of the biases, where it is solved for.
  init(
    _ products: [SymmetricMatrix], difference: [Double], biases: [Double]?, features: Int,
    rule: MergingRule
  ) {
    self.rule = rule
    hasOnes = biases != nil
    let order = features + (hasOnes ? 1 : 0)
    switch rule {
    case .eachNetwork(let shrink):
      matrices = products.map { product in
        var matrix = product
        if shrink != 1 { matrix.scaleOffDiagonal(by: shrink) }
        return matrix
      }
      var rows = difference
      if let biases {
        rows = biases.indices.flatMap {
          difference[$0 * features..<($0 + 1) * features] + [biases[$0]]
        }
      }
      rights = [
        SymmetricMatrix.combination(matrices, coefficients: [1, -1])
          .product(of: rows, with: 0..<order, columns: 0..<order)
      ]
    case .meanFeatures:
      let all = products[0]
      let ones = hasOnes ? [2 * features] : []
      let (first, second) = (Array(0..<features), Array(features..<2 * features))
      let own = [first, second].map { all.picking($0 + ones) }
      // The features of one network with those of the other, and the other way round.
      let sums = all.summingHalves(features, hasOnes: hasOnes)
      matrices = own + [SymmetricMatrix.combination([sums] + own, coefficients: [1, -1, -1])]
      func right(_ rows: Range<Int>, _ columns: Range<Int>, _ mean: Range<Int>) -> [Double] {
        let products = all.product(of: difference, with: rows, columns: columns)
        guard hasOnes else { return products }
        let means = all.product(
          of: difference, with: mean, columns: 2 * features..<2 * features + 1)
        return means.indices.flatMap {
          products[$0 * features..<($0 + 1) * features] + [means[$0]]
        }
      }
      let (a, b) = (0..<features, features..<2 * features)
      rights = [right(a, a, a), right(b, b, b), right(a, b, a), right(b, a, b)]
    }
  }

  /// The problem at a time.
  func problem(at time: Double) -> RidgeProblem {
    let (s, t) = (1 - time, time)
    let matrix: SymmetricMatrix
    var factors: [Double]
    switch rule {
    case .eachNetwork:
      matrix = .combination(matrices, coefficients: [s, t])
      factors = [1]
    case .meanFeatures:
      matrix = .combination(matrices, coefficients: [s * s, t * t, s * t])
      factors = [s, -t, t, -s]
    }
    factors = factors.map { s * t * $0 }
    var right = [Double](repeating: 0, count: rights[0].count)
    for (own, factor) in zip(rights, factors) {
      for index in right.indices { right[index] += factor * own[index] }
    }
    return RidgeProblem(matrix: matrix, right: right, hasOnes: hasOnes)
  }
}

extension SymmetricMatrix {
  /// The products of x_A + x_B, and of the 1 counted twice, from those of [x_A, x_B, 1]: with both networks' own
  /// products taken off, what is between them is left.
  fileprivate func summingHalves(_ features: Int, hasOnes: Bool) -> SymmetricMatrix {
    let parts = (0..<features).map { [$0, $0 + features] } + (hasOnes ? [[2 * features]] : [])
    let weight = (0..<features).map { _ in 1.0 } + (hasOnes ? [2] : [])
    var result = SymmetricMatrix(order: parts.count)
    for row in parts.indices {
      for column in row..<parts.count {
        var sum = 0.0
        for a in parts[row] {
          for b in parts[column] { sum += self[a, b] }
        }
        result[row, column] = weight[row] * weight[column] * sum
      }
    }
    return result
  }
}
