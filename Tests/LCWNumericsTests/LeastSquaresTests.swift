// SPDX-License-Identifier: Apache-2.0
import LCWNumerics
import Testing

struct LeastSquaresTests {
  private func random(_ shape: Shape, seed: UInt64) -> Tensor {
    var stream = RandomStream(seed: seed)
    return stream.normal(shape)
  }

  private func solution(
    _ x: Tensor, _ y: Tensor, bias: Bool = false, ridge: Double = 0, block: Int = 37
  ) throws -> LeastSquares.Solution {
    var problem = LeastSquares(
      features: x.shape.rowCount, targets: y.shape.rowCount, solvingBias: bias)
    for start in stride(from: 0, to: x.shape.rows, by: block) {
      let rows = start..<min(start + block, x.shape.rows)
      problem.add(x.rows(rows), targets: y.rows(rows), workers: Workers(2))
    }
    #expect(problem.samples == x.shape.rows)
    return try problem.solution(ridge: ridge, workers: Workers(2))
  }

  /// Xᵀ (X Wᵀ + b − Y) + λ Wᵀ in double precision, which is zero at the minimum.
  private func gradient(
    _ x: Tensor, _ y: Tensor, _ found: LeastSquares.Solution, lambda: Double = 0
  ) -> [Double] {
    let (d, o) = (x.shape.rowCount, y.shape.rowCount)
    var gradient = found.weights.elements.map { lambda * Double($0) }
    for sample in 0..<x.shape.rows {
      let features = x.row(sample).map(Double.init)
      for (target, value) in y.row(sample).enumerated() {
        let row = found.weights.row(target)
        let output = zip(features, row).reduce(Double(found.bias?.elements[target] ?? 0)) {
          $0 + $1.0 * Double($1.1)
        }
        for feature in 0..<d {
          gradient[target * d + feature] += features[feature] * (output - Double(value))
        }
      }
    }
    #expect(gradient.count == d * o)
    return gradient
  }

  private func meanSquare(_ x: Tensor) -> Double {
    x.elements.reduce(0) { $0 + Double($1) * Double($1) } / Double(x.count)
  }

  @Test(arguments: [(200, 12, 3), (500, 150, 5), (64, 1, 1), (3000, 300, 2)])
  func `the gradient is zero at the solution`(n: Int, d: Int, o: Int) throws {
    let (x, y) = (random([n, d], seed: 1), random([n, o], seed: 2))
    let found = try solution(x, y)
    #expect(found.rank == d)
    #expect(gradient(x, y, found).allSatisfy { abs($0) < 1e-2 })
  }

