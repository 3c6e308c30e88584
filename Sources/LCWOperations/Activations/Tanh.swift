// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// The hyperbolic tangent.
public struct Tanh: NetworkOperation {
  /// `tanh`
  public static let name = "tanh"
  /// What it is.
  public static let summary = "the hyperbolic tangent"

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
      $0.tanh(workers: $1)
    } backward: {
      $0.tanhBackward(output: $1, workers: $2)
    }
  }
}

extension Layer {
  /// The hyperbolic tangent.
  public static let tanh = Layer(Tanh())
}

@section("lcw_plugins") @used
let tanhPlugin: PluginRecord = { $0.add(Tanh.self) }
