// SPDX-License-Identifier: Apache-2.0
import LCWNumerics
import Testing

@Suite struct CombinationTests {
  /// Σ cⱼ Bⱼ by the definition: an axis of size 1 is read at 0.
  private func naive(_ bases: [Tensor], _ coefficients: [Double], _ shape: Shape) -> [Double] {
    (0..<shape.count).map { target in
      zip(bases, coefficients).reduce(0.0) { sum, term in
        var (rest, source, stride) = (target, 0, 1)
        for axis in (0..<shape.rank).reversed() {
          let index = rest % shape[axis]
          rest /= shape[axis]
          source += (term.0.shape[axis] == 1 ? 0 : index) * stride
          stride *= term.0.shape[axis]
        }
        return sum + term.1 * Double(term.0.elements[source])
      }
    }
  }

  @Test(arguments: 1...6) func ofEqualShapes(terms: Int) {
    let shape: Shape = [5, 3, 7]
    let bases = (0..<terms).map { normal(shape, seed: UInt64($0)) }
    let coefficients = [0.3, -1.2, 0.9, 2, -0.1, 1].prefix(terms).map { $0 }
    let result = Tensor.combination(bases, coefficients: coefficients, shape: shape)
    #expect(result.shape == shape)
    #expect(largestError(result.elements, naive(bases, coefficients, shape)) < 2e-6)
  }

  @Test(arguments: [
    [[1, 3, 4], [2, 3, 4]], [[2, 1, 4], [2, 3, 1]], [[1, 1, 1], [2, 1, 1], [1, 1, 4]],
    [[1, 3, 1]], [[2, 3, 4], [1, 1, 4], [2, 3, 4]],
  ])
  func ofShapesThatBroadcast(shapes: [[Int]]) {
    let shape: Shape = [2, 3, 4]
    let bases = shapes.enumerated().map { normal(Shape($1), seed: UInt64($0)) }
    let coefficients = [0.3, -1.2, 0.9].prefix(bases.count).map { $0 }
    let result = Tensor.combination(bases, coefficients: coefficients, shape: shape)
    #expect(result.shape == shape)
    #expect(largestError(result.elements, naive(bases, coefficients, shape)) < 2e-6)
  }

  @Test func oneTermWithFactorOneIsItsTensorToTheBit() {
    let first = Tensor([-0.0, Float(bitPattern: 0x7FC0_1234), .infinity, 1])
    let second = Tensor([.nan, .nan, .infinity, 2])
    let mean = Tensor([.nan])
    let result = Tensor.combination(
      [first, second, mean], coefficients: [1, 0, 0], shape: first.shape)
    #expect(result.isIdentical(to: first))
  }

  @Test func noTermsGiveZeros() {
    let basis = Tensor([.nan, 1])
    let result = Tensor.combination([basis], coefficients: [0], shape: [2])
    #expect(result.isIdentical(to: Tensor(zeros: [2])))
    #expect(Tensor.combination([], coefficients: [], shape: [2, 2]) == Tensor(zeros: [2, 2]))
  }
}
