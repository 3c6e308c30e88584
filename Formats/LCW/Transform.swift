// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// What happens to a chunk's bytes before they are compressed. The raw value is its name in files.
enum Transform: String, Sendable {
  /// Nothing: one frame per chunk.
  case none
  /// Split into byte planes, the most significant first: one frame per plane.
  case planes
  /// Each word rotated left by one bit, so that the exponent fills the first byte and the sign is
  /// the last bit; then split into planes.
  case rotatedPlanes = "rotl1"
  /// The exponent of 8 bits coded in 5, so that three bits of the mantissa share its byte; the
  /// rest in bytes, the last bits packed.
  case narrowExponent = "exp5"

  /// Tensors of fewer bytes are not split: the frames would cost more than they save.
  static let smallestSplit = 1024

  /// The transforms that the writer tries, the one to expect first.
  static func candidates(for elementType: ElementType, rawBytes: Int) -> [Transform] {
    if elementType.width == 1 || rawBytes < smallestSplit { return [.none] }
    return [narrowExponent, rotatedPlanes, planes].filter { $0.fits(elementType) }
  }

  /// Whether a tensor of that type can have the transform.
  func fits(_ elementType: ElementType) -> Bool {
    switch self {
    case .none: true
    case .planes: elementType.width > 1 && !elementType.isFloatingPoint
    case .rotatedPlanes: elementType.isFloatingPoint
    case .narrowExponent: elementType == .float32 || elementType == .bfloat16
    }
  }
}
