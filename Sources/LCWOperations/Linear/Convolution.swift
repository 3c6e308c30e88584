// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// A two-dimensional convolution; needs `[channels, height, width]`.
///
/// With groups, the filters are divided into as many equal parts as the channels, and each part sees the
/// channels of its own part only (Krizhevsky, Sutskever and Hinton 2012). With as many groups as channels
/// it is a depthwise convolution.
public struct Convolution: LinearOperation {
  /// `conv`
  public static let name = "conv"
  /// What it is.
  public static let summary = "filters over the positions of an image"
  /// How it is written.
  public static let usage =
    "conv FILTERS HEIGHTxWIDTH [stride S|DOWNxACROSS] [pad P|TOPxLEFTxBOTTOMxRIGHT] "
    + "[dilation D|DOWNxACROSS] [groups G] [no-bias]"

  /// The number of filters.
  public var filters: Int
  /// The height and width of a filter.
  public var kernel: [Int]
  /// The steps between positions below and beside each other.
  public var strides: [Int]
  /// The rows and columns of zeros around the input.
  public var padding: ImagePadding
  /// The distances of a filter's elements down and across, 1 where they are neighbours.
  public var dilation: [Int]
  /// Into how many equal parts channels and filters are divided.
  public var groups: Int
  /// Whether each filter adds a bias.
  public var hasBias: Bool

  /// A convolution with a square kernel.
  public init(filters: Int, kernel: Int, stride: Int = 1, padding: Int = 0, bias: Bool = true) {
    self.init(
      filters: filters, kernel: [kernel, kernel], stride: stride, padding: padding, bias: bias)
  }

  /// A convolution with a kernel of a height and a width.
  public init(filters: Int, kernel: [Int], stride: Int, padding: Int, bias: Bool) {
    self.init(
      filters: filters, kernel: kernel, strides: [stride, stride], padding: ImagePadding(padding),
      bias: bias)
  }

  /// A convolution whose numbers may differ down and across.
  ///
  /// - Parameters:
  ///   - filters: The number of filters.
  ///   - kernel: The height and width of a filter.
  ///   - strides: The steps down and across.
  ///   - padding: The rows and columns of zeros around the input.
  ///   - dilation: The distances of a filter's elements down and across.
  ///   - groups: Into how many equal parts channels and filters are divided.
  ///   - bias: Whether each filter adds a bias.
  public init(
    filters: Int, kernel: [Int], strides: [Int] = [1, 1], padding: ImagePadding = .none,
    dilation: [Int] = [1, 1], groups: Int = 1, bias: Bool = true
  ) {
    self.filters = filters
    self.kernel = kernel
    self.strides = strides
    self.padding = padding
    self.dilation = dilation
    self.groups = groups
    hasBias = bias
  }

  /// `32 5x5 stride 2 pad 2 no-bias`, `6 3x2 stride 2x1 pad 1x0x2x1 dilation 2 groups 2`
  public init(words: inout OperationWords) throws(OperationProblem) {
    filters = try words.integer("a number of filters after conv")
    kernel = try words.integers(2, "a kernel such as 3x3 after the number of filters")
    var (strides, padding, dilation, groups) = ([1, 1], ImagePadding.none, [1, 1], 1)
    try words.clauses(["stride", "pad", "dilation", "groups"]) {
      (key, words) throws(OperationProblem) in
      switch key {
      case "stride":
        strides = try words.integers(2, "a number from 1 on after stride, or two such as 2x1")
      case "pad":
        padding = try ImagePadding(
          words: &words, "a number from 0 on after pad, or four such as 1x0x2x1")
      case "dilation":
        dilation = try words.integers(2, "a number from 1 on after dilation, or two such as 2x1")
      default: groups = try words.integer("a number from 1 on after groups")
      }
    }
    (self.strides, self.padding, self.dilation, self.groups) = (strides, padding, dilation, groups)
    hasBias = !words.take("no-bias")
  }

