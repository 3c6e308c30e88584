// SPDX-License-Identifier: Apache-2.0
import LCWNumerics
import Testing

/// Problems of features that never vary: what is left of their products once means are taken out is rounding
/// alone.
struct ConstantFeatureTests {
  private func constant(_ value: Float, samples: Int) -> Tensor {
    Tensor([Float](repeating: value, count: samples * 6)).reshaped([samples, 6])
  }

  @Test(arguments: [0, 0.37, 1000], [1, 500])
  func `a window's outputs are the targets' means`(value: Double, samples: Int) throws {
    let x = constant(Float(value), samples: samples)
    var random = RandomStream(seed: 3)
    let y = random.normal([samples, 4])
    var problem = WindowedLeastSquares(
      features: 6, window: 6, outputs: 2, sets: 2, solvingBias: true, expecting: samples)
    problem.add(x, targets: y, workers: .serial)
    let solution = try problem.solution(
      of: [0, 1, 4], shares: [0.5, 0.5], reference: Tensor(zeros: [2, 3]), ridge: 1e-5)
    let bias = try #require(solution.bias)
    for output in 0..<2 {
      var mean = 0.0
      for row in 0..<samples {
        let first = Double(y.elements[row * 4 + output])
        let second = Double(y.elements[row * 4 + output + 2])
        mean += (first + second) / 2 / Double(samples)
      }
      let weights = solution.weights.row(output).map(Double.init)
      let fitted = weights.reduce(0) { $0 + $1 * value } + Double(bias.elements[output])
      #expect(abs(fitted - mean) < 1e-3)
      #expect(weights.allSatisfy { abs($0) * max(1, value) < 2 })
    }
    let exchange = FeatureExchange(problem, units: 3, ridge: 1e-5)
    let orders = try exchange.greedyOrders(blocks: [1, 2]) { _ in }
    #expect(orders.leaving.sorted() == [0, 1, 2] && orders.coming.sorted() == [0, 1, 2])
    #expect(try exchange.importances(inNetwork: 1).allSatisfy(\.isFinite))
  }

  @Test(arguments: [0, 0.37, 1000], [1, 500])
  func `a ridge problem's outputs are the targets' means`(value: Double, samples: Int) throws {
    var sum = GramAccumulator(order: 7)
    let ones = Tensor([Float](repeating: 1, count: samples)).reshaped([samples, 1])
    sum.add(Tensor.concatenation([constant(Float(value), samples: samples), ones]))
    let products = SymmetricMatrix.combination([sum.matrix], coefficients: [1 / Double(samples)])
    let right = (0..<7).map { $0 < 6 ? value * 0.25 : 0.25 }
    for ridge in [0, 1e-3] {
      let found = try RidgeProblem(matrix: products, right: right, hasOnes: true)
        .solution(ridge: ridge)
      let bias = try #require(found.bias?.first)
      #expect(abs(found.weights.reduce(0) { $0 + $1 * value } + bias - 0.25) < 1e-3)
    }
  }

  /// Constants of several sizes beside features that vary: neither fails, nor drowns the others.
  @Test(arguments: [[1000, 2000, 3000, 4000], [1e5], [100, 3e4]] as [[Float]])
  func `constants do not drown what varies`(constants: [Float]) throws {
    let (samples, varying) = (800, 8)
    let units = varying + constants.count
    var random = RandomStream(seed: 5)
    var x = random.normal([samples, 2 * units])
    for row in 0..<samples {
      for (index, constant) in constants.enumerated() {
        x.elements[row * 2 * units + units + varying + index] = constant
      }
    }
    var y = Tensor(zeros: [samples, 2])
    for row in 0..<samples {
      y.elements[row * 2] = x.elements[row * 2 * units] - x.elements[row * 2 * units + 1]
      y.elements[row * 2 + 1] = y.elements[row * 2]
    }
    var problem = WindowedLeastSquares(
      features: 2 * units, window: 2 * units, outputs: 1, sets: 2, solvingBias: true,
      expecting: samples)
    problem.add(x, targets: y, workers: .serial)
    let exchange = FeatureExchange(problem, units: units, ridge: 1e-5)
    let orders = try exchange.greedyOrders(blocks: [units / 2, units - units / 2]) { _ in }
    #expect(orders.coming.sorted() == Array(0..<units))
    _ = try exchange.importances(inNetwork: 1)
    let chosen = Array(0..<varying) + Array(units..<2 * units)
    let solution = try problem.solution(
      of: chosen, shares: [0.5, 0.5], reference: Tensor(zeros: [1, chosen.count]), ridge: 1e-5)
    #expect(abs(solution.weights.elements[0] - 1) < 0.02)
    #expect(abs(solution.weights.elements[1] + 1) < 0.02)
  }
}
