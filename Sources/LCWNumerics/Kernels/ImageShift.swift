// SPDX-License-Identifier: Apache-2.0
import CKernels

/// An image of bytes mirrored and moved, as augmentation does it.
public struct ImageShift: Sendable, Hashable {
  /// The rows by which the window is moved down over the image.
  public var down: Int
  /// The columns by which the window is moved to the right.
  public var right: Int
  /// Whether the image is mirrored left to right before.
  public var isFlipped: Bool

  /// A shift.
  public init(down: Int, right: Int, isFlipped: Bool) {
    self.down = down
    self.right = right
    self.isFlipped = isFlipped
  }

  /// What a window of the image's own size sees: bytes outside of the image are zero.
  /// - Parameters:
  ///   - image: The bytes of `[channels, height, width]`.
  ///   - shape: These sizes.
  public func applied(to image: ArraySlice<UInt8>, shape: Shape) -> [UInt8] {
    precondition(
      shape.rank == 3 && image.count == shape.count, "\(image.count) bytes are no image \(shape)")
    return [UInt8](unsafeUninitializedCapacity: shape.count) { target, count in
      count = shape.count
      image.withUnsafeBufferPointer { source in
        guard let target = target.baseAddress, let source = source.baseAddress else { return }
        lcw_shift_image(
          target, source, shape[0], shape[1], shape[2], down, right, isFlipped ? 1 : 0)
      }
    }
  }
}
