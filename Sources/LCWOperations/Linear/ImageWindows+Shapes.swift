// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

extension ImageWindows {
  /// The shape of one sample behind windows over images of a shape; the sizes may be anything.
  /// - Parameter channels: What each position has; the image's channels if there is no number.
  static func outputShape(
    _ input: Shape, size: [Int], stride: Int, padding: Int, channels: Int?
  ) throws(OperationProblem) -> Shape {
    guard input.rank == 3 else {
      throw OperationProblem("needs [channels, height, width] but gets \(input)")
    }
    guard stride > 0, padding >= 0, size.allSatisfy({ $0 > 0 }) else {
      throw OperationProblem("has a size or stride under 1, or a negative padding")
    }
    // So that twice the padding and an input beside it fit an integer.
    guard padding <= Int32.max, input[1] <= Int32.max, input[2] <= Int32.max else {
      throw OperationProblem("has a padding or input that is too large")
    }
    let height = (input[1] + 2 * padding - size[0]) / stride + 1
    let width = (input[2] + 2 * padding - size[1]) / stride + 1
    guard input[1] + 2 * padding >= size[0], input[2] + 2 * padding >= size[1] else {
      throw OperationProblem("has a window of \(size) that does not fit \(input)")
    }
    return try Shape(chosen: [channels ?? input[0], height, width])
  }
}
