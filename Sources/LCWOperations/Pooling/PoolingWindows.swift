// SPDX-License-Identifier: Apache-2.0
import LCWCore
public import LCWNumerics

/// The windows of a pooling operation.
public struct PoolingWindows: Sendable, Hashable {
  /// The height and width of a window.
  public var size: [Int]
  /// The steps between windows below and beside each other.
  public var strides: [Int]
  /// The rows and columns around the input that windows may reach into.
  public var padding: ImagePadding
  /// Whether the number of windows is rounded up: a last one that begins in the input, or in the padding
  /// above or to the left of it, may reach beyond the padding.
  public var roundsUp: Bool

  /// Square windows.
  public init(size: Int, stride: Int, padding: Int = 0) {
    self.init(
      size: [size, size], strides: [stride, stride], padding: ImagePadding(padding))
  }

  /// Windows whose numbers may differ down and across.
  ///
  /// - Parameters:
  ///   - size: The height and width of a window.
  ///   - strides: The steps down and across; the size if there are none.
  ///   - padding: The rows and columns around the input.
  ///   - roundsUp: Whether a last window may reach beyond the padding.
  public init(
    size: [Int], strides: [Int]? = nil, padding: ImagePadding = .none, roundsUp: Bool = false
  ) {
    self.size = size
    self.strides = strides ?? size
    self.padding = padding
    self.roundsUp = roundsUp
  }

  /// `3x2 stride 2 pad 1 ceil`; the stride is the size if it is not given.
  /// - Parameters:
  ///   - flags: Other words that may stand, each once.
  ///   - found: Is called for each of them that does.
  init(
    words: inout OperationWords, flags: Set<String> = [],
    found: (String, inout OperationWords) throws(OperationProblem) -> Void = { (_, _) in }
  ) throws(OperationProblem) {
    let size = try words.integers(2, "the size of a window")
    var windows = PoolingWindows(size: size)
    try words.clauses(flags.union(["stride", "pad", "ceil"])) {
      (key, words) throws(OperationProblem) in
      switch key {
      case "stride":
        windows.strides = try words.integers(
          2, "a number from 1 on after stride, or two such as 2x1")
      case "pad":
        windows.padding = try ImagePadding(
          words: &words, "a number from 0 on after pad, or four such as 1x0x2x1")
      case "ceil": windows.roundsUp = true
      default: try found(key, &words)
      }
    }
    self = windows
  }

  var words: [String] {
    var words = [size.operationWord]
    if strides != size { words += ["stride", strides.operationWord] }
    if padding != .none { words += ["pad", padding.operationWord] }
    return roundsUp ? words + ["ceil"] : words
  }

  func outputShape(
    for input: Shape, dilation: [Int] = [1, 1]
  ) throws(OperationProblem) -> Shape {
    guard size.count == 2, dilation.count == 2 else {
      throw OperationProblem("needs windows of a height and a width")
    }
    // So every window sees a value.
    guard max(padding.top, padding.bottom) <= size[0] / 2,
      max(padding.left, padding.right) <= size[1] / 2
    else { throw OperationProblem("may pad by half a window at most") }
    let output = try request(dilation).outputShape(input)
    guard padding == .none || (dilation[0] <= input[1] && dilation[1] <= input[2]) else {
      throw OperationProblem("has a dilation \(dilation) with which windows miss \(input)")
    }
    return output
  }

  /// The values that lie in the windows of one sample, which reach beyond the image only where it is
  /// padded.
  func values(input: Shape, output: Shape) -> Double {
    Double(output.count) * Double(min(size[0], input[1])) * Double(min(size[1], input[2]))
  }

  func windows(over image: Shape, dilation: [Int] = [1, 1]) -> ImageWindows {
    request(dilation).windows(over: image)
  }

  private func request(_ dilation: [Int]) -> WindowRequest {
    WindowRequest(
      size: size, strides: strides, padding: padding, dilation: dilation, roundsUp: roundsUp)
  }
}

/// The largest value or the mean of each window.
struct PoolingKernel: UnaryKernel {
  var pooling: ImagePooling

  func output(of input: consuming Tensor, parameters: [Tensor], workers: Workers) -> Tensor {
    pooling.output(of: input, workers: workers)
  }

  func outputRecording(
    of input: consuming Tensor, parameters: [Tensor], pass: inout TrainingPass
  ) -> (output: Tensor, record: [Tensor]) {
    (pooling.output(of: input, workers: pass.workers), [input])
  }

  func backward(
    _ gradient: consuming Tensor, record: [Tensor], parameters: [Tensor],
    gradients: inout [Tensor], needsInput: Bool, pass: TrainingPass
  ) -> Tensor? {
    pooling.backward(gradient, images: record[0], workers: pass.workers)
  }
}
