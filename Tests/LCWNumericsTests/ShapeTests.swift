// SPDX-License-Identifier: Apache-2.0
import LCWNumerics
import Testing

@Suite struct ShapeTests {
  @Test(arguments: [
    [Int.max, 2], [1 << 32, 1 << 32], [1 << 21, 1 << 21, 1 << 21], [-1], [3, -2], [0, -1],
    [0, Int.max, 4], [Int.min],
  ])
  func impossibleShapesAreRefused(sizes: [Int]) {
    let error = #expect(throws: NumericsError.self) { try Shape(checking: sizes) }
    #expect(error == .impossibleShape(sizes))
    #expect(error?.description == "the shape \(sizes) is negative or too large")
  }

  @Test(
    arguments: [
      ([], 1), ([0], 0), ([5], 5), ([2, 3, 4], 24), ([4, 0, 2], 0), ([Int.max], .max),
      ([1 << 31, 1 << 31], 1 << 62),
    ] as [([Int], Int)])
  func counts(sizes: [Int], count: Int) throws {
    let shape = try Shape(checking: sizes)
    #expect(shape.count == count)
    #expect(shape.rank == sizes.count)
    #expect(shape.rows == sizes.first ?? 1)
    #expect(shape.rowCount == sizes.dropFirst().reduce(1, *))
    #expect(shape == Shape(sizes))
    #expect("\(shape)" == "\(sizes)")
  }

  @Test func batches() {
    #expect(Shape([3, 4]).batched(7) == [7, 3, 4])
    #expect(Shape([]).batched(2) == [2])
  }
}

@Suite struct TensorTests {
  @Test func elementsMustFitTheShape() throws {
    #expect(try Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3]).row(1) == [4, 5, 6])
    let error = #expect(throws: NumericsError.self) { try Tensor([1, 2], shape: [3]) }
    #expect(error == .elementCount(shape: [3], expected: 3, found: 2))
    #expect(error?.description == "a tensor of shape [3] has 3 elements, but 2 were given")
  }

  @Test func identityIsOfBits() {
    #expect(Tensor([.nan]).isIdentical(to: Tensor([.nan])))
    #expect(!Tensor([0]).isIdentical(to: Tensor([-0.0])))
    #expect(!Tensor([0]).isIdentical(to: Tensor(zeros: [1, 1])))
    #expect(Tensor([0]) == Tensor([-0.0]))
  }

  @Test func finiteness() {
    #expect(Tensor([1, -.greatestFiniteMagnitude]).isFinite)
    #expect(!Tensor([1, .nan]).isFinite)
    #expect(!Tensor([.infinity]).isFinite)
  }

  @Test func copiesAreIndependent() {
    let first = Tensor(repeating: 1, shape: [4])
    var second = first.reshaped([2, 2])
    second.relu()
    second.elements[0] = 5
    #expect(first.elements == [1, 1, 1, 1])
    #expect(second == (try? Tensor([5, 1, 1, 1], shape: [2, 2])))
  }
}
