// SPDX-License-Identifier: Apache-2.0

/// The dimensions of a tensor, outermost first: `[rows, columns]` for a matrix.
///
/// The empty shape is that of a scalar and has one element. A shape made by a checked initialiser
/// has a count that fits an `Int`.
public struct Shape: Sendable, Hashable, ExpressibleByArrayLiteral, CustomStringConvertible {
  /// The sizes, none negative.
  public let dimensions: [Int]
  /// The number of elements.
  public let count: Int

  /// A shape from sizes that input gave.
  /// - Throws: `NumericsError.impossibleShape` if a size is negative or the count overflows.
  public init(checking dimensions: [Int]) throws(NumericsError) {
    guard let count = Shape.count(of: dimensions) else {
      throw .impossibleShape(dimensions)
    }
    self.dimensions = dimensions
    self.count = count
  }

  /// A shape from sizes the program itself computed; impossible ones are a programming error.
  public init(_ dimensions: [Int]) {
    guard let count = Shape.count(of: dimensions) else {
      preconditionFailure("the shape \(dimensions) is negative or too large")
    }
    self.dimensions = dimensions
    self.count = count
  }

  /// A shape from its sizes.
  public init(arrayLiteral elements: Int...) {
    self.init(elements)
  }

  /// The number of dimensions.
  public var rank: Int { dimensions.count }

  /// The size of the dimension at `axis`.
  public subscript(axis: Int) -> Int { dimensions[axis] }

  /// The first size; 1 for a scalar.
  public var rows: Int { dimensions.first ?? 1 }

  /// The number of elements behind one index of the first dimension; 1 for a vector or scalar.
  public var rowCount: Int { dimensions.dropFirst().reduce(1, *) }

  /// This shape behind one more dimension, as a block of samples has it.
  public func batched(_ samples: Int) -> Shape { Shape([samples] + dimensions) }

  /// The sizes as `[2000, 784]`.
  public var description: String { "\(dimensions)" }

  private static func count(of dimensions: [Int]) -> Int? {
    // The product of the non-zero sizes must fit too: [0, 2⁶³, 4] is refused like [2, 2⁶³].
    var product = 1
    for size in dimensions where size != 0 {
      let (next, overflow) = product.multipliedReportingOverflow(by: size)
      guard size > 0, !overflow else { return nil }
      product = next
    }
    return dimensions.contains(0) ? 0 : product
  }
}
