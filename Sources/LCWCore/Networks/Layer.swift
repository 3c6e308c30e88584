// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// One link of a network's chain, as a plain value: what it does, not its weights.
public enum Layer: Sendable, Hashable {
  /// y = W x + b with W `[outputs, inputs]`; needs a vector.
  case dense(outputs: Int, bias: Bool)
  /// A two-dimensional convolution; needs `[channels, height, width]`.
  case convolution(Convolution)
  /// max(x, 0).
  case relu
  /// The hyperbolic tangent.
  case tanh
  /// The largest value of each window.
  case maxPool(Pooling)
  /// The mean of each window.
  case averagePool(Pooling)
  /// Any shape to a vector, row by row.
  case flatten
  /// In training, zeroes each value with the probability `rate` and scales the others up.
  case dropout(rate: Double)
  /// Normalises each channel by the batch's moments in training, by running ones otherwise.
  case batchNorm

  /// A square or rectangular convolution.
  public struct Convolution: Sendable, Hashable {
    /// The number of filters.
    public var filters: Int
    /// The height and width of a filter.
    public var kernel: [Int]
    /// The step between neighbouring positions.
    public var stride: Int
    /// The rows and columns of zeros around the input.
    public var padding: Int
    /// Whether each filter adds a bias.
    public var bias: Bool

    /// A convolution with a square kernel.
    public init(filters: Int, kernel: Int, stride: Int = 1, padding: Int = 0, bias: Bool = true) {
      self.init(
        filters: filters, kernel: [kernel, kernel], stride: stride, padding: padding, bias: bias)
    }

    /// A convolution with a kernel of a height and a width.
    public init(filters: Int, kernel: [Int], stride: Int, padding: Int, bias: Bool) {
      self.filters = filters
      self.kernel = kernel
      self.stride = stride
      self.padding = padding
      self.bias = bias
    }
  }

  /// The windows of a pooling layer.
  public struct Pooling: Sendable, Hashable {
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
  }

  /// Whether the layer has weights that connect units to units: dense or convolution.
  public var isWeighted: Bool {
    switch self {
    case .dense, .convolution: true
    case .relu, .tanh, .maxPool, .averagePool, .flatten, .dropout, .batchNorm: false
    }
  }
}

extension Layer: CustomStringConvertible {
  /// The layer as text, such as `dense 2000` or `conv 32 5x5 pad 2`.
  public var description: String {
    switch self {
    case .dense(let outputs, let bias): "dense \(outputs)" + (bias ? "" : " no-bias")
    case .convolution(let c):
      "conv \(c.filters) \(c.kernel.map(String.init).joined(separator: "x"))"
        + (c.stride == 1 ? "" : " stride \(c.stride)") + (c.padding == 0 ? "" : " pad \(c.padding)")
        + (c.bias ? "" : " no-bias")
    case .relu: "relu"
    case .tanh: "tanh"
    case .maxPool(let p): "maxpool \(p)"
    case .averagePool(let p): "avgpool \(p)"
    case .flatten: "flatten"
    case .dropout(let rate): "dropout \(rate)"
    case .batchNorm: "batchnorm"
    }
  }
}

extension Layer.Pooling: CustomStringConvertible {
  /// The window as text, such as `3 stride 2`.
  public var description: String {
    "\(size)" + (stride == size ? "" : " stride \(stride)")
      + (padding == 0 ? "" : " pad \(padding)")
  }
}

extension Layer {
  /// The shape of one sample's output for one of the given shape.
  /// - Throws: A sentence that says what the layer needs.
  func outputShape(for input: Shape) throws(LayerProblem) -> Shape {
    switch self {
    case .relu, .tanh: return input
    case .dropout(let rate):
      guard rate >= 0, rate < 1 else { throw LayerProblem("needs a rate from 0 to below 1") }
      return input
    case .flatten: return [input.count]
    case .dense(let outputs, _):
      guard input.rank == 1 else {
        throw LayerProblem("needs a vector but gets \(input); put a flatten before it")
      }
      guard outputs > 0 else { throw LayerProblem("needs at least one output") }
      return [outputs]
    case .batchNorm:
      guard input.rank == 1 || input.rank == 3 else {
        throw LayerProblem("needs a vector or [channels, height, width] but gets \(input)")
      }
      return input
    case .convolution(let c):
      guard c.kernel.count == 2, c.filters > 0 else {
        throw LayerProblem("needs filters and a kernel of a height and a width")
      }
      return try windows(input, size: c.kernel, c.stride, c.padding, channels: c.filters)
    case .maxPool(let p), .averagePool(let p):
      guard p.padding <= p.size / 2 else {
        throw LayerProblem("may pad by half a window at most")
      }
      return try windows(input, size: [p.size, p.size], p.stride, p.padding, channels: nil)
    }
  }

  /// The multiplications with additions of a weighted layer for one sample, or the values that lie in
  /// a pooling layer's windows, which reach beyond the image only where it is padded; 0 for others.
  ///
  /// In double precision, since what a text asks for may be beyond all integers.
  func multiplyAdds(input: Shape, output: Shape) -> Double {
    switch self {
    case .relu, .tanh, .flatten, .dropout, .batchNorm: return 0
    case .dense(let outputs, _): return Double(input.count) * Double(outputs)
    case .convolution(let c):
      return Double(output.count) * Double(input[0]) * Double(c.kernel[0]) * Double(c.kernel[1])
    case .maxPool(let p), .averagePool(let p):
      return Double(output.count) * Double(min(p.size, input[1])) * Double(min(p.size, input[2]))
    }
  }

  /// A shape of sizes that a user may have chosen.
  static func shape(_ sizes: [Int]) throws(LayerProblem) -> Shape {
    do { return try Shape(checking: sizes) } catch {
      throw LayerProblem("needs a tensor \(sizes), which is too large")
    }
  }

  private func windows(
    _ input: Shape, size: [Int], _ stride: Int, _ padding: Int, channels: Int?
  ) throws(LayerProblem) -> Shape {
    guard input.rank == 3 else {
      throw LayerProblem("needs [channels, height, width] but gets \(input)")
    }
    guard stride > 0, padding >= 0, size.allSatisfy({ $0 > 0 }) else {
      throw LayerProblem("has a size or stride under 1, or a negative padding")
    }
    // So that twice the padding and an input beside it fit an integer.
    guard padding <= Int32.max, input[1] <= Int32.max, input[2] <= Int32.max else {
      throw LayerProblem("has a padding or input that is too large")
    }
    let height = (input[1] + 2 * padding - size[0]) / stride + 1
    let width = (input[2] + 2 * padding - size[1]) / stride + 1
    guard input[1] + 2 * padding >= size[0], input[2] + 2 * padding >= size[1] else {
      throw LayerProblem("has a window of \(size) that does not fit \(input)")
    }
    return try Layer.shape([channels ?? input[0], height, width])
  }
}

/// What a layer can't do with its input, as a sentence without a subject.
struct LayerProblem: Error {
  var sentence: String

  init(_ sentence: String) {
    self.sentence = sentence
  }
}
