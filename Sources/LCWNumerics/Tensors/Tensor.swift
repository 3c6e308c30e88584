// SPDX-License-Identifier: Apache-2.0

/// Single-precision values in row-major order with a shape.
///
/// ```swift
/// var weights = Tensor(zeros: [10, 784])
/// weights.elements[784] = 0.5  // row 1, column 0
/// ```
///
/// A tensor is a value: copies share their storage until one of them is changed. It does no
/// broadcasting beyond what ``Tensor/combination(_:coefficients:shape:)`` documents, and holds
/// single precision only; other element types are kept as ``StoredTensor``.
public struct Tensor: Sendable, Hashable {
  /// The dimensions, outermost first.
  public let shape: Shape

  /// The values, row by row. Their number can't change.
  public var elements: [Float] {
    _read { yield storage }
    // An observer in the place of this accessor would make every change from another module copy
    // all values.
    _modify {
      yield &storage
      precondition(
        storage.count == shape.count, "a tensor's elements were replaced by another number")
    }
  }
  private var storage: [Float]

  /// A tensor of the given values.
  /// - Throws: `NumericsError.elementCount` if their number is not the shape's.
  public init(_ elements: [Float], shape: Shape) throws(NumericsError) {
    guard elements.count == shape.count else {
      throw .elementCount(shape: shape, expected: shape.count, found: elements.count)
    }
    self.shape = shape
    self.storage = elements
  }

  /// A tensor that holds `value` everywhere.
  public init(repeating value: Float, shape: Shape) {
    self.shape = shape
    self.storage = [Float](repeating: value, count: shape.count)
  }

  /// A tensor of zeros.
  public init(zeros shape: Shape) {
    self.init(repeating: 0, shape: shape)
  }

  /// A tensor whose values are whatever memory held, for the caller to overwrite whole.
  ///
  /// Spares the pass over memory that zeroing costs, which shows in blocks of many megabytes.
  public init(unspecified shape: Shape) {
    self.shape = shape
    self.storage = [Float](unsafeUninitializedCapacity: shape.count) { _, count in
      count = shape.count
    }
  }

  /// A vector.
  public init(_ elements: [Float]) {
    self.shape = [elements.count]
    self.storage = elements
  }

  /// The number of elements.
  public var count: Int { shape.count }

  /// The same values under another shape of the same count.
  public func reshaped(_ shape: Shape) -> Tensor {
    precondition(shape.count == count, "\(self.shape) can't be reshaped to \(shape)")
    return Tensor(trusted: elements, shape: shape)
  }

  /// The values of one index of the first dimension.
  public func row(_ index: Int) -> ArraySlice<Float> {
    let width = shape.rowCount
    return elements[index * width..<(index + 1) * width]
  }

  /// Whether every value is finite.
  public var isFinite: Bool { elements.allSatisfy(\.isFinite) }

  /// Whether both have the same shape and the same bits, NaN payloads and signs of zero included.
  public func isIdentical(to other: Tensor) -> Bool {
    shape == other.shape
      && zip(elements, other.elements).allSatisfy { $0.bitPattern == $1.bitPattern }
  }

  /// Whether both are copies of one tensor that neither has changed since.
  package func sharesStorage(with other: Tensor) -> Bool {
    shape == other.shape && storage.sharesStorage(with: other.storage)
  }

  /// For callers in this module that made the elements to fit.
  init(trusted elements: [Float], shape: Shape) {
    assert(elements.count == shape.count)
    self.shape = shape
    self.storage = elements
  }
}
