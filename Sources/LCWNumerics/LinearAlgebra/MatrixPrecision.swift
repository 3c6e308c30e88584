// SPDX-License-Identifier: Apache-2.0
import CKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// How exact a product of matrices in single precision has to be.
///
/// It matters on processors with tile registers for bfloat16 (AMX), which multiply several times as fast as
/// their vector units. A number of single precision is split into a sum of such numbers of 8
/// significant bits, and the product sums the products of these parts (Henry, Tang and Heinecke, Leveraging
/// the bfloat16 Artificial Intelligence Datatype For Higher-Precision Computations, ARITH 2019). On other
/// processors every product is one of single precision, whatever is asked for.
public enum MatrixPrecision: String, Sendable, CaseIterable {
  /// As exact as sums in single precision: three parts, whose six products have no larger errors
  /// than BLAS's. That holds for products between 10⁻³⁰ and 10³⁸ in size: the last parts of smaller ones are
  /// below the smallest number that tiles know.
  case highest
  /// Two parts, and three products: an element's error is at most 2⁻¹⁵ of the sum of its products'
  /// absolute values, beside what sums in single precision lose. Measured on random
  /// matrices it is some 5 · 10⁻⁶ of the result's norm.
  case high

  /// The environment variable that chooses what networks are computed with.
  public static let variable = "LCW_MATRIX_PRECISION"

  /// What networks are computed with where nothing else is said: what `LCW_MATRIX_PRECISION` names, or
  /// else ``high``.
  public static let standard = variableValue.flatMap(MatrixPrecision.init) ?? .high

  /// The value of `LCW_MATRIX_PRECISION`, if there is one that names no precision.
  public static var unknownValue: String? {
    variableValue.flatMap { MatrixPrecision(rawValue: $0) == nil ? $0 : nil }
  }

  private static var variableValue: String? {
    getenv(variable).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// Whether this processor has tiles of bfloat16 that this process may use.
  public static let hasTiles = lcw_tiles_available() != 0

  /// Whether this processor has vectors of 512 bits.
  static let hasVectors = lcw_vectors_available() != 0

  /// What large products of networks are computed on, for records: such as `bfloat16 tiles, high precision`.
  public static var unit: String {
    if hasTiles { return "bfloat16 tiles, \(standard.rawValue) precision" }
    return hasVectors ? "vectors of 512 bits" : "OpenBLAS"
  }

  /// The precision of products of networks if they are computed on tiles, for records; nothing where there are
  /// none.
  public static var nameOnTiles: String? { hasTiles ? standard.rawValue : nil }

  /// The parts of an operand.
  var parts: Int { self == .highest ? 3 : 2 }
}
