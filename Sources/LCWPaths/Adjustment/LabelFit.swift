// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// The change of a softmax layer that fits labels best: min (1/n) Σ cross-entropy + ½ λ ‖Δ‖².
struct LabelFit: Sendable {
  /// Rows of features, in blocks.
  let blocks: [Tensor]
  /// The labels of each block.
  let labels: [[Int32]]
  /// The weights that the change is added to, `[classes, width]`.
  let start: [Float]
  /// The number of classes.
  let classes: Int
  /// λ as a share of the features' mean square.
  let ridge: Double

  /// The number of features.
  var width: Int { start.count / max(1, classes) }

  /// The steps after which the fit is as good as it gets.
  private static let steps = 200
  /// The pairs of steps and changes of the gradient that L-BFGS remembers.
  private static let memory = 12
  /// What is left to gain by the guess of the curvature, in cross-entropy, when the fit ends.
  private static let tolerance = 1e-15
  /// The rounding of the value, as a share of it.
  private static let rounding = 1e-6
  /// The rows that the curvature is guessed from, for each feature.
  private static let guessedRows = 4

  /// A value and its gradient.
  private struct Slope {
    var value: Double
    var gradient: [Double]
  }

  /// The change, row by row.
  /// - Throws: `NumericsError` if the features are not finite.
  func solution(workers: Workers) throws(NumericsError) -> [Double] {
    let (factor, penalty) = try curvature(workers: workers)
    var change = [Double](repeating: 0, count: start.count)
    var slope = slope(at: change, penalty, workers)
    var history: [(step: [Double], turn: [Double], scale: Double)] = []
    for _ in 0..<Self.steps {
      let direction = direction(slope.gradient, history, factor, workers)
      let gain = -dot(direction, slope.gradient)
      guard gain > Self.tolerance, gain.isFinite else { break }
      var (length, isFound) = (1.0, false)
      for _ in 0..<12 {
        let trial = zip(change, direction).map { $0 + length * $1 }
        let next = self.slope(at: trial, penalty, workers)
        // Near the minimum the value's rounding hides what a step gains, but not where the slope turns
        // (Hager and Zhang 2005, section 2).
        let isLower = next.value <= slope.value - 1e-4 * length * gain
        let isLevel = next.value <= slope.value + Self.rounding * abs(slope.value)
        if isLower || isLevel && abs(dot(next.gradient, direction)) <= 0.5 * gain {
          let step = direction.map { length * $0 }
          let turn = zip(next.gradient, slope.gradient).map { $0 - $1 }
          let scale = dot(step, turn)
          if scale > 0 {
            history.append((step, turn, scale))
            if history.count > Self.memory { history.removeFirst() }
          }
          (change, slope, isFound) = (trial, next, true)
          break
        }
        length /= 2
      }
      // Rounding hides what is left.
      if !isFound { break }
    }
    return change
  }

  /// The factor of ½ XᵀX / n + λ, and λ.
  private func curvature(
    workers: Workers
  ) throws(NumericsError) -> (factor: CholeskyFactor, penalty: Double) {
    var gram = GramAccumulator(order: width)
    var rows = 0
    for block in blocks where rows < Self.guessedRows * width {
      gram.add(block, workers: workers)
      rows += block.shape.rows
    }
    let sums = gram.matrix
    let penalty = max(
      ridge * sums.trace / Double(max(1, rows * width)), Double(Float.leastNormalMagnitude))
    var half = SymmetricMatrix(order: width)
    for row in 0..<width {
      for column in row..<width { half[row, column] = sums[row, column] / Double(2 * max(1, rows)) }
    }
    half.addToDiagonal(penalty)
    return (try CholeskyFactor(of: half), penalty)
  }

  private func slope(at change: [Double], _ penalty: Double, _ workers: Workers) -> Slope {
    let weights = Tensor(zip(start, change).map { Float(Double($0) + $1) })
      .reshaped([classes, width])
    let count = labels.reduce(0) { $0 + $1.count }
    let parts = workers.values(blocks.count) { index in
      let block = blocks[index]
      var logits = Tensor(unspecified: [block.shape.rows, classes])
      logits.assignProduct(block.matrix, weights.transposed)
      let sums = logits.becomeCrossEntropyGradient(labels: labels[index][...], scale: 1)
      var gradient = Tensor(unspecified: [classes, width])
      gradient.assignProduct(logits.transposed, block.matrix)
      return (loss: sums.crossEntropy, gradient: gradient)
    }
    var slope = Slope(value: 0, gradient: change.map { penalty * $0 })
    for part in parts {
      slope.value += part.loss / Double(count)
      for (index, value) in part.gradient.elements.enumerated() {
        slope.gradient[index] += Double(value) / Double(count)
      }
    }
    slope.value += penalty / 2 * dot(change, change)
    return slope
  }

  /// L-BFGS's two loops.
  private func direction(
    _ gradient: [Double], _ history: [(step: [Double], turn: [Double], scale: Double)],
    _ factor: CholeskyFactor, _ workers: Workers
  ) -> [Double] {
    var direction = gradient.map { -$0 }
    var shares: [Double] = []
    for pair in history.reversed() {
      let share = dot(pair.step, direction) / pair.scale
      shares.append(share)
      for index in direction.indices { direction[index] -= share * pair.turn[index] }
    }
    factor.solve(&direction, workers: workers)
    for (pair, share) in zip(history, shares.reversed()) {
      let back = share - dot(pair.turn, direction) / pair.scale
      for index in direction.indices { direction[index] += back * pair.step[index] }
    }
    return direction
  }

  private func dot(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }
}
