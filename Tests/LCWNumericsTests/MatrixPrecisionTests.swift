// SPDX-License-Identifier: Apache-2.0
import LCWNumerics
import Testing

/// Products that are large enough for tiles or for vectors of 512 bits, against sums in double precision.
/// Where the processor has neither, they test that BLAS keeps the same bounds.
@Suite struct MatrixPrecisionTests {
  /// m, n and k: whole blocks, ends of blocks, and ends of panels.
  static let sizes = [
    [192, 192, 64], [256, 512, 512], [257, 193, 513], [531, 259, 67], [200, 300, 1100],
    [32, 512, 384], [33, 490, 385], [411, 47, 769], [34, 100, 160],
  ]

  private struct Reference {
    var product: [Double] = []
    /// The sums of the products' absolute values.
    var scale: [Double] = []

    init(_ a: [Float], _ b: [Float], size: [Int], _ place: (Int, Int, Int) -> (Int, Int)) {
      let (m, n, k) = (size[0], size[1], size[2])
      product.reserveCapacity(m * n)
      for row in 0..<m {
        for column in 0..<n {
          var (sum, absolute) = (0.0, 0.0)
          for inner in 0..<k {
            let (i, j) = place(row, column, inner)
            let term = Double(a[i]) * Double(b[j])
            sum += term
            absolute += abs(term)
          }
          product.append(sum)
          scale.append(absolute)
        }
      }
    }
  }

  @Test(arguments: sizes, MatrixPrecision.allCases)
  func errorsKeepTheirBounds(size: [Int], precision: MatrixPrecision) {
    let (m, n, k) = (size[0], size[1], size[2])
    for (ta, tb) in [(false, false), (true, false), (false, true), (true, true)] {
      let a = normal(ta ? [k, m] : [m, k])
      let b = normal(tb ? [n, k] : [k, n], seed: 2)
      let expected = Reference(a.elements, b.elements, size: size) { row, column, inner in
        (ta ? inner * m + row : row * k + inner, tb ? column * k + inner : inner * n + column)
      }
      let before = normal([m, n], seed: 3)
      var result = before
      result.assignProduct(
        ta ? a.transposed : a.matrix, tb ? b.transposed : b.matrix, alpha: -0.5, beta: 2,
        precision: precision, workers: Workers(2))
      // What the parts leave out, and what k sums in single precision may lose.
      let lost = precision == .high ? 0x1p-15 : 0x1p-22
      let bound = lost + 0x1p-24 * Double(k)
      let failures = result.elements.indices.filter { index in
        let value = -0.5 * expected.product[index] + 2 * Double(before.elements[index])
        return abs(Double(result.elements[index]) - value)
          > bound * (0.5 * expected.scale[index] + 2 * abs(value))
      }
      #expect(failures.isEmpty)
      // A typical error is far smaller: that of rounding parts, or of sums in single precision.
      let squares = result.elements.indices.reduce(into: (error: 0.0, norm: 0.0)) { sum, index in
        let value = -0.5 * expected.product[index] + 2 * Double(before.elements[index])
        let error = Double(result.elements[index]) - value
        sum = (sum.error + error * error, sum.norm + value * value)
      }
      #expect((squares.error / squares.norm).squareRoot() < (precision == .high ? 1e-5 : 5e-7))
    }
  }

  @Test func rectanglesOfTensorsAreMultiplied() {
    let (a, b) = (normal([300, 500]), normal([400, 450], seed: 2))
    var result = Tensor(repeating: 7, shape: [250, 300])
    result.assignProduct(
      a.matrix(rows: 20..<270, columns: 50..<450), b.matrix(columns: 30..<280),
      columns: 40..<290)
    for (row, column) in [(0, 0), (249, 249), (13, 200)] {
      let expected = (0..<400).reduce(0.0) {
        $0 + Double(a.elements[(row + 20) * 500 + 50 + $1])
          * Double(b.elements[$1 * 450 + 30 + column])
      }
      #expect(abs(Double(result.elements[row * 300 + 40 + column]) - expected) < 1e-3)
    }
    #expect(result.elements[39] == 7 && result.elements[290] == 7)
  }

