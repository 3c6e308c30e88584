// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// x · sigmoid(x), the sigmoid-weighted linear unit (Elfwing, Uchibe and Doya 2018), also called swish.
public struct SiLU: NetworkOperation {
  /// `silu`
  public static let name = "silu"
  /// What it is.
  public static let summary = "x · sigmoid(x), also called swish"

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
      $0.silu(workers: $1)
    } backward: {
      $0.siluBackward(input: $1, workers: $2)
    }
  }
}

extension Layer {
  /// X · sigmoid(x), also called swish.
  public static let silu = Layer(SiLU())
}

@section("lcw_plugins") @used
let siluPlugin: PluginRecord = { $0.add(SiLU.self) }
