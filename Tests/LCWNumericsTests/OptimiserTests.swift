// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWNumerics
import Testing

@Suite struct OptimiserTests {
  @Test(arguments: counts, [1, 2]) func sgd(count: Int, workers: Int) {
    let (before, gradient) = (normal([count]), normal([count], seed: 2))
    var (weights, velocity) = (before, gradient)
    weights.sgdStep(
      velocity: &velocity, rate: 0.1, decay: 0.01, workers: Workers(workers))
    let moved = zip(before.elements, gradient.elements).map { Double($1) + 0.01 * Double($0) }
    let expected = zip(before.elements, moved).map { Double($0) - 0.1 * $1 }
    #expect(largestError(velocity.elements, moved) < 1e-6)
    #expect(largestError(weights.elements, expected) < 1e-6)
  }

  @Test(arguments: counts, [1, 2]) func adam(count: Int, workers: Int) {
    let start = normal([count])
    var weights = start
    var (first, second) = (Tensor(zeros: [count]), Tensor(zeros: [count]))
    var w = start.elements.map { Double($0) }
    var (m, v) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
    let (rate, decay, beta1, beta2, epsilon) = (0.05, 0.02, 0.9, 0.999, 1e-3)
    for step in 1...3 {
      let gradient = normal([count], seed: UInt64(step + 7))
      weights.adamStep(
        firstMoment: &first, secondMoment: &second, gradient: gradient,
        constants: Tensor.AdamConstants(
          rate: Float(rate), decay: Float(decay), beta1: Float(beta1), beta2: Float(beta2),
          epsilon: Float(epsilon), step: step),
        workers: Workers(workers))
      for index in 0..<count {
        let g = Double(gradient.elements[index]) + decay * w[index]
        m[index] = beta1 * m[index] + (1 - beta1) * g
        v[index] = beta2 * v[index] + (1 - beta2) * g * g
        let (mHat, vHat) = (
          m[index] / (1 - pow(beta1, Double(step))), v[index] / (1 - pow(beta2, Double(step)))
        )
        w[index] -= rate * mHat / (vHat.squareRoot() + epsilon)
      }
    }
    #expect(largestError(first.elements, m) < 1e-6)
    #expect(largestError(second.elements, v) < 1e-6)
    #expect(largestError(weights.elements, w) < 2e-5)
  }

  @Test(arguments: [1, 2, 10, 1000, 100_000]) func adamCorrections(step: Int) {
    let constants = Tensor.AdamConstants(
      rate: 0, decay: 0, beta1: 0.9, beta2: 0.999, epsilon: 0, step: step)
    let expected = [Float(0.9), 0.999].map { 1 - pow(Double($0), Double(step)) }
    #expect(
      largestError([constants.correction1, constants.correction2], expected) < 1e-7)
  }
}