  @Test func `a bias is solved for, and ones need not be appended`() throws {
    let x = random([400, 9], seed: 3)
    var y = random([400, 2], seed: 4)
    for index in y.elements.indices { y.elements[index] += index % 2 == 0 ? 5 : -3 }
    let found = try solution(x, y, bias: true)
    let bias = try #require(found.bias)
    var ones = Tensor(repeating: 1, shape: [400, 10])
    for row in 0..<400 {
      for column in 0..<9 { ones.elements[row * 10 + column] = x.elements[row * 9 + column] }
    }
    let appended = try solution(ones, y)
    for target in 0..<2 {
      #expect(abs(bias.elements[target] - appended.weights.elements[target * 10 + 9]) < 1e-4)
      for column in 0..<9 {
        #expect(
          abs(
            found.weights.elements[target * 9 + column]
              - appended.weights.elements[target * 10 + column]) < 1e-4)
      }
    }
    #expect(abs(found.residual - appended.residual) < 1e-5)
  }

  @Test func `a ridge shrinks the solution as its formula says`() throws {
    let (x, y) = (random([300, 20], seed: 5), random([300, 4], seed: 6))
    let ridge = 0.25
    let found = try solution(x, y, ridge: ridge)
    let lambda = ridge * meanSquare(x) * 300
    #expect(gradient(x, y, found, lambda: lambda).allSatisfy { abs($0) < 1e-2 })
    let free = try solution(x, y)
    #expect(found.weights.squaredNorm < free.weights.squaredNorm)
    #expect(found.residual > free.residual)
  }

  @Test func `dead features get no weight`() throws {
    var x = random([300, 16], seed: 7)
    for row in 0..<300 {
      x.elements[row * 16 + 3] = 0
      x.elements[row * 16 + 11] = 0
    }
    let found = try solution(x, random([300, 3], seed: 8))
    #expect(found.rank == 14)
    for target in 0..<3 {
      #expect(abs(found.weights.elements[target * 16 + 3]) < 1e-6)
      #expect(abs(found.weights.elements[target * 16 + 11]) < 1e-6)
    }
    #expect(found.weights.isFinite)
  }

  @Test func `of many solutions the smallest is found`() throws {
    // Feature 1 repeats feature 0, so that only the sum of their weights matters.
    var x = random([300, 6], seed: 9)
    for row in 0..<300 { x.elements[row * 6 + 1] = x.elements[row * 6] }
    let found = try solution(x, random([300, 2], seed: 10))
    #expect(found.rank == 5)
    for target in 0..<2 {
      let row = Array(found.weights.row(target))
      #expect(abs(row[0] - row[1]) < 1e-4)
    }
  }

  @Test func `more features than samples are fitted exactly by the smallest weights`() throws {
    let (x, y) = (random([20, 50], seed: 11), random([20, 2], seed: 12))
    let found = try solution(x, y)
    #expect(found.rank == 20)
    #expect(found.residual < 1e-3)
    // The smallest solution is a combination of the samples: adding what is orthogonal to all of
    // them would lengthen it.
    let again = try solution(x, fitted(x, found.weights))
    #expect(abs(again.weights.squaredNorm - found.weights.squaredNorm) < 1e-3)
  }

  private func fitted(_ x: Tensor, _ weights: Tensor) -> Tensor {
    var y = Tensor(zeros: [x.shape.rows, weights.shape.rows])
    y.assignProduct(x.matrix, weights.transposed)
    return y
  }

  @Test func `the residual is the one of the samples`() throws {
    let (x, y) = (random([250, 8], seed: 13), random([250, 3], seed: 14))
    let found = try solution(x, y, bias: true)
    var output = fitted(x, found.weights)
    output.addBias(try #require(found.bias))
    let squares = zip(output.elements, y.elements).reduce(0.0) {
      $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1)
    }
    #expect(abs(found.residual - (squares / 750).squareRoot()) < 1e-5)
  }

  @Test func `blocks may be of any size`() throws {
    let (x, y) = (random([333, 10], seed: 15), random([333, 2], seed: 16))
    let whole = try solution(x, y, block: 333)
    for block in [1, 7, 100] {
      let parts = try solution(x, y, block: block)
      #expect((whole.weights.squaredDistance(to: parts.weights)) < 1e-9)
    }
  }

  @Test(arguments: [Float.nan, .infinity])
  func `samples that are not finite are an error`(value: Float) {
    var x = random([40, 5], seed: 17)
    x.elements[13] = value
    let broken = x
    #expect(throws: NumericsError.self) { try solution(broken, random([40, 1], seed: 18)) }
  }

  /// With fewer samples than features some directions are determined by the ridge alone, and must not
  /// hang on the last digits of the samples.
  @Test(arguments: [60, 300])
  func `with a ridge the solution is continuous in the samples`(n: Int) throws {
    let (d, o) = (120, 4)
    // Rectified features with a common part, as a network's are.
    var x = random([n, d], seed: 7)
    let (common, change, y) = (
      random([n], seed: 8), random([n, d], seed: 9), random([n, o], seed: 10)
    )
    for row in 0..<n {
      for column in 0..<d {
        x.elements[row * d + column] = max(
          0, x.elements[row * d + column] + 3 * common.elements[row])
      }
    }
    func weights(_ share: Double) throws -> Tensor {
      let moved = Tensor.combination([x, change], coefficients: [1, share], shape: x.shape)
      var problem = LeastSquares(features: d, targets: o, solvingBias: true, expecting: n)
      problem.add(moved, targets: y, workers: Workers(2))
      let found = try problem.solution(ridge: 1e-5, workers: Workers(2))
      #expect(found.rank == d)
      return found.weights
    }
    let start = try weights(0)
    let steps = try [1e-4, 1e-5].map {
      start.squaredDistance(to: try weights($0)).squareRoot() / start.squaredNorm.squareRoot()
    }
    #expect(steps[0] < 0.5)
    // A tenth of the change makes about a tenth of the step.
    #expect(steps[1] < 0.3 * steps[0], "\(steps)")
  }

  @Test func `few samples are multiplied in double precision, and many as before`() throws {
    let (x, y) = (random([90, 30], seed: 11), random([90, 3], seed: 12))
    var (single, double) = (
      LeastSquares(features: 30, targets: 3, solvingBias: true),
      LeastSquares(features: 30, targets: 3, solvingBias: true, expecting: 90)
    )
    for start in stride(from: 0, to: 90, by: 40) {
      let rows = start..<min(start + 40, 90)
      single.add(x.rows(rows), targets: y.rows(rows))
      double.add(x.rows(rows), targets: y.rows(rows), workers: Workers(2))
    }
    let (a, b) = (try single.solution(), try double.solution())
    #expect(a.weights.squaredDistance(to: b.weights) < 1e-9)
    #expect(gradient(x, y, b).allSatisfy { abs($0) < 1e-4 })
  }

}

extension Tensor {
  fileprivate func rows(_ range: Range<Int>) -> Tensor {
    let width = shape.rowCount
    var part = Tensor(zeros: [range.count, width])
    for (index, row) in range.enumerated() {
      for (column, value) in self.row(row).enumerated() {
        part.elements[index * width + column] = value
      }
    }
    return part
  }

  fileprivate var squaredNorm: Double { squaredDistance(to: Tensor(zeros: shape)) }
}
