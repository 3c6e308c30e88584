// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// x · Φ(x) with the normal distribution's function Φ, or its usual approximation by tanh (Hendrycks and
/// Gimpel 2016).
public struct GELU: NetworkOperation {
  /// `gelu`
  public static let name = "gelu"
  /// What it is.
  public static let summary = "x · Φ(x), by the error function or approximated by tanh"
  /// How it is written.
  public static let usage = "gelu [tanh]"

  /// Whether Φ is approximated by tanh.
  public var usesTanh: Bool

  /// The activation.
  public init(tanh: Bool = false) {
    usesTanh = tanh
  }

  /// Nothing, or `tanh`.
  public init(words: inout OperationWords) {
    usesTanh = words.take("tanh")
  }

  /// `tanh` for the approximation.
  public var words: [String] { usesTanh ? ["tanh"] : [] }

  /// The input's.
  public func outputShape(for inputs: [Shape]) -> Shape { inputs[0] }
  /// Units pass one by one.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation { .oneByOne }

  /// Each value for itself.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel {
    if usesTanh {
      ActivationKernel(kept: .input) {
        $0.tanhGELU(workers: $1)
      } backward: {
        $0.tanhGELUBackward(input: $1, workers: $2)
      }
    } else {
      ActivationKernel(kept: .input) {
        $0.gelu(workers: $1)
      } backward: {
        $0.geluBackward(input: $1, workers: $2)
      }
    }
  }
}

extension Layer {
  /// x · Φ(x) by the error function.
  public static let gelu = Layer(GELU())
  /// x · Φ(x), Φ by the error function or approximated by tanh.
  public static func gelu(tanh: Bool) -> Layer { Layer(GELU(tanh: tanh)) }
}

@section("lcw_plugins") @used
let geluPlugin: PluginRecord = { $0.add(GELU.self) }
