// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// The windows of a convolution or a pooling as a user asks for them: the numbers may be anything.
struct WindowRequest {
  /// The height and width of a window.
  var size: [Int]
  /// The steps down and across.
  var strides: [Int]
  /// The rows and columns around the image.
  var padding: ImagePadding
  /// The distances of a window's elements down and across.
  var dilation: [Int] = [1, 1]
  /// Whether a last window may reach beyond the padding.
  var roundsUp = false

  /// The shape of one sample behind the windows over images of a shape.
  /// - Parameter channels: What each position has; the image's channels if there is no number.
  /// - Throws: ``OperationProblem`` that says what does not fit.
  func outputShape(_ input: Shape, channels: Int? = nil) throws(OperationProblem) -> Shape {
    guard input.rank == 3 else {
      throw OperationProblem("needs [channels, height, width] but gets \(input)")
    }
    guard [size, strides, dilation].allSatisfy({ $0.count == 2 }) else {
      throw OperationProblem("needs a height and a width of windows, strides and dilation")
    }
    guard padding.isValid, (size + strides + dilation).allSatisfy({ $0 > 0 }) else {
      throw OperationProblem("has a size or stride under 1, or a negative padding")
    }
    // So that sums and products of two of them fit an integer.
    guard padding.isModerate, (size + strides + dilation).allSatisfy({ $0 <= Int32.max }),
      input[1] <= Int32.max, input[2] <= Int32.max
    else { throw OperationProblem("has a padding, window or input that is too large") }
    let counts = ImageWindows.counts(
      over: [input[1], input[2]], kernel: size, strides: strides, padding: padding,
      dilation: dilation, roundingUp: roundsUp)
    guard counts.allSatisfy({ $0 > 0 }) else {
      let spread = dilation == [1, 1] ? "" : " with dilation \(dilation)"
      throw OperationProblem("has a window of \(size)\(spread) that does not fit \(input)")
    }
    return try Shape(chosen: [channels ?? input[0], counts[0], counts[1]])
  }

  /// The windows over images of a shape that they fit.
  func windows(over image: Shape) -> ImageWindows {
    ImageWindows(
      over: image, kernel: size, strides: strides, padding: padding, dilation: dilation,
      roundingUp: roundsUp)
  }
}

extension ImagePadding {
  /// Whether every number is so small that sums of them fit an integer.
  var isModerate: Bool { max(top, left, bottom, right) <= Int32.max }

  /// One number for all sides, or top x left x bottom x right.
  init(words: inout OperationWords, _ expected: String) throws(OperationProblem) {
    let sides = try words.integers(4, expected, atLeast: 0)
    self.init(top: sides[0], left: sides[1], bottom: sides[2], right: sides[3])
  }

  /// As text: one number if all sides have it.
  var operationWord: String { [top, left, bottom, right].operationWord }
}

extension ClosedRange<Double> {
  /// What single precision can hold.
  static let singlePrecision =
    -Double(Float.greatestFiniteMagnitude)...Double(Float.greatestFiniteMagnitude)
  /// What can be added to a variance: above zero, up to 1.
  static let epsilon = Double(Float.leastNormalMagnitude)...1
}