  @Test(arguments: MatrixPrecision.allCases, [false, true])
  func valuesWithoutBfloat16SpreadAsInPlainSums(precision: MatrixPrecision, onTheRight: Bool) {
    let odd: [Float] = [.infinity, -.infinity, .nan, .greatestFiniteMagnitude]
    for value in odd {
      var (a, b) = (
        Tensor(repeating: 0.5, shape: [256, 300]), Tensor(repeating: 0.25, shape: [300, 256])
      )
      if onTheRight { b.elements[7 * 256 + 3] = value } else { a.elements[5 * 300 + 7] = value }
      // As a dense layer has it: both are contiguous along the inner dimension.
      let turned = b.turned
      for right in [b.matrix, turned.transposed] {
        var result = Tensor(unspecified: [256, 256])
        result.assignProduct(a.matrix, right, precision: precision)
        for row in [0, 5, 255] {
          for column in [0, 3, 255] {
            let isTouched = onTheRight ? column == 3 : row == 5
            let expected = isTouched ? value * (onTheRight ? 0.5 : 0.25) : 300 * 0.125
            let found = result.elements[row * 256 + column]
            if expected.isNaN {
              #expect(found.isNaN)
            } else if expected.isInfinite {
              #expect(found == expected)
            } else {
              #expect(abs(found - expected) <= 1e-6 * abs(expected))
            }
          }
        }
      }
    }
  }

  @Test func numbersOfEightBitsAreExact() {
    let a = Tensor((0..<256 * 200).map { Float($0 % 251) - 125 }).reshaped([256, 200])
    let b = Tensor((0..<200 * 256).map { Float($0 % 127) / 64 }).reshaped([200, 256])
    for precision in MatrixPrecision.allCases {
      var result = Tensor(unspecified: [256, 256])
      result.assignProduct(a.matrix, b.matrix, precision: precision)
      for (row, column) in [(0, 0), (17, 200), (255, 255)] {
        let expected = (0..<200).reduce(0.0) {
          $0 + Double(a.elements[row * 200 + $1]) * Double(b.elements[$1 * 256 + column])
        }
        #expect(Double(result.elements[row * 256 + column]) == expected)
      }
    }
  }

  // Forty workers have pieces so small that by themselves they would be computed otherwise.
  @Test(arguments: [(300, 520), (128, 1000), (1000, 50)])
  func theSameProductHasTheSameBitsOnAnyNumberOfThreads(rows: Int, columns: Int) {
    let (a, b) = (normal([rows, 700]), normal([columns, 700], seed: 2))
    let other = normal([700, columns], seed: 3)
    for precision in MatrixPrecision.allCases {
      for right in [b.transposed, other.matrix] {
        let results = [1, 2, 2, 5, 40].map {
          var result = Tensor(unspecified: [rows, columns])
          result.assignProduct(a.matrix, right, precision: precision, workers: Workers($0))
          return result.elements
        }
        #expect(results.allSatisfy { $0 == results[0] })
      }
    }
  }

  @Test func precisionsHaveNames() {
    #expect(MatrixPrecision(rawValue: "highest") == .highest)
    #expect(MatrixPrecision(rawValue: "high") == .high)
    #expect(MatrixPrecision.variable == "LCW_MATRIX_PRECISION")
  }
}

extension Tensor {
  /// The transpose of a matrix, element by element.
  fileprivate var turned: Tensor {
    var result = Tensor(unspecified: [shape[1], shape[0]])
    for row in 0..<shape[0] {
      for column in 0..<shape[1] {
        result.elements[column * shape[0] + row] = elements[row * shape[1] + column]
      }
    }
    return result
  }
}