  /// What differs from the defaults.
  public var words: [String] {
    var words = ["\(filters)", kernel.map(String.init).joined(separator: "x")]
    if strides != [1, 1] { words += ["stride", strides.operationWord] }
    if padding != .none { words += ["pad", padding.operationWord] }
    if dilation != [1, 1] { words += ["dilation", dilation.operationWord] }
    if groups != 1 { words += ["groups", "\(groups)"] }
    return hasBias ? words : words + ["no-bias"]
  }

  private var request: WindowRequest {
    WindowRequest(size: kernel, strides: strides, padding: padding, dilation: dilation)
  }

  /// `[filters, height, width]`
  public func outputShape(for inputs: [Shape]) throws(OperationProblem) -> Shape {
    guard kernel.count == 2, filters > 0 else {
      throw OperationProblem("needs filters and a kernel of a height and a width")
    }
    let shape = try request.outputShape(inputs[0], channels: filters)
    guard groups > 0, inputs[0][0] % groups == 0 else {
      throw OperationProblem("has \(groups) groups, which do not divide \(inputs[0][0]) channels")
    }
    guard filters % groups == 0 else {
      throw OperationProblem("has \(groups) groups, which do not divide \(filters) filters")
    }
    return shape
  }

  /// Weights `[filters, channels / groups, height, width]`, normal with variance
  /// 2/(kernel area · filters of a group), and biases `[filters]` of zero (Anokhin and Yarotsky).
  public func parameters(for inputs: [Shape]) throws(OperationProblem) -> [ParameterDescription] {
    let shape = try Shape(chosen: [filters, inputs[0][0] / groups, kernel[0], kernel[1]])
    let variance = 2 / Float(kernel.reduce(1, *) * (filters / groups))
    let weight = ParameterDescription(
      .weight, shape, initial: .normal(deviation: variance.squareRoot()))
    return [weight]
      + (hasBias ? [ParameterDescription(.bias, [filters], initial: .constant(0))] : [])
  }

  /// Reads channels, writes filters, each part for itself. A depthwise convolution passes channels one by
  /// one, each to as many filters as there are for it.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation {
    let channels = inputs[0][0]
    guard groups > 1, groups == channels else { return .linear(hasBias: hasBias, parts: groups) }
    let axes = (0...(hasBias ? 1 : 0)).map { UnitRelation.Axis(parameter: $0, axis: 0, .output) }
    return UnitRelation(
      filters == channels ? .sameUnits : .spread(over: filters / channels), axes: axes)
  }

  /// One for each weight and position.
  public func multiplyAdds(inputs: [Shape], output: Shape) -> Double {
    Double(output.count) * Double(inputs[0][0] / groups) * Double(kernel[0]) * Double(kernel[1])
  }

  /// A row of windows, of one group's channels.
  public func workspace(inputs: [Shape], output: Shape) -> Double {
    Double(output[2]) * Double(inputs[0][0] / groups) * Double(kernel[0]) * Double(kernel[1])
  }

  /// A ReLU.
  public func fuses(_ activation: FusedActivation) -> Bool { activation == .rectifier }

  /// Filters over images.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel {
    ConvolutionKernel(
      convolution: ImageConvolution(
        filters: filters, over: request.windows(over: inputs[0]), groups: groups),
      clips: fusing == .rectifier)
  }

  /// The same with biases.
  public var addingBias: Convolution {
    var result = self
    result.hasBias = true
    return result
  }

  /// Whether it pads.
  public var readsPadding: Bool { padding != .none }

  /// The groups.
  public var parts: Int { groups }

  /// The filters' outputs.
  public func product(
    of block: Tensor, with weight: Tensor, input: Shape, workers: Workers
  ) -> Tensor {
    ImageConvolution(
      filters: weight.shape.rows, over: request.windows(over: input), groups: groups
    )
    .output(of: block, weight: weight, bias: nil, workers: workers)
  }

  /// Patches, of all groups' channels.
  public func featureRows(
    of block: Tensor, input: Shape, positions count: Int?, first: Int
  ) -> Tensor {
    request.windows(over: input).patchRows(of: block, positions: count, first: first)
  }

  /// The windows over an image.
  public func positions(input: Shape) -> Int { request.windows(over: input).positions }
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
