// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

extension LeastSquares {
  /// The solution of a layer's problem.
  ///
  /// - Parameters:
  ///   - ridge: As ``solution(ridge:workers:)``'s.
  ///   - layer: The layer, for messages.
  ///   - network: Its network.
  ///   - workers: The threads to divide the targets among.
  /// - Throws: ``ConnectionError/range(index:description:problem:)`` if features or the solution do not
  ///   fit single precision.
  func layerSolution(
    ridge: Double, layer: Int, of network: Network, workers: Workers
  ) throws(ConnectionError) -> Solution {
    let solution: Solution
    do {
      solution = try self.solution(ridge: ridge, workers: workers)
    } catch {
      let size = meanSquareOfFeatures
      let reason =
        if !size.isFinite {
          "gets inputs too large for single precision on the path: their squares overflow"
        } else if size < Double(Float.leastNormalMagnitude) {
          "gets inputs too small for single precision on the path: their squares vanish"
        } else {
          "can't be adjusted to its inputs on the path: \(error)"
        }
      throw ConnectionError.range(
        index: layer, description: network.describe(node: layer), problem: reason)
    }
    guard solution.weights.isFinite && (solution.bias?.isFinite ?? true) else {
      throw ConnectionError.range(
        index: layer, description: network.describe(node: layer),
        problem:
          "can't be adjusted in single precision: its weights overflow, since its inputs on the "
          + "path are too small beside what it should put out")
    }
    return solution
  }
}
