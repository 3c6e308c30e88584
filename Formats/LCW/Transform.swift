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

  /// Tensors of fewer bytes are not split: the frames would cost more than they save.
  static let smallestSplit = 1024

  /// The transform that the writer uses.
  init(for elementType: ElementType, rawBytes: Int) {
    if elementType.width == 1 || rawBytes < Transform.smallestSplit {
      self = .none
    } else {
      self = elementType.isFloatingPoint ? .rotatedPlanes : .planes
    }
  }

  /// Whether a tensor of that type can have the transform.
  func fits(_ elementType: ElementType) -> Bool {
    switch self {
    case .none: true
    case .planes: elementType.width > 1 && !elementType.isFloatingPoint
    case .rotatedPlanes: elementType.isFloatingPoint
    }
  }
}
