// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// The channels of one value behind those of another (Szegedy et al. 2015; Huang et al. 2017).
public struct Concatenate: NetworkOperation {
  /// `concat`
  public static let name = "concat"
  /// What it is.
  public static let summary = "concatenates two or more values along their channels"
  /// How it is written.
  public static let usage = "concat from NAME NAME …"
  /// Two or more.
  public static let inputCount = 2...1024

  /// The concatenation.
  public init() {}
  /// No words.
  public init(words: inout OperationWords) {}
  /// No words.
  public var words: [String] { [] }

  /// `[all channels, …]`
  public func outputShape(for inputs: [Shape]) throws(OperationProblem) -> Shape {
    let rest = inputs[0].dimensions.dropFirst()
    for input in inputs where input.rank == 0 || input.dimensions.dropFirst() != rest {
      throw OperationProblem(
        "needs values that differ in their channels only but gets \(inputs[0]) and \(input)")
    }
    var channels = 0
    for input in inputs {
      let (sum, overflow) = channels.addingReportingOverflow(input[0])
      guard !overflow else { throw OperationProblem("has too many channels") }
      channels = sum
    }
    return try Shape(chosen: [channels] + rest)
  }

  /// The inputs' units, one input behind the other.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation { UnitRelation(.sideBySide) }

  /// A copy.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel { ConcatenateKernel(channels: inputs.map(\.rows)) }
}

extension Layer {
  /// The channels of values, one value behind the other.
  public static let concatenate = Layer(Concatenate())
}

@section("lcw_plugins") @used
let concatenatePlugin: PluginRecord = { $0.add(Concatenate.self) }

/// Blocks side by side along their channels.
struct ConcatenateKernel: OperationKernel {
  /// The channels of each input.
  var channels: [Int]

  func output(of inputs: consuming [Tensor], parameters: [Tensor], workers: Workers) -> Tensor {
    Tensor.concatenation(inputs, axis: 1, workers: workers)
  }

  func outputRecording(
    of inputs: consuming [Tensor], parameters: [Tensor], pass: inout TrainingPass
  ) -> (output: Tensor, record: [Tensor]) {
    (output(of: inputs, parameters: parameters, workers: pass.workers), [])
  }

  func backward(
    _ gradient: consuming Tensor, record: [Tensor], parameters: [Tensor],
    gradients: inout [Tensor], needs: [Bool], pass: TrainingPass
  ) -> [Tensor?] {
    let parts = gradient.split(channels, axis: 1, workers: pass.workers)
    return zip(parts, needs).map { $1 ? $0 : nil }
  }
}
