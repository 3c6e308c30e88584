// SPDX-License-Identifier: Apache-2.0

/// The rows and columns around an image, which may differ from side to side.
public struct ImagePadding: Sendable, Hashable {
  /// The rows above.
  public var top: Int
  /// The columns to the left.
  public var left: Int
  /// The rows below.
  public var bottom: Int
  /// The columns to the right.
  public var right: Int

  /// A padding of four numbers.
  public init(top: Int, left: Int, bottom: Int, right: Int) {
    self.top = top
    self.left = left
    self.bottom = bottom
    self.right = right
  }

  /// The same number on all sides.
  public init(_ all: Int) { self.init(top: all, left: all, bottom: all, right: all) }

  /// No padding.
  public static let none = ImagePadding(0)

  /// The rows above and below together.
  public var height: Int { top + bottom }
  /// The columns to the left and to the right together.
  public var width: Int { left + right }
  /// Whether no number is negative.
  public var isValid: Bool { min(top, left, bottom, right) >= 0 }
  /// The number of all sides, if they have the same.
  public var uniform: Int? { [left, bottom, right].allSatisfy { $0 == top } ? top : nil }
}
