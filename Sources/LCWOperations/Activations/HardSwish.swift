// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// x · clip(x/6 + 1/2, 0, 1) (Howard et al. 2019).
public struct HardSwish: NetworkOperation {
  /// `hard-swish`
  public static let name = "hard-swish"
  /// What it is.
  public static let summary = "x · hard-sigmoid(x)"

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
    ActivationKernel(kept: .input) {
      $0.hardSwish(workers: $1)
    } backward: {
      $0.hardSwishBackward(input: $1, workers: $2)
    }
  }
}

extension Layer {
  /// X · hard-sigmoid(x).
  public static let hardSwish = Layer(HardSwish())
}

@section("lcw_plugins") @used
let hardSwishPlugin: PluginRecord = { $0.add(HardSwish.self) }
