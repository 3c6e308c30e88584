// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// exp(x) over the sum of these along the first axis of a sample: the channels of each position.
public struct Softmax: NetworkOperation {
  /// `softmax`
  public static let name = "softmax"
  /// What it is.
  public static let summary = "exp(x) divided by its sum over the channels"

  /// The activation.
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

  /// Units pass one by one, over the sum of all.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation {
    .oneByOne(parameters: 0, isCoupled: true)
  }

  /// All channels of a position together.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel {
    ActivationKernel(kept: .output) {
      $0.softmax(axis: 1, workers: $1)
    } backward: {
      $0.softmaxBackward(output: $1, axis: 1, workers: $2)
    }
  }
}

extension Layer {
  /// exp(x) divided by its sum over the channels.
  public static let softmax = Layer(Softmax())
}

@section("lcw_plugins") @used
let softmaxPlugin: PluginRecord = { $0.add(Softmax.self) }
