// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// Any shape to a vector, row by row.
public struct Flatten: NetworkOperation {
  /// `flatten`
  public static let name = "flatten"
  /// What it is.
  public static let summary = "any shape to a vector, row by row"

  /// Flatten.
  public init() {}
  /// No words.
  public init(words: inout OperationWords) {}
  /// No words.
  public var words: [String] { [] }

  /// `[values]`
  public func outputShape(for inputs: [Shape]) -> Shape { [inputs[0].count] }

  /// Each channel becomes its positions.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation {
    UnitRelation(.spread(over: inputs[0].rowCount))
  }

  /// Yes.
  public var keepsValues: Bool { true }

  /// Another shape for the same values.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel { ReshapeKernel(before: inputs[0], behind: output) }
}

extension Layer {
  /// Any shape to a vector, row by row.
  public static let flatten = Layer(Flatten())
}

@section("lcw_plugins") @used
let flattenPlugin: PluginRecord = { $0.add(Flatten.self) }

/// Another shape for the same values.
struct ReshapeKernel: UnaryKernel {
  /// The shape of one sample before.
  var before: Shape
  /// The shape of one sample behind.
  var behind: Shape

  func output(of input: consuming Tensor, parameters: [Tensor], workers: Workers) -> Tensor {
    let samples = input.shape.rows
    return input.reshaped(behind.batched(samples))
  }

  func outputRecording(
    of input: consuming Tensor, parameters: [Tensor], pass: inout TrainingPass
  ) -> (output: Tensor, record: [Tensor]) {
    (output(of: input, parameters: parameters, workers: pass.workers), [])
  }

  func backward(
    _ gradient: consuming Tensor, record: [Tensor], parameters: [Tensor],
    gradients: inout [Tensor], needsInput: Bool, pass: TrainingPass
  ) -> Tensor? {
    let samples = gradient.shape.rows
    return gradient.reshaped(before.batched(samples))
  }
}
