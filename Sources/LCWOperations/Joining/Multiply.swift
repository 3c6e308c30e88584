// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// The product of two values, element by element, or of images with a number for each channel: gates, as
/// squeeze and excitation has them (Hu, Shen and Sun 2018).
public struct Multiply: NetworkOperation {
  /// `multiply`
  public static let name = "multiply"
  /// What it is.
  public static let summary = "the product of two values, or of one with a number for each channel"
  /// How it is written.
  public static let usage = "multiply from NAME NAME"
  /// Two.
  public static let inputCount = 2...2

  /// The product.
  public init() {}
  /// No words.
  public init(words: inout OperationWords) {}
  /// No words.
  public var words: [String] { [] }

  /// The inputs', or that of the one that is multiplied by `[channels]` or `[channels, 1, 1]`.
  public func outputShape(for inputs: [Shape]) throws(OperationProblem) -> Shape {
    inputs[try Multiply.block(of: inputs)]
  }

  /// Which input has the output's shape; the other one is the factor.
  private static func block(of inputs: [Shape]) throws(OperationProblem) -> Int {
    if inputs[0] == inputs[1] || isFactor(inputs[1], of: inputs[0]) { return 0 }
    if isFactor(inputs[0], of: inputs[1]) { return 1 }
    throw OperationProblem(
      "needs values of one shape, or one [channels, …] and one [channels] or [channels, 1, 1], but "
        + "gets \(inputs[0]) and \(inputs[1])")
  }

  /// Whether a value has one number for each channel of another.
  private static func isFactor(_ factor: Shape, of block: Shape) -> Bool {
    factor.rank > 0 && block.rank > 1 && factor[0] == block[0] && factor.count == factor[0]
      && (factor.rank == 1 || factor.rank == block.rank)
  }

  /// The inputs' units are tied to each other.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation { .oneByOne }

  /// The product.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel { MultiplyKernel(block: inputs[0] == output ? 0 : 1) }
}

extension Layer {
  /// The product of two values, or of one with a number for each channel.
  public static let multiply = Layer(Multiply())
}

@section("lcw_plugins") @used
let multiplyPlugin: PluginRecord = { $0.add(Multiply.self) }

/// The product of a block and a factor of the same shape or of a number for each channel.
struct MultiplyKernel: OperationKernel {
  /// Which input is the block.
  var block: Int

  func output(of inputs: consuming [Tensor], parameters: [Tensor], workers: Workers) -> Tensor {
    inputs[block].multiplied(by: inputs[1 - block], workers: workers)
  }

  func outputRecording(
    of inputs: consuming [Tensor], parameters: [Tensor], pass: inout TrainingPass
  ) -> (output: Tensor, record: [Tensor]) {
    let record = copy inputs
    return (output(of: inputs, parameters: parameters, workers: pass.workers), record)
  }

  func backward(
    _ gradient: consuming Tensor, record: [Tensor], parameters: [Tensor],
    gradients: inout [Tensor], needs: [Bool], pass: TrainingPass
  ) -> [Tensor?] {
    let result = record[block].multipliedBackward(
      gradient, factor: record[1 - block], workers: pass.workers)
    let both = block == 0 ? [result.block, result.factor] : [result.factor, result.block]
    return zip(both, needs).map { $1 ? $0 : nil }
  }
}
