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

  // A product's rounding depends on the place in the matrix; equal rows must tie wherever they are.
  @Test(arguments: [[40, 7], [300, 65], [129, 800]], [1, 2])
  func `equal rows have equal distances`(size: [Int], workers: Int) {
    var a = normal([size[0], size[1]], seed: 1)
    var b = normal([size[0], size[1]], seed: 2)
    let width = size[1]
    let pairs = [(3, 37), (0, size[0] - 1), (10, 11)]
    for (first, second) in pairs {
      a.elements.replaceSubrange(second * width..<(second + 1) * width, with: Array(a.row(first)))
      b.elements.replaceSubrange(second * width..<(second + 1) * width, with: Array(b.row(first)))
    }
    let distances = a.squaredDistances(toRowsOf: b, workers: Workers(workers))
    let count = size[0]
    for (first, second) in pairs {
      for other in 0..<count {
        #expect(
          distances.elements[first * count + other] == distances.elements[second * count + other])
        #expect(
          distances.elements[other * count + first] == distances.elements[other * count + second])
      }
    }
    let own = a.squaredDistances(toRowsOf: a, workers: Workers(workers))
    #expect((0..<count).allSatisfy { own.elements[$0 * (count + 1)] == 0 })
    #expect(own.elements[3 * count + 37] == 0)
  }

  // Products would round 1e-8 of the norms away.
  @Test func `small distances are right to their last digits`() {
    let a = normal([50, 200], seed: 1)
    var b = a
    for index in b.elements.indices { b.elements[index] *= 1 + 1e-5 * Float(index % 7) }
    let (distances, expected) = (a.squaredDistances(toRowsOf: b), exact(a, b))
    for row in 0..<50 {
      let found = Double(distances.elements[row * 51])
      #expect(abs(found / expected[row * 51] - 1) < 1e-6)
    }
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
