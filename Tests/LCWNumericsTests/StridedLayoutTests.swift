// SPDX-License-Identifier: Apache-2.0
import LCWNumerics
import Testing

@Suite struct StridedLayoutTests {
  /// The positions of all elements, row by row, each from its own index: slow and obvious.
  private func positions(of shape: Shape, strides: [Int], offset: Int) -> [Int] {
    (0..<shape.count).map { element in
      var rest = element
      var position = offset
      for axis in shape.dimensions.indices.reversed() {
        position += rest % shape[axis] * strides[axis]
        rest /= shape[axis]
      }
      return position
    }
  }

  /// The elements at some positions in a row of elements.
  private func elements(at positions: [Int], of bytes: [UInt8], width: Int) -> [UInt8] {
    positions.flatMap { bytes[$0 * width..<($0 + 1) * width] }
  }

  /// Bytes of which neighbours differ, as do elements of any width.
  private func row(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ $0 >> 8) }
  }

  @Test(arguments: [1, 2, 4, 8])
  func anyLayoutIsThatOfTheSlowWay(width: Int) throws {
    var random = RandomStream(seed: 11)
    func number(below bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
    var scalars = 0
    var empty = 0
    var rowMajor = 0
    for _ in 0..<3000 {
      let rank = number(below: 5)
      let shape = Shape((0..<rank).map { _ in number(below: 5) })
      // Every third one is laid out row by row, as most are.
      let strides =
        number(below: 3) == 0
        ? (0..<rank).map { axis in shape.dimensions[(axis + 1)...].reduce(1, *) }
        : (0..<rank).map { _ in number(below: 6) }
      let offset = number(below: 8)
      let layout = try #require(StridedLayout(shape: shape, strides: strides, offset: offset))
      let expected = positions(of: shape, strides: strides, offset: offset)
      let end = expected.max().map { $0 + 1 } ?? offset
      #expect(layout.extent == offset..<end)
      #expect(
        layout.isRowMajor == (expected == Array(offset..<offset + shape.count)),
        "\(shape) by \(strides)")
      // With a part of an element behind the last one, which belongs to nobody.
      let bytes = row((end + number(below: 2)) * width + number(below: width))
      let found = layout.gathered(from: bytes, width: width)
      #expect(
        found == elements(at: expected, of: bytes, width: width),
        "\(shape) by \(strides) from \(offset)")
      scalars += rank == 0 ? 1 : 0
      empty += shape.count == 0 ? 1 : 0
      rowMajor += layout.isRowMajor && shape.count > 1 ? 1 : 0
    }
    #expect(scalars > 100 && empty > 100 && rowMajor > 100)
  }

  @Test(arguments: [[], [1], [7], [3, 5], [5, 1, 3], [2, 3, 4], [2, 0, 3], [4, 3, 2, 5]])
  func columnsOfFortran(sizes: [Int]) throws {
    let shape = Shape(sizes)
    let layout = StridedLayout(columnMajor: shape)
    let strides = sizes.indices.map { sizes[..<$0].reduce(1, *) }
    let expected = positions(of: shape, strides: strides, offset: 0)
    let bytes = row(2 * shape.count)
    #expect(layout.extent == 0..<shape.count)
    #expect(
      layout.gathered(from: bytes, width: 2) == elements(at: expected, of: bytes, width: 2))
    #expect(Set(expected) == Set(0..<shape.count))
  }

  @Test func aMatrixByHand() throws {
    // [[0, 1, 2], [3, 4, 5]] transposed, its second column alone, and its first row three times.
    let bytes: [UInt8] = [0, 1, 2, 3, 4, 5]
    let transposed = try #require(StridedLayout(shape: [3, 2], strides: [1, 3]))
    #expect(transposed.gathered(from: bytes, width: 1) == [0, 3, 1, 4, 2, 5])
    let column = try #require(StridedLayout(shape: [2], strides: [3], offset: 1))
    #expect(column.gathered(from: bytes, width: 1) == [1, 4])
    let repeated = try #require(StridedLayout(shape: [3, 3], strides: [0, 1]))
    #expect(repeated.gathered(from: bytes, width: 1) == [0, 1, 2, 0, 1, 2, 0, 1, 2])
    #expect(
      StridedLayout(columnMajor: [3, 2]).gathered(from: bytes, width: 1) == [0, 3, 1, 4, 2, 5])
  }

  @Test func impossibleLayoutsAreRefused() {
    #expect(StridedLayout(shape: [2, 3], strides: [3]) == nil)
    #expect(StridedLayout(shape: [], strides: [1]) == nil)
    #expect(StridedLayout(shape: [2], strides: [-1]) == nil)
    #expect(StridedLayout(shape: [2], strides: [1], offset: -1) == nil)
    #expect(StridedLayout(shape: [3], strides: [.max]) == nil)
    #expect(StridedLayout(shape: [2], strides: [1], offset: .max - 1) == nil)
    #expect(StridedLayout(shape: [2, 2], strides: [1 << 62, 1 << 62]) == nil)
    #expect(StridedLayout(shape: [], strides: [], offset: .max) == nil)
  }

  @Test func stepsThatAreNeverTakenMayBeAnything() throws {
    let one = try #require(StridedLayout(shape: [1, 2, 1], strides: [.max, 1, .max]))
    #expect(one.isRowMajor)
    #expect(one.gathered(from: [1, 2], width: 1) == [1, 2])
    let apart = try #require(StridedLayout(shape: [2, 1], strides: [2, .max]))
    #expect(apart.gathered(from: [1, 2, 3], width: 1) == [1, 3])
    let none = try #require(StridedLayout(shape: [0, 2], strides: [.max, .max], offset: 5))
    #expect(none.extent == 5..<5)
    #expect(none.gathered(from: [], width: 8) == [])
  }

  @Test func theFarthestPositionFits() throws {
    let far = try #require(StridedLayout(shape: [2], strides: [1], offset: .max - 2))
    #expect(far.extent == Int.max - 2..<Int.max)
  }
}
