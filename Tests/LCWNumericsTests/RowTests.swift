// SPDX-License-Identifier: Apache-2.0
import LCWNumerics
import Testing

@Suite struct RowTests {
  static let shapes: [Shape] = [[1, 1], [3, 7], [17, 33], [129, 1000], [4, 3, 5]]

  @Test(arguments: shapes, [1, 2]) func addBias(shape: Shape, workers: Int) {
    let width = shape.rowCount
    let (input, bias) = (normal(shape), normal([width], seed: 2))
    for clipping in [false, true] {
      var output = input
      output.addBias(bias, clipping: clipping, workers: Workers(workers))
      let expected = input.elements.enumerated().map { index, value in
        let sum = value + bias.elements[index % width]
        return clipping && sum < 0 ? 0 : sum
      }
      #expect(firstDifference(output.elements, expected) == nil)
      #expect(output.shape == shape)
    }
  }

  @Test(arguments: shapes, [Float(0), 1, -0.5]) func columnSums(shape: Shape, scale: Float) {
    let width = shape.rowCount
    let (rows, before) = (normal(shape), normal([width], seed: 2))
    var sums = before
    sums.assignColumnSums(of: rows, plus: scale)
    let expected = (0..<width).map { column in
      (0..<shape.rows).reduce(Double(scale) * Double(before.elements[column])) {
        $0 + Double(rows.elements[$1 * width + column])
      }
    }
    #expect(largestError(sums.elements, expected) < 1e-4)
  }

  @Test func columnSumsWithScaleZeroDoNotReadTheOldValues() {
    var sums = Tensor([.nan, .infinity])
    sums.assignColumnSums(of: Tensor(repeating: 2, shape: [3, 2]), plus: 0)
    #expect(sums.elements == [6, 6])
  }

  @Test func columnSumsOfNoRows() {
    var sums = Tensor([4, 6])
    sums.assignColumnSums(of: Tensor(zeros: [0, 2]), plus: 0.5)
    #expect(sums.elements == [2, 3])
  }

  // MARK: - Combinations of rows

  @Test(arguments: 1...5, [0..<9, 2..<6, 8..<9, 4..<4])
  func combineRows(terms: Int, range: Range<Int>) {
    let width = 37
    let blocks = (0..<terms).map { normal([9, width], seed: UInt64($0)) }
    let coefficients: [Float] = [0.5, -1.25, 2, 0, 3]
    let (bias, shifts) = (normal([width], seed: 20), normal([9], seed: 21).elements)
    for (bias, shifts, clipping) in [
      (nil, nil, false), (bias, nil, false), (nil, shifts, true), (bias, shifts, true),
    ] as [(Tensor?, [Float]?, Bool)] {
      var result = Tensor(repeating: .nan, shape: [range.count, width])
      Tensor.combineRows(
        zip(blocks, coefficients).map { RowTerm($0, $1) }, bias: bias, shifts: shifts,
        range: range, clipping: clipping, into: &result)
      let expected = range.flatMap { row in
        (0..<width).map { column in
          let added = Double(shifts?[row] ?? 0) + Double(bias?.elements[column] ?? 0)
          let sum = zip(blocks, coefficients).reduce(added) {
            $0 + Double($1.1) * Double($1.0.elements[row * width + column])
          }
          return clipping ? max(0, sum) : sum
        }
      }
      #expect(largestError(result.elements, expected) < 1e-5)
    }
  }

  @Test(arguments: 1...4, [0..<5, 2..<4, 3..<3])
  func combinePlanes(terms: Int, range: Range<Int>) {
    let (planes, positions) = (3, 35)
    let blocks = (0..<terms).map { normal([5, planes, 5, 7], seed: UInt64($0)) }
    let plane = normal([5, 1, 5, 7], seed: 30)
    let coefficients: [Float] = [0.5, -1.25, 2, 3]
    let bias = normal([planes], seed: 20)
    for (bias, shared, clipping) in [
      (nil, [], false), (bias, [], true), (nil, [RowTerm(plane, -2)], true),
      (bias, [RowTerm(plane, -2), RowTerm(plane, 0.5)], false),
    ] as [(Tensor?, [RowTerm], Bool)] {
      var result = Tensor(repeating: .nan, shape: [range.count, planes, 5, 7])
      Tensor.combinePlanes(
        zip(blocks, coefficients).map { RowTerm($0, $1) }, shared: shared, bias: bias,
        range: range, clipping: clipping, into: &result)
      let expected = range.flatMap { sample in
        (0..<planes * positions).map { place in
          let added = shared.reduce(Double(bias?.elements[place / positions] ?? 0)) {
            $0 + Double($1.coefficient)
              * Double($1.rows.elements[sample * positions + place % positions])
          }
          let sum = zip(blocks, coefficients).reduce(added) {
            $0 + Double($1.1) * Double($1.0.elements[sample * planes * positions + place])
          }
          return clipping ? max(0, sum) : sum
        }
      }
      #expect(largestError(result.elements, expected) < 1e-5)
    }
  }

  @Test(arguments: 1...5) func combineRowsKeepsNotANumber(terms: Int) {
    let blocks = (0..<terms).map { _ in RowTerm(Tensor(repeating: .nan, shape: [1, 3]), 1) }
    var result = Tensor(zeros: [1, 3])
    Tensor.combineRows(
      blocks, bias: nil, shifts: nil, range: 0..<1, clipping: true, into: &result)
    #expect(result.elements.allSatisfy { $0.isNaN })
  }

  // MARK: - Bytes

  @Test func bytesBecomeFloats() {
    let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0) }
    var tensor = Tensor(repeating: -7, shape: [400])
    tensor.assign(bytes: bytes[20..<290], at: 50, scale: 0.5, offset: -3)
    let expected = (20..<290).map { Float($0 % 256) * 0.5 - 3 }
    #expect(
      tensor.elements
        == [Float](repeating: -7, count: 50) + expected + [Float](repeating: -7, count: 80))
  }
}
