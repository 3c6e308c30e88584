// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// A tensor of numbers as what is to be done with tensors of the file, so that no weights are read before
/// they are asked for.
struct TensorRecipe: Sendable {
  /// The sizes.
  let shape: Shape
  private let step: Step
  /// The steps to the tensors of the file.
  let depth: Int
  /// The elements of all steps.
  let cost: Double

  private indirect enum Step: Sendable {
    case stored(Int)
    case filled(Float)
    case values([Float])
    case reshaped(TensorRecipe)
    case transposed(TensorRecipe, [Int])
    case mapped(TensorRecipe, Mapping)
    case combined(TensorRecipe, TensorRecipe, Combination)
    case rows(TensorRecipe, axis: Int, [Int])
    case joined([TensorRecipe], axis: Int)
  }

  /// What is done with each number.
  enum Mapping: Sendable {
    case scaled(Float)
    case shifted(Float)
    case negated, squareRoot, reciprocal, exponential, logarithm, absolute
  }

  /// What is done with two numbers.
  enum Combination: Sendable {
    case sum, difference, product, quotient, power, least, greatest
  }

  private init(_ shape: Shape, _ step: Step, of parts: [TensorRecipe] = []) {
    self.shape = shape
    self.step = step
    depth = 1 + (parts.map(\.depth).max() ?? 0)
    cost = Double(shape.count) + parts.reduce(0) { $0 + $1.cost }
  }

  /// A tensor of the file.
  init(stored index: Int, _ shape: Shape) { self.init(shape, .stored(index)) }
  /// One number everywhere.
  init(filled value: Float, _ shape: Shape) { self.init(shape, .filled(value)) }
  /// Numbers.
  init(_ values: [Float], _ shape: Shape) { self.init(shape, .values(values)) }

  /// The index of the tensor of the file whose elements these are, in their order; nothing for others.
  var storedIndex: Int? {
    switch step {
    case .stored(let index): index
    case .reshaped(let part): part.storedIndex
    default: nil
    }
  }

  /// The number that stands everywhere, where the file says so.
  var filledValue: Float? { if case .filled(let value) = step { value } else { nil } }

  /// The tensors of the file that are needed.
  var storedIndices: [Int] {
    switch step {
    case .stored(let index): [index]
    case .filled, .values: []
    case .reshaped(let part), .transposed(let part, _), .mapped(let part, _), .rows(let part, _, _):
      part.storedIndices
    case .combined(let a, let b, _): a.storedIndices + b.storedIndices
    case .joined(let parts, _): parts.flatMap(\.storedIndices)
    }
  }

  // MARK: Steps

  /// The same numbers in another shape of the same count.
  func reshaped(_ new: Shape) -> TensorRecipe {
    if new == shape { return self }
    if case .filled(let value) = step { return TensorRecipe(filled: value, new) }
    if case .values(let values) = step { return TensorRecipe(values, new) }
    if case .reshaped(let part) = step { return part.reshaped(new) }
    return TensorRecipe(new, .reshaped(self), of: [self])
  }

  /// The axes in another order: axis i is axis `order[i]` of this one.
  func transposed(_ order: [Int]) -> TensorRecipe {
    if order == Array(order.indices) { return self }
    let new = Shape(order.map { shape[$0] })
    if case .filled(let value) = step { return TensorRecipe(filled: value, new) }
    return TensorRecipe(new, .transposed(self, order), of: [self])
  }

  /// Each number changed.
  func mapped(_ mapping: Mapping) -> TensorRecipe {
    switch mapping {
    case .scaled(1), .shifted(0): return self
    default: break
    }
    if case .filled(let value) = step {
      return TensorRecipe(filled: TensorRecipe.apply(mapping, to: value), shape)
    }
    return TensorRecipe(shape, .mapped(self, mapping), of: [self])
  }

  /// The numbers of a tensor of the file as floating-point ones, which are no longer the file's own.
  var converted: TensorRecipe { TensorRecipe(shape, .mapped(self, .scaled(1)), of: [self]) }

  /// Two tensors combined; sizes of one stand for any.
  /// - Returns: Nothing if the shapes do not fit.
  static func combined(
    _ a: TensorRecipe, _ b: TensorRecipe, _ combination: Combination
  ) -> TensorRecipe? {
    guard let shape = Shape.broadcast(a.shape, b.shape) else { return nil }
    if case .filled(let x) = a.step, case .filled(let y) = b.step {
      return TensorRecipe(filled: apply(combination, x, y), shape)
    }
    return TensorRecipe(shape, .combined(a, b, combination), of: [a, b])
  }

  /// Some indices of an axis.
  func rows(_ indices: [Int], axis: Int) -> TensorRecipe {
    var sizes = shape.dimensions
    sizes[axis] = indices.count
    let new = Shape(sizes)
    if case .filled(let value) = step { return TensorRecipe(filled: value, new) }
    return TensorRecipe(new, .rows(self, axis: axis, indices), of: [self])
  }

