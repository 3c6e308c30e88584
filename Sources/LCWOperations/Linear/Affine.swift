// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// A learned factor and summand for each channel: y = x · scale + shift.
public struct Affine: AffineOperation {
  /// `affine`
  public static let name = "affine"
  /// What it is.
  public static let summary = "a learned scale and shift for each channel"

  /// The scaling.
  public init() {}
  /// No words.
  public init(words: inout OperationWords) {}
  /// No words.
  public var words: [String] { [] }

  /// The input's.
  public func outputShape(for inputs: [Shape]) throws(OperationProblem) -> Shape {
    guard inputs[0].rank > 0 else { throw OperationProblem("needs channels but gets one number") }
    return inputs[0]
  }

  /// Scale and shift, `[channels]`.
  public func parameters(for inputs: [Shape]) throws(OperationProblem) -> [ParameterDescription] {
    [
      ParameterDescription(.scale, [inputs[0][0]], initial: .constant(1)),
      ParameterDescription(.shift, [inputs[0][0]], initial: .constant(0)),
    ]
  }

  /// Channels pass one by one.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation { .oneByOne(parameters: 2) }

  /// A ReLU.
  public func fuses(_ activation: FusedActivation) -> Bool { activation == .rectifier }

  /// Scaled channels.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel {
    AffineKernel(affine: ChannelAffine(over: inputs[0]), clips: fusing == .rectifier)
  }

  /// The scales and shifts.
  public func lines(parameters: [Tensor]) -> [(factor: Double, summand: Double)] {
    zip(parameters[0].elements, parameters[1].elements).map { (Double($0), Double($1)) }
  }

  /// Scale 1, and the summands as shift.
  public func parameters(adding summands: [Float]) -> [Tensor]? {
    [Tensor(repeating: 1, shape: [summands.count]), Tensor(summands)]
  }
}

extension Layer {
  /// A learned factor and summand for each channel.
  public static let affine = Layer(Affine())
}

@section("lcw_plugins") @used
let affinePlugin: PluginRecord = { $0.add(Affine.self) }

/// Scaled and shifted channels, then clipped at zero if a ReLU follows.
struct AffineKernel: UnaryKernel {
  var affine: ChannelAffine
  var clips: Bool

  func output(of input: consuming Tensor, parameters: [Tensor], workers: Workers) -> Tensor {
    affine.output(
      of: input, scale: parameters[0], shift: parameters[1], clipping: clips, workers: workers)
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
    if clips { gradient.reluBackward(output: record[1], workers: pass.workers) }
    let (scale, shift) = affine.backward(
      &gradient, block: record[0], scale: parameters[0], workers: pass.workers)
    gradients[0].assign(1, times: scale, plus: pass.carry)
    gradients[1].assign(1, times: shift, plus: pass.carry)
    return gradient
  }
}
