// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// The windows of a pooling operation.
public struct PoolingWindows: Sendable, Hashable {
  /// The height and width of a window.
  public var size: Int
  /// The step between neighbouring windows.
  public var stride: Int
  /// The rows and columns around the input that windows may reach into.
  public var padding: Int

  /// Square windows.
  public init(size: Int, stride: Int, padding: Int = 0) {
    self.size = size
    self.stride = stride
    self.padding = padding
  }

  /// `3 stride 2 pad 1`; the stride is the size if it is not given.
  init(words: inout OperationWords) throws(OperationProblem) {
    size = try words.integer("the size of a window")
    var (stride, padding) = (size, 0)
    try words.clauses(["stride", "pad"]) { (key, words) throws(OperationProblem) in
      switch key {
      case "stride": stride = try words.integer("a number from 1 on after stride")
      default: padding = try words.integer("a number from 0 on after pad", atLeast: 0)
      }
    }
    (self.stride, self.padding) = (stride, padding)
  }

  var words: [String] {
    ["\(size)"] + (stride == size ? [] : ["stride", "\(stride)"])
      + (padding == 0 ? [] : ["pad", "\(padding)"])
  }

  func outputShape(for input: Shape) throws(OperationProblem) -> Shape {
    guard padding <= size / 2 else { throw OperationProblem("may pad by half a window at most") }
    return try ImageWindows.outputShape(
      input, size: [size, size], stride: stride, padding: padding, channels: nil)
  }

  /// The values that lie in the windows of one sample, which reach beyond the image only where it is
  /// padded.
  func values(input: Shape, output: Shape) -> Double {
    Double(output.count) * Double(min(size, input[1])) * Double(min(size, input[2]))
  }

  func pooling(_ rule: PoolingRule, over image: Shape) -> ImagePooling {
    ImagePooling(
      rule,
      over: ImageWindows(over: image, kernel: [size, size], stride: stride, padding: padding))
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
