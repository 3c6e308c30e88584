// SPDX-License-Identifier: Apache-2.0
import LCWNumerics
import Testing

/// Problems over windows of features against those of their features alone.
struct WindowedLeastSquaresTests {
  private func random(_ shape: Shape, seed: UInt64) -> Tensor {
    var stream = RandomStream(seed: seed)
    return stream.normal(shape)
  }

  private func columns(_ tensor: Tensor, _ chosen: [Int]) -> Tensor {
    let rows = (0..<tensor.shape.rows).map { Array(tensor.row($0)) }
    return Tensor(rows.flatMap { row in chosen.map { row[$0] } })
      .reshaped([tensor.shape.rows, chosen.count])
  }

  /// Features that are not centred, and two sets of two targets.
  private func problem(
    samples: Int, features: Int, window: Int, bias: Bool
  ) -> (WindowedLeastSquares, x: Tensor, y: Tensor) {
    var x = random([samples, features], seed: 1)
    for index in x.elements.indices { x.elements[index] += 0.5 }
    let y = random([samples, 4], seed: 2)
    var problem = WindowedLeastSquares(
      features: features, window: window, outputs: 2, sets: 2, solvingBias: bias,
      expecting: samples)
    for start in stride(from: 0, to: samples, by: 90) {
      let rows = start..<min(start + 90, samples)
      func part(_ tensor: Tensor) -> Tensor {
        Tensor(rows.flatMap { tensor.row($0) }).reshaped([rows.count, tensor.shape.rowCount])
      }
      problem.add(part(x), targets: part(y), workers: Workers(2))
    }
    return (problem, x, y)
  }

  @Test(arguments: [(2000, 300, 150), (60, 40, 20), (500, 8, 8)], [true, false])
  func `a window's solution is that of its features alone`(
    size: (samples: Int, features: Int, window: Int), bias: Bool
  ) throws {
    let (problem, x, y) = problem(
      samples: size.samples, features: size.features, window: size.window, bias: bias)
    for start in [0, size.features - size.window, (size.features - size.window) / 3] {
      let chosen = Array(start..<start + size.window)
      let solution = try problem.solution(
        of: chosen, shares: [0.3, 0.7], reference: Tensor(zeros: [2, chosen.count]), ridge: 1e-4)
      var alone = LeastSquares(
        features: chosen.count, targets: 2, solvingBias: bias, expecting: size.samples)
      let mixed = Tensor(
        (0..<size.samples).flatMap { row -> [Float] in
          let values = Array(y.row(row))
          return [0.3 * values[0] + 0.7 * values[2], 0.3 * values[1] + 0.7 * values[3]]
        }
      ).reshaped([size.samples, 2])
      alone.add(columns(x, chosen), targets: mixed)
      let expected = try alone.solution(ridge: 1e-4)
      #expect(solution.weights.maximumDistance(to: expected.weights) < 1e-4)
      #expect((solution.bias == nil) == !bias)
      if let found = solution.bias, let bias = expected.bias {
        #expect(found.maximumDistance(to: bias) < 1e-4)
      }
    }
  }

  @Test
  func
    `the order of chosen features is that of the weights, and a reference is where weights stay`()
    throws
  {
    let (problem, _, _) = problem(samples: 900, features: 12, window: 12, bias: true)
    let sorted = try problem.solution(
      of: [2, 5, 9], shares: [1, 0], reference: Tensor(zeros: [2, 3]), ridge: 1e-6)
    let other = try problem.solution(
      of: [9, 2, 5], shares: [1, 0], reference: Tensor(zeros: [2, 3]), ridge: 1e-6)
    for output in 0..<2 {
      let (a, b) = (Array(sorted.weights.row(output)), Array(other.weights.row(output)))
      #expect(abs(a[0] - b[1]) < 1e-5 && abs(a[1] - b[2]) < 1e-5 && abs(a[2] - b[0]) < 1e-5)
    }
    let reference = random([2, 3], seed: 5)
    let held = try problem.solution(
      of: [2, 5, 9], shares: [1, 0], reference: reference, ridge: 1e9)
    #expect(held.weights.maximumDistance(to: reference) < 1e-5)
  }

  @Test func `without features the bias alone is solved for`() throws {
    let (problem, _, y) = problem(samples: 400, features: 6, window: 3, bias: true)
    let solution = try problem.solution(
      of: [], shares: [0, 1], reference: Tensor(zeros: [2, 0]), ridge: 1e-5)
    let mean = (0..<400).reduce(Float(0)) { $0 + Array(y.row($1))[2] } / 400
    #expect(solution.weights.count == 0)
    #expect(abs((solution.bias?.elements[0] ?? .nan) - mean) < 1e-5)
  }
}

struct FeatureExchangeTests {
  /// Two networks of eight units; the second's units are the first's in reverse order, but that unit 3 of the
  /// first is dead and unit 6 of the second is nothing that the outputs need.
  private func exchange(samples: Int = 600) throws -> FeatureExchange {
    var random = RandomStream(seed: 3)
    let own = random.normal([samples, 8])
    var x: [Float] = []
    var y: [Float] = []
    for sample in 0..<samples {
      var first = Array(own.row(sample))
      first[3] = 0
      var second = Array(first.reversed())
      second[6] = random.uniform()
      x += first + second
      let output = first.enumerated().reduce(Float(0)) { $0 + Float($1.offset + 1) * $1.element }
      y += [output, output]
    }
    var problem = WindowedLeastSquares(
      features: 16, window: 16, outputs: 1, sets: 2, solvingBias: true, expecting: samples)
    problem.add(
      Tensor(x).reshaped([samples, 16]), targets: Tensor(y).reshaped([samples, 2]))
    return FeatureExchange(problem, units: 8, ridge: 1e-6)
  }

  @Test func `a unit that nothing needs is missed least`() throws {
    let costs = try exchange().importances(inNetwork: 0)
    #expect(costs[3] < 1e-3)
    // The larger its weight, the more a unit is missed.
    let others = [0, 1, 2, 4, 5, 6, 7]
    #expect(others.sorted { costs[$0] < costs[$1] } == others)
    // In the second network unit 4 is dead, and unit 6 helps by chance alone.
    let second = try exchange().importances(inNetwork: 1)
    #expect(second[4] < 1e-3)
    #expect(second.indices.sorted { second[$0] < second[$1] }.prefix(2) == [4, 6])
  }

  @Test func `units come for those that they can stand for`() throws {
    let orders = try exchange().greedyOrders(blocks: [1, 1, 1, 1, 1, 1, 1, 1]) { _ in }
    #expect(orders.leaving.sorted() == Array(0..<8) && orders.coming.sorted() == Array(0..<8))
    #expect(orders.leaving[0] == 3)
    // Unit 6 of the second network stands for none, and so comes last; but for the first change, each unit
    // that leaves is the one that the unit that came can stand for.
    #expect(orders.coming[7] == 6 || orders.coming[6] == 6)
  }
}

extension Tensor {
  fileprivate func maximumDistance(to other: Tensor) -> Float {
    zip(elements, other.elements).reduce(0) { max($0, abs($1.0 - $1.1)) }
  }
}
