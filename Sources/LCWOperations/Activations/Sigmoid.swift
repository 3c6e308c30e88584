// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// 1 / (1 + exp(−x)).
public struct Sigmoid: NetworkOperation {
  /// `sigmoid`
  public static let name = "sigmoid"
  /// What it is.
  public static let summary = "1 / (1 + exp(−x))"

  /// The activation.
  public init() {}
  /// No words.
  public init(words: inout OperationWords) {}
  /// No words.
  public var words: [String] { [] }

  /// The input's.
  public func outputShape(for inputs: [Shape]) -> Shape { inputs[0] }
  /// Units pass one by one.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation { .oneByOne }

  /// Each value for itself.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel {
    ActivationKernel(kept: .output) {
      $0.sigmoid(workers: $1)
    } backward: {
      $0.sigmoidBackward(output: $1, workers: $2)
    }
  }
}

extension Layer {
  /// 1 / (1 + exp(−x)).
  public static let sigmoid = Layer(Sigmoid())
}

@section("lcw_plugins") @used
let sigmoidPlugin: PluginRecord = { $0.add(Sigmoid.self) }
