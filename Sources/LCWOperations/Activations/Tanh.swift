// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

/// The hyperbolic tangent.
public struct Tanh: PointwiseActivation {
  /// `tanh`
  public static let name = "tanh"
  /// What it is.
  public static let summary = "the hyperbolic tangent"

  /// The activation.
  public init() {}

  /// Each value for itself.
  public var kernel: any OperationKernel {
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