  /// Tensors behind each other along an axis; their shapes fit.
  static func joined(_ parts: [TensorRecipe], axis: Int, _ shape: Shape) -> TensorRecipe {
    TensorRecipe(shape, .joined(parts, axis: axis), of: parts)
  }

  // MARK: Numbers

  /// The numbers, row by row.
  /// - Throws: What reading throws.
  func elements(from data: TensorData) throws -> [Float] {
    switch step {
    case .stored(let index): return try data.tensor(index).floats.elements
    case .filled(let value): return [Float](repeating: value, count: shape.count)
    case .values(let values): return values
    case .reshaped(let part): return try part.elements(from: data)
    case .transposed(let part, let order):
      return TensorRecipe.gather(
        try part.elements(from: data), shape: shape,
        strides: order.map { part.shape.strides[$0] })
    case .mapped(let part, let mapping):
      return try part.elements(from: data).map { TensorRecipe.apply(mapping, to: $0) }
    case .combined(let a, let b, let combination):
      let (x, y) = (try a.elements(from: data), try b.elements(from: data))
      let (left, right) = (a.broadcast(x, to: shape), b.broadcast(y, to: shape))
      return zip(left, right).map { TensorRecipe.apply(combination, $0, $1) }
    case .rows(let part, let axis, let indices):
      let elements = try part.elements(from: data)
      let inner = part.shape.dimensions.dropFirst(axis + 1).reduce(1, *)
      let outer = part.shape.dimensions.prefix(axis).reduce(1, *)
      var result: [Float] = []
      result.reserveCapacity(shape.count)
      for index in 0..<outer {
        for row in indices {
          let start = (index * part.shape[axis] + row) * inner
          result += elements[start..<start + inner]
        }
      }
      return result
    case .joined(let parts, let axis):
      let all = try parts.map { try $0.elements(from: data) }
      let outer = shape.dimensions.prefix(axis).reduce(1, *)
      var result: [Float] = []
      result.reserveCapacity(shape.count)
      for index in 0..<outer {
        for elements in all {
          let width = elements.count / max(1, outer)
          result += elements[index * width..<(index + 1) * width]
        }
      }
      return result
    }
  }

  /// The numbers repeated along axes of one.
  private func broadcast(_ elements: [Float], to shape: Shape) -> [Float] {
    if self.shape == shape { return elements }
    let missing = shape.rank - self.shape.rank
    let own = self.shape.strides
    let strides = (0..<shape.rank).map { axis in
      axis < missing || self.shape[axis - missing] == 1 ? 0 : own[axis - missing]
    }
    return TensorRecipe.gather(elements, shape: shape, strides: strides)
  }

  /// Elements at steps for each axis.
  private static func gather(_ elements: [Float], shape: Shape, strides: [Int]) -> [Float] {
    guard shape.count > 0 else { return [] }
    var result: [Float] = []
    result.reserveCapacity(shape.count)
    var index = [Int](repeating: 0, count: shape.rank)
    var place = 0
    for _ in 0..<shape.count {
      result.append(elements[place])
      var axis = shape.rank - 1
      while axis >= 0 {
        index[axis] += 1
        place += strides[axis]
        if index[axis] < shape[axis] { break }
        place -= strides[axis] * shape[axis]
        index[axis] = 0
        axis -= 1
      }
    }
    return result
  }

  private static func apply(_ mapping: Mapping, to x: Float) -> Float {
    switch mapping {
    case .scaled(let factor): x * factor
    case .shifted(let summand): x + summand
    case .negated: -x
    case .squareRoot: x.squareRoot()
    case .reciprocal: 1 / x
    case .exponential: Float(ScalarFunction.exponential(Double(x)))
    case .logarithm: Float(ScalarFunction.logarithm(Double(x)))
    case .absolute: abs(x)
    }
  }

  private static func apply(_ combination: Combination, _ x: Float, _ y: Float) -> Float {
    switch combination {
    case .sum: x + y
    case .difference: x - y
    case .product: x * y
    case .quotient: x / y
    case .power: Float(ScalarFunction.power(Double(x), Double(y)))
    case .least: min(x, y)
    case .greatest: max(x, y)
    }
  }
}

extension Shape {
  /// The steps between neighbours along each axis.
  var strides: [Int] {
    var strides = [Int](repeating: 1, count: rank)
    for axis in stride(from: rank - 2, through: 0, by: -1) {
      strides[axis] = strides[axis + 1] * self[axis + 1]
    }
    return strides
  }

  /// The shape of two tensors combined, where sizes of one stand for any; nothing if they do not fit.
  static func broadcast(_ a: Shape, _ b: Shape) -> Shape? {
    let rank = max(a.rank, b.rank)
    var sizes: [Int] = []
    for axis in 0..<rank {
      let x = axis < rank - a.rank ? 1 : a[axis - rank + a.rank]
      let y = axis < rank - b.rank ? 1 : b[axis - rank + b.rank]
      guard x == y || x == 1 || y == 1 else { return nil }
      sizes.append(x == 1 ? y : x)
    }
    return try? Shape(checking: sizes)
  }
}
