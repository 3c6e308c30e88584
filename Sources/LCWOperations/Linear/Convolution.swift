// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// A two-dimensional convolution; needs `[channels, height, width]`.
public struct Convolution: LinearOperation {
  /// `conv`
  public static let name = "conv"
  /// What it is.
  public static let summary = "filters over the positions of an image"
  /// How it is written.
  public static let usage = "conv FILTERS HEIGHTxWIDTH [stride S] [pad P] [no-bias]"

  /// The number of filters.
  public var filters: Int
  /// The height and width of a filter.
  public var kernel: [Int]
  /// The step between neighbouring positions.
  public var stride: Int
  /// The rows and columns of zeros around the input.
  public var padding: Int
  /// Whether each filter adds a bias.
  public var hasBias: Bool

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
    hasBias = bias
  }

  /// `32 5x5 stride 2 pad 2 no-bias`
  public init(words: inout OperationWords) throws(OperationProblem) {
    filters = try words.integer("a number of filters after conv")
    kernel = try words.integers(2, "a kernel such as 3x3 after the number of filters")
    var (stride, padding) = (1, 0)
    try words.clauses(["stride", "pad"]) { (key, words) throws(OperationProblem) in
      switch key {
      case "stride": stride = try words.integer("a number from 1 on after stride")
      default: padding = try words.integer("a number from 0 on after pad", atLeast: 0)
      }
    }
    (self.stride, self.padding) = (stride, padding)
    hasBias = !words.take("no-bias")
  }

  /// What differs from the defaults.
  public var words: [String] {
    ["\(filters)", kernel.map(String.init).joined(separator: "x")]
      + (stride == 1 ? [] : ["stride", "\(stride)"]) + (padding == 0 ? [] : ["pad", "\(padding)"])
      + (hasBias ? [] : ["no-bias"])
  }

  /// `[filters, height, width]`
  public func outputShape(for inputs: [Shape]) throws(OperationProblem) -> Shape {
    guard kernel.count == 2, filters > 0 else {
      throw OperationProblem("needs filters and a kernel of a height and a width")
    }
    return try ImageWindows.outputShape(
      inputs[0], size: kernel, stride: stride, padding: padding, channels: filters)
  }

  /// Weights `[filters, channels, height, width]`, normal with variance 2/(kernel area · filters), and
  /// biases `[filters]` of zero (Anokhin and Yarotsky).
  public func parameters(for inputs: [Shape]) throws(OperationProblem) -> [ParameterDescription] {
    let shape = try Shape(chosen: [filters, inputs[0][0], kernel[0], kernel[1]])
    let variance = 2 / Float(kernel.reduce(1, *) * filters)
    let weight = ParameterDescription(
      .weight, shape, initial: .normal(deviation: variance.squareRoot()))
    return [weight]
      + (hasBias ? [ParameterDescription(.bias, [filters], initial: .constant(0))] : [])
  }

  /// Reads channels, writes filters.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation { .linear(hasBias: hasBias) }

  /// One for each weight and position.
  public func multiplyAdds(inputs: [Shape], output: Shape) -> Double {
    Double(output.count) * Double(inputs[0][0]) * Double(kernel[0]) * Double(kernel[1])
  }

  /// A row of windows.
  public func workspace(inputs: [Shape], output: Shape) -> Double {
    Double(output[2]) * Double(inputs[0][0]) * Double(kernel[0]) * Double(kernel[1])
  }

  /// A ReLU.
  public func fuses(_ activation: FusedActivation) -> Bool { activation == .rectifier }

  /// Filters over images.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel {
    ConvolutionKernel(
      convolution: ImageConvolution(filters: filters, over: windows(over: inputs[0])),
      clips: fusing == .rectifier)
  }

  private func windows(over image: Shape) -> ImageWindows {
    ImageWindows(over: image, kernel: kernel, stride: stride, padding: padding)
  }

  /// The same with biases.
  public var addingBias: Convolution {
    var result = self
    result.hasBias = true
    return result
  }

  /// Whether it pads.
  public var readsPadding: Bool { padding > 0 }

  /// The filters' outputs.
  public func product(
    of block: Tensor, with weight: Tensor, input: Shape, workers: Workers
  ) -> Tensor {
    ImageConvolution(filters: weight.shape.rows, over: windows(over: input))
      .output(of: block, weight: weight, bias: nil, workers: workers)
  }

  /// Patches.
  public func featureRows(
    of block: Tensor, input: Shape, positions count: Int?, first: Int
  ) -> Tensor {
    windows(over: input).patchRows(of: block, positions: count, first: first)
  }

  /// The windows over an image.
  public func positions(input: Shape) -> Int { windows(over: input).positions }
}

extension Layer {
  /// A two-dimensional convolution.
  public static func convolution(_ convolution: Convolution) -> Layer { Layer(convolution) }
}

@section("lcw_plugins") @used
let convolutionPlugin: PluginRecord = { $0.add(Convolution.self) }

/// Filters over images, then clipped at zero if a ReLU follows.
struct ConvolutionKernel: UnaryKernel {
  var convolution: ImageConvolution
  var clips: Bool

  func output(of input: consuming Tensor, parameters: [Tensor], workers: Workers) -> Tensor {
    convolution.output(
      of: input, weight: parameters[0], bias: parameters.count > 1 ? parameters[1] : nil,
      clipping: clips, workers: workers)
  }

  func outputRecording(
    of input: consuming Tensor, parameters: [Tensor], pass: inout TrainingPass
  ) -> (output: Tensor, record: [Tensor]) {
    let saved = copy input
    let result = output(of: input, parameters: parameters, workers: pass.workers)
    return (result, clips ? [saved, result] : [saved])
  }

  func backward(
    _ gradient: consuming Tensor, record: [Tensor], parameters: [Tensor],
    gradients: inout [Tensor], needsInput: Bool, pass: TrainingPass
  ) -> Tensor? {
    // Out of the array, so that it is changed in place.
    var bias = gradients.count > 1 ? gradients.removeLast() : nil
    let input = convolution.backward(
      gradient, clipped: clips ? record[1] : nil, images: record[0], weight: parameters[0],
      weightGradient: &gradients[0], biasGradient: &bias, carry: pass.carry,
      needsInput: needsInput, workers: pass.workers)
    if let bias { gradients.append(bias) }
    return input
  }
}
