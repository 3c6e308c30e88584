// SPDX-License-Identifier: Apache-2.0

/// What can go wrong in arithmetic that input reaches.
public enum NumericsError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A tensor was given another number of elements than its shape has.
  case elementCount(shape: Shape, expected: Int, found: Int)
  /// A stored tensor was given another number of bytes than its shape and element type need.
  case byteCount(shape: Shape, elementType: ElementType, found: Int)
  /// A shape whose element count does not fit an integer, or with a negative dimension.
  case impossibleShape([Int])
  /// A matrix that should be positive definite is not; `order` is the leading minor that fails.
  case notPositiveDefinite(order: Int)
  /// The eigenvalue iteration did not converge, which a matrix with NaN or infinity causes.
  case eigenvaluesDidNotConverge(size: Int)
  /// A matrix is larger than LAPACK can decompose.
  case tooLarge(order: Int, limit: Int)
  /// A matrix has no QR factorisation, as LAPACK has it.
  case notFactored(rows: Int, columns: Int)

  /// One line that says what was expected and what was found.
  public var description: String {
    switch self {
    case .elementCount(let shape, let expected, let found):
      "a tensor of shape \(shape) has \(expected) elements, but \(found) were given"
    case .byteCount(let shape, let elementType, let found):
      "a tensor of shape \(shape) has \(shape.count) \(elementType.rawValue) elements of "
        + "\(elementType.width) bytes each, but \(found) bytes were given"
    case .impossibleShape(let dimensions):
      "the shape \(dimensions) is negative or too large"
    case .notPositiveDefinite(let order):
      "the matrix is not positive definite (leading minor \(order))"
    case .eigenvaluesDidNotConverge(let size):
      "the eigenvalues of a \(size)×\(size) matrix did not converge: it may hold NaN or infinity"
    case .tooLarge(let order, let limit):
      "the eigenvectors of a \(order)×\(order) matrix can't be found: the largest order is \(limit)"
    case .notFactored(let rows, let columns):
      "the \(rows)×\(columns) matrix has no QR factorisation"
    }
  }
}
