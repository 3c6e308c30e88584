// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// max(x, 0).
public struct ReLU: NetworkOperation {
  /// `relu`
  public static let name = "relu"
  /// What it is.
  public static let summary = "max(x, 0)"

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

  /// What stands before it may clip at zero itself.
  public var fusedActivation: FusedActivation? { .rectifier }

  /// Each value for itself.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel {
    ActivationKernel(kept: .output) {
      $0.relu(workers: $1)
    } backward: {
      $0.reluBackward(output: $1, workers: $2)
    }
  }
}

extension Layer {
  /// max(x, 0).
  public static let relu = Layer(ReLU())
}

@section("lcw_plugins") @used
let reluPlugin: PluginRecord = { $0.add(ReLU.self) }
