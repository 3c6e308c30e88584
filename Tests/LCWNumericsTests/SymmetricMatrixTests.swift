// SPDX-License-Identifier: Apache-2.0
import LCWNumerics
import Testing

@Suite struct SymmetricMatrixTests {
  private func matrix(_ rows: [[Double]]) -> SymmetricMatrix {
    var matrix = SymmetricMatrix(order: rows.count)
    for row in rows.indices {
      for column in row..<rows.count { matrix[row, column] = rows[row][column] }
    }
    return matrix
  }

  private func naiveGram(_ rows: Tensor) -> [Double] {
    let order = rows.shape.rowCount
    return (0..<order * order).map { index in
      (0..<rows.shape.rows).reduce(0) {
        $0 + Double(rows.elements[$1 * order + index / order])
          * Double(rows.elements[$1 * order + index % order])
      }
    }
  }

  // Blocks are of 256 samples and 128 rows.
  @Test(arguments: [[1, 1], [5, 3], [255, 127], [257, 129], [600, 150], [2, 300]], [1, 2])
  func gramMatrix(size: [Int], workers: Int) {
    let rows = normal(Shape(size))
    var gram = SymmetricMatrix(order: size[1])
    gram.addGram(of: rows, workers: Workers(workers))
    let expected = naiveGram(rows)
    let error = zip(gram.elements, expected).map { abs($0 - $1) }.max() ?? .infinity
    #expect(error < 1e-10)
    #expect(gram[0, size[1] - 1] == gram[size[1] - 1, 0])
  }

  @Test func gramMatricesAdd() {
    let rows = normal([40, 7])
    var whole = SymmetricMatrix(order: 7)
    whole.addGram(of: rows)
    var parts = SymmetricMatrix(order: 7)
    for start in [0, 13, 25] {
      let end = start == 25 ? 40 : start == 13 ? 25 : 13
      let part = Tensor(Array(rows.elements[start * 7..<end * 7])).reshaped([end - start, 7])
      parts.addGram(of: part)
    }
    #expect(zip(whole.elements, parts.elements).allSatisfy { abs($0 - $1) < 1e-12 })
  }

  @Test func subscriptsSetBothTriangles() {
    var matrix = SymmetricMatrix(order: 3)
    matrix[2, 0] = 5
    #expect(matrix[0, 2] == 5)
    #expect(matrix.elements == [0, 0, 5, 0, 0, 0, 5, 0, 0])
  }

  // MARK: - Eigenvalues

  @Test func knownEigenvalues() throws {
    let (values, vectors) = try matrix([[2, 1], [1, 2]]).eigendecomposition()
    #expect(abs(values[0] - 1) < 1e-14 && abs(values[1] - 3) < 1e-14)
    #expect(abs(vectors[0][0] + vectors[0][1]) < 1e-14)
    #expect(abs(vectors[1][0] - vectors[1][1]) < 1e-14)
  }

  @Test(arguments: [1, 2, 5, 40, 130]) func eigenvectorsDiagonalise(order: Int) throws {
    var gram = SymmetricMatrix(order: order)
    gram.addGram(of: normal([order + 3, order]))
    // Not definite, so that negative values are met too.
    for index in 0..<order { gram[index, index] -= Double(order) }
    let (values, vectors) = try gram.eigendecomposition()
    #expect(values == values.sorted())
    #expect(vectors.count == order)
    for (value, vector) in zip(values, vectors) {
      for row in 0..<order {
        let product = (0..<order).reduce(0) { $0 + gram[row, $1] * vector[$1] }
        #expect(abs(product - value * vector[row]) < 1e-11 * Double(order))
      }
    }
    for i in 0..<order {
      for j in 0...i {
        let product = zip(vectors[i], vectors[j]).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(abs(product - (i == j ? 1 : 0)) < 1e-12)
      }
    }
  }

  @Test(arguments: [Double.nan, .infinity]) func eigenvaluesOfWhatIsNotFinite(value: Double) {
    var matrix = SymmetricMatrix(order: 3)
    matrix[0, 2] = value
    #expect(throws: NumericsError.eigenvaluesDidNotConverge(size: 3)) {
      try matrix.eigendecomposition()
    }
  }

  @Test func anEmptyMatrix() throws {
    let (values, vectors) = try SymmetricMatrix(order: 0).eigendecomposition()
    #expect(values.isEmpty && vectors.isEmpty)
    #expect(try SymmetricMatrix(order: 0).solution(of: [[]]) == [[]])
  }

  // MARK: - Equations

  @Test(arguments: [1, 2, 7, 65]) func theSolutionSolves(order: Int) throws {
    var gram = SymmetricMatrix(order: order)
    gram.addGram(of: normal([2 * order + 1, order]))
    let right = (0..<3).map { normal([order], seed: UInt64($0 + 9)).elements.map { Double($0) } }
    let solution = try gram.solution(of: right)
    #expect(solution.count == 3)
    for (column, wanted) in zip(solution, right) {
      for row in 0..<order {
        let product = (0..<order).reduce(0) { $0 + gram[row, $1] * column[$1] }
        #expect(abs(product - wanted[row]) < 1e-9)
      }
    }
  }

  @Test func noRightHandSides() throws {
    #expect(try matrix([[1]]).solution(of: []).isEmpty)
  }

  @Test(arguments: [
    ([[1.0, 0, 0], [0, -1, 0], [0, 0, 1]], 2), ([[0.0]], 1), ([[1.0, 2], [2, 1]], 2),
    ([[1.0, 0, 0], [0, 1, 1], [0, 1, 1]], 3), ([[Double.nan]], 1),
    ([[1.0, 0, 0], [0, 1, .nan], [0, .nan, 1]], 3), ([[1.0, 0], [0, .infinity]], 2),
  ])
  func whatIsNotPositiveDefinite(rows: [[Double]], minor: Int) {
    #expect(throws: NumericsError.notPositiveDefinite(order: minor)) {
      try matrix(rows).solution(of: [[Double](repeating: 1, count: rows.count)])
    }
  }
}
