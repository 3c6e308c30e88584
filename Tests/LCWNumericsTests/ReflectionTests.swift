// SPDX-License-Identifier: Apache-2.0
import LCWNumerics
import Testing

struct ReflectionTests {
  /// One reflection after the other, in double precision.
  private func reflected(_ row: [Double], _ vectors: Tensor) -> [Double] {
    var row = row
    for k in 0..<vectors.shape.rows {
      let v = vectors.row(k).map(Double.init)
      let share =
        2 * zip(v, row).reduce(0.0) { $0 + $1.0 * $1.1 } / v.reduce(0.0) { $0 + $1 * $1 }
      for column in v.indices { row[column] -= share * v[column] }
    }
    return row
  }

  private func expectClose(_ found: ArraySlice<Float>, _ expected: [Double]) {
    #expect(found.count == expected.count)
    for (value, other) in zip(found, expected) { #expect(abs(Double(value) - other) < 2e-5) }
  }

  @Test(arguments: [(count: 1, width: 1), (3, 5), (5, 5), (40, 90)])
  func `all at once is one after the other, and the way back undoes it`(
    size: (count: Int, width: Int)
  ) {
    var random = RandomStream(seed: 3)
    let reflections = Reflections(vectors: random.normal([size.count, size.width]))
    let rows = random.normal([7, size.width + 2])
    var result = rows
    reflections.apply(to: &result)
    for row in 0..<7 {
      let columns = rows.row(row).map(Double.init)
      expectClose(
        result.row(row),
        reflected(Array(columns.prefix(size.width)), reflections.vectors) + columns.suffix(2))
    }
    reflections.applyInverse(to: &result)
    for row in 0..<7 { expectClose(result.row(row), rows.row(row).map(Double.init)) }
  }

  @Test(arguments: [Float(1e-20), 1e-3, 1e20])
  func `the length of a vector means nothing`(length: Float) {
    var random = RandomStream(seed: 3)
    let vectors = random.normal([4, 9])
    var scaled = vectors
    for place in 0..<36 { scaled.elements[place] *= length }
    let rows = random.normal([5, 9])
    var (result, expected) = (rows, rows)
    Reflections(vectors: scaled).apply(to: &result)
    Reflections(vectors: vectors).apply(to: &expected)
    for row in 0..<5 { expectClose(result.row(row), expected.row(row).map(Double.init)) }
  }

  @Test(arguments: [(count: 1, width: 2), (2, 2), (3, 8), (30, 100)])
  func `orthonormal axes become the first coordinates`(size: (count: Int, width: Int)) throws {
    // Axes by Gram and Schmidt.
    var random = RandomStream(seed: 4)
    var axes: [[Double]] = []
    for _ in 0..<size.count {
      var axis = random.normal([size.width]).elements.map(Double.init)
      for _ in 0..<2 {
        for other in axes {
          let share = zip(axis, other).reduce(0.0) { $0 + $1.0 * $1.1 }
          for column in axis.indices { axis[column] -= share * other[column] }
        }
      }
      let norm = axis.reduce(0.0) { $0 + $1 * $1 }.squareRoot()
      axes.append(axis.map { $0 / norm })
    }
    let tensor = Tensor(axes.flatMap { $0.map { Float($0) } }).reshaped([size.count, size.width])
    var turned = tensor
    try Reflections(turning: tensor).apply(to: &turned)
    for axis in 0..<size.count {
      for (column, value) in turned.row(axis).enumerated() {
        #expect(abs(abs(value) - (column == axis ? 1 : 0)) < 1e-5)
      }
    }
  }
}
