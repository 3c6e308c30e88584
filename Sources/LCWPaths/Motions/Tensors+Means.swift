// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

extension [Tensor] {
  /// The mean over all rows of tensors of one shape: `[1]` in the place of the first size, so that
  /// it broadcasts. Sums are in double precision.
  public func meanOfRows() -> Tensor {
    guard let shape = first?.shape else { return Tensor(zeros: [0]) }
    let width = shape.rowCount
    var sums = [Double](repeating: 0, count: width)
    for tensor in self {
      for row in 0..<shape.rows {
        for (column, value) in tensor.row(row).enumerated() { sums[column] += Double(value) }
      }
    }
    let mean = sums.map { Float($0 / Double(shape.rows * count)) }
    return Tensor(mean).reshaped(Shape([1] + shape.dimensions.dropFirst()))
  }

  /// The mean over units of what tensors `[outputs, units · width…]` hold of each: the same block
  /// for every unit. `[outputs, 1]`, with as many more ones as the tensors have sizes, where a block is
  /// one value; repeated over the units otherwise.
  public func meanOfBlocks(count units: Int, width: Int) -> Tensor {
    guard let shape = first?.shape else { return Tensor(zeros: [0]) }
    var sums = [Double](repeating: 0, count: shape.rows * width)
    for tensor in self {
      for output in 0..<shape.rows {
        for (position, value) in tensor.row(output).enumerated() {
          sums[output * width + position % width] += Double(value)
        }
      }
    }
    let means = sums.map { Float($0 / Double(units * count)) }
    if width == 1 {
      let ones = [Int](repeating: 1, count: shape.rank - 1)
      return Tensor(means).reshaped(Shape([shape.rows] + ones))
    }
    var repeated = Tensor(zeros: shape)
    for output in 0..<shape.rows {
      for position in 0..<shape.rowCount {
        repeated.elements[output * shape.rowCount + position] =
          means[output * width + position % width]
      }
    }
    return repeated
  }
}
