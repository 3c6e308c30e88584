// SPDX-License-Identifier: Apache-2.0
import LCWNumerics
import Testing

@Suite struct SquaredDistancesTests {
  private func exact(_ a: Tensor, _ b: Tensor) -> [Double] {
    (0..<a.shape.rows).flatMap { i in
      (0..<b.shape.rows).map { j in
        zip(a.row(i), b.row(j)).reduce(0) {
          let difference = Double($1.0) - Double($1.1)
          return $0 + difference * difference
        }
      }
    }
  }

  // Blocks are of 128 rows.
  @Test(
    arguments: [[1, 1, 1], [5, 9, 3], [127, 40, 17], [129, 33, 64], [300, 2, 5], [4, 4, 0]], [1, 2])
  func againstDifferences(size: [Int], workers: Int) {
    let (a, b) = (normal([size[0], size[2]], seed: 1), normal([size[1], size[2]], seed: 2))
    let distances = a.squaredDistances(toRowsOf: b, workers: Workers(workers))
    #expect(distances.shape == [size[0], size[1]])
    let error = largestError(distances.elements, exact(a, b), scale: Double(max(1, size[2])))
    #expect(error < 2e-6)
  }

  // Far from the origin the norms would swallow the distances.
  @Test func farFromTheOrigin() {
    var (a, b) = (normal([50, 20], seed: 1), normal([60, 20], seed: 2))
    let offset = Tensor(repeating: 1000, shape: [20])
    a.addBias(offset)
    b.addBias(offset)
    let distances = a.squaredDistances(toRowsOf: b)
    #expect(largestError(distances.elements, exact(a, b), scale: 20) < 1e-5)
  }

  @Test func noneIsNegative() {
    let a = normal([200, 30], deviation: 100)
    let distances = a.squaredDistances(toRowsOf: a)
    #expect(distances.elements.allSatisfy { $0 >= 0 })
    let largest = (0..<200).map { distances.elements[$0 * 201] }.max()
    #expect((largest ?? .infinity) < 1)
  }

  @Test func nothingToMeasure() {
    let a = normal([3, 4])
    #expect(a.squaredDistances(toRowsOf: Tensor(zeros: [0, 4])).shape == [3, 0])
    #expect(Tensor(zeros: [0, 4]).squaredDistances(toRowsOf: a).shape == [0, 3])
  }

  // What is no number has to reach the solver, which refuses it.
  @Test func notANumberStays() {
    var a = normal([3, 4])
    a.elements[5] = .nan
    let distances = a.squaredDistances(toRowsOf: normal([2, 4]))
    #expect(throws: AssignmentError.self) { try LinearSumAssignment.solve(distances) }
  }
}
