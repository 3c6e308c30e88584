// SPDX-License-Identifier: Apache-2.0
import CKernels
import LCWNumerics
import Testing

@Suite struct MatrixProductTests {
  /// m, n and k: ones, odd sizes, and some large enough for two threads.
  static let sizes = [
    [1, 1, 1], [1, 7, 3], [5, 1, 9], [3, 4, 1], [17, 19, 23], [33, 65, 129], [1, 501, 501],
    [501, 1, 501], [129, 67, 131], [67, 129, 131], [128, 10, 784],
  ]

  private func element(_ matrix: MatrixOperand, _ row: Int, _ column: Int) -> Double {
    let width = matrix.tensor.shape.rowCount
    return Double(
      matrix.tensor.elements[matrix.isTransposed ? column * width + row : row * width + column])
  }

  private func naive(_ a: MatrixOperand, _ b: MatrixOperand) -> [Double] {
    (0..<a.rows).flatMap { row in
      (0..<b.columns).map { column in
        (0..<a.columns).reduce(0) { $0 + element(a, row, $1) * element(b, $1, column) }
      }
    }
  }

  private func operands(
    _ size: [Int], _ isTransposedA: Bool, _ isTransposedB: Bool
  ) -> (MatrixOperand, MatrixOperand) {
    let (m, n, k) = (size[0], size[1], size[2])
    return (
      isTransposedA ? normal([k, m]).transposed : normal([m, k]).matrix,
      isTransposedB ? normal([n, k], seed: 2).transposed : normal([k, n], seed: 2).matrix
    )
  }

  @Test(arguments: sizes, [1, 2]) func ofAllTranspositions(size: [Int], workers: Int) {
    for (ta, tb) in [(false, false), (true, false), (false, true), (true, true)] {
      let (a, b) = operands(size, ta, tb)
      #expect([a.rows, b.columns, a.columns] == size)
      let product = naive(a, b)
      let scale = Double(size[2]).squareRoot()

      // β = 0 must not read what was there.
      var result = Tensor(repeating: .nan, shape: [size[0], size[1]])
      result.assignProduct(a, b, workers: Workers(workers))
      #expect(largestError(result.elements, product, scale: scale) < 1e-5)

      let before = normal([size[0], size[1]], seed: 3)
      result = before
      result.assignProduct(a, b, alpha: -0.5, beta: 2, workers: Workers(workers))
      let expected = zip(product, before.elements).map { -0.5 * $0 + 2 * Double($1) }
      #expect(largestError(result.elements, expected, scale: scale) < 1e-5)
    }
  }

  @Test func higherRanksAreMatricesOfTheirRows() {
    let a = normal([2, 3, 4])
    var result = Tensor(zeros: [2, 1, 5])
    let b = normal([5, 12], seed: 2)
    result.assignProduct(a.matrix, b.transposed)
    #expect(largestError(result.elements, naive(a.matrix, b.transposed)) < 1e-5)
  }

  @Test func withoutInnerDimensionOnlyTheOldValuesStay() {
    for (a, b) in [
      (Tensor(zeros: [2, 0]).matrix, Tensor(zeros: [0, 3]).matrix),
      (Tensor(zeros: [0, 2]).transposed, Tensor(zeros: [3, 0]).transposed),
    ] {
      var result = Tensor(repeating: 3, shape: [2, 3])
      result.assignProduct(a, b, beta: 2)
      #expect(result == Tensor(repeating: 6, shape: [2, 3]))
      result = Tensor(repeating: .nan, shape: [2, 3])
      result.assignProduct(a, b)
      #expect(result == Tensor(zeros: [2, 3]))
    }
  }

  @Test func emptyResults() {
    var result = Tensor(zeros: [0, 3])
    result.assignProduct(Tensor(zeros: [0, 5]).matrix, normal([5, 3]).matrix)
    #expect(result.count == 0)
  }

  @Test func notANumberInAFactorReachesTheResult() {
    var a = normal([4, 4])
    a.elements[5] = .nan
    var result = Tensor(zeros: [4, 4])
    result.assignProduct(a.matrix, Tensor(zeros: [4, 4]).matrix)
    #expect((0..<16).allSatisfy { result.elements[$0].isNaN == (4..<8).contains($0) })
  }

  @Test func whatBLASSaysOfItself() {
    #expect(!BLAS.coreType.isEmpty)
    #expect(BLAS.configuration.contains("OpenBLAS"))
  }

  @Test func aProcessorTakenForAnOldOneHasBetterKernels() {
    #expect(BLAS.fittingCoreType(chosen: "Prescott", vectorBits: 512) == "SkylakeX")
    #expect(BLAS.fittingCoreType(chosen: "PRESCOTT", vectorBits: 256) == "Haswell")
    #expect(BLAS.fittingCoreType(chosen: "Prescott", vectorBits: 128) == nil)
    #expect(BLAS.fittingCoreType(chosen: "Zen", vectorBits: 512) == nil)
    #expect([128, 256, 512].contains(lcw_vector_bits()))
  }
}
