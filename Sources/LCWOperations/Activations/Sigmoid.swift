// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

/// 1 / (1 + exp(−x)).
public struct Sigmoid: PointwiseActivation {
  /// `sigmoid`
  public static let name = "sigmoid"
  /// What it is.
  public static let summary = "1 / (1 + exp(−x))"

  /// The activation.
  public init() {}

  /// Each value for itself.
  public var kernel: any OperationKernel {
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
