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

  private func part(of samples: Tensor, _ rows: Range<Int>) -> Tensor {
    Tensor(rows.flatMap { samples.row($0) }).reshaped([rows.count, samples.shape.rowCount])
  }

  /// Features far from zero, as those of hidden units with large biases: what they explain does not depend on
  /// where they lie.
  @Test(arguments: [0, 30, 1000] as [Float], [79, 4000])
  func `large means do not drown what varies`(mean: Float, samples: Int) throws {
    let features = 20
    var random = RandomStream(seed: 8)
    var x = random.normal([samples, features])
    let weights = random.normal([1, features])
    var y = Tensor(zeros: [samples, 1])
    y.assignProduct(x.matrix, weights.transposed)
    for row in 0..<samples {
      for feature in 0..<features {
        x.elements[row * features + feature] += mean * (1 + 0.02 * Float(feature))
      }
      y.elements[row] += mean
    }
    var problem = LeastSquares(
      features: features, targets: 1, solvingBias: true, expecting: samples)
    problem.add(part(of: x, 0..<40), targets: part(of: y, 0..<40))
    problem.add(part(of: x, 40..<samples), targets: part(of: y, 40..<samples))
    let solved = try problem.solution(ridge: 1e-8)
    var windowed = WindowedLeastSquares(
      features: features, window: features, outputs: 1, sets: 1, solvingBias: true,
      expecting: samples)
    windowed.add(part(of: x, 0..<40), targets: part(of: y, 0..<40))
    windowed.add(part(of: x, 40..<samples), targets: part(of: y, 40..<samples))
    let other = try windowed.solution(
      of: Array(0..<features), shares: [1], reference: Tensor(zeros: [1, features]), ridge: 1e-8)
    let origin = weights.elements.enumerated().reduce(Double(mean)) {
      $0 - Double($1.element) * Double(mean * (1 + 0.02 * Float($1.offset)))
    }
    for (found, bias) in [(solved.weights, solved.bias), (other.weights, other.bias)] {
      // What single precision leaves of a value near the mean.
      let rounding = 1e-5 + 1e-6 * Double(mean)
      #expect(largestError(found.elements, weights.elements.map(Double.init)) < 10 * rounding)
      let shift = Double(try #require(bias).elements[0])
      #expect(abs(shift - origin) < 1e-5 + 0.02 * rounding * Double(mean) * Double(features) * 10)
    }
  }

  @Test func `products that overflow are no constants`() throws {
    var problem = WindowedLeastSquares(
      features: 4, window: 4, outputs: 1, sets: 2, solvingBias: true, expecting: 100)
    var random = RandomStream(seed: 9)
    var x = random.normal([100, 4])
    for index in x.elements.indices { x.elements[index] *= 1e20 }
    problem.add(x, targets: Tensor(zeros: [100, 2]))
    #expect(!problem.meanSquareOfFeatures.isFinite)
    #expect(throws: NumericsError.self) {
      try problem.solution(
        of: [0, 1], shares: [1, 0], reference: Tensor(zeros: [1, 2]), ridge: 1e-5)
    }
    let exchange = FeatureExchange(problem, units: 2, ridge: 1e-5)
    #expect(throws: NumericsError.self) { try exchange.greedyOrders(blocks: [1, 1]) { _ in } }
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
