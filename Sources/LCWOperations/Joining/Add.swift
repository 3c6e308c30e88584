// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// The sum of values of one shape: a skip connection's end.
public struct Add: SumOperation {
  /// `add`
  public static let name = "add"
  /// What it is.
  public static let summary = "the sum of two or more values of the same shape"
  /// How it is written.
  public static let usage = "add from NAME NAME …"
  /// Two or more.
  public static let inputCount = 2...1024

  /// The sum.
  public init() {}
  /// No words.
  public init(words: inout OperationWords) {}
  /// No words.
  public var words: [String] { [] }

  /// The inputs'.
  public func outputShape(for inputs: [Shape]) throws(OperationProblem) -> Shape {
    guard let other = inputs.first(where: { $0 != inputs[0] }) else { return inputs[0] }
    throw OperationProblem("needs values of one shape but gets \(inputs[0]) and \(other)")
  }

  /// The inputs' units are tied to each other.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation { .oneByOne }

  /// A ReLU.
  public func fuses(_ activation: FusedActivation) -> Bool { activation == .rectifier }

  /// The sum.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel { AddKernel(clips: fusing == .rectifier) }
}

extension Layer {
  /// The sum of values of one shape.
  public static let add = Layer(Add())
}

@section("lcw_plugins") @used
let addPlugin: PluginRecord = { $0.add(Add.self) }

/// The sum of blocks, then clipped at zero if a ReLU follows.
struct AddKernel: OperationKernel {
  var clips: Bool

  func output(of inputs: consuming [Tensor], parameters: [Tensor], workers: Workers) -> Tensor {
    if clips { return Tensor.sum(of: inputs, clipping: true, workers: workers) }
    var sum = inputs.removeFirst()
    for other in inputs { sum.add(other, workers: workers) }
    return sum
  }

  func outputRecording(
    of inputs: consuming [Tensor], parameters: [Tensor], pass: inout TrainingPass
  ) -> (output: Tensor, record: [Tensor]) {
    let sum = output(of: inputs, parameters: parameters, workers: pass.workers)
    return (sum, clips ? [sum] : [])
  }

  func backward(
    _ gradient: consuming Tensor, record: [Tensor], parameters: [Tensor],
    gradients: inout [Tensor], needs: [Bool], pass: TrainingPass
  ) -> [Tensor?] {
    if clips { gradient.reluBackward(output: record[0], workers: pass.workers) }
    let gradient = copy gradient
    return needs.map { $0 ? gradient : nil }
  }
}
