// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

/// x/6 + 1/2, clipped to 0 and 1 (Howard et al. 2019).
public struct HardSigmoid: PointwiseActivation {
  /// `hard-sigmoid`
  public static let name = "hard-sigmoid"
  /// What it is.
  public static let summary = "x/6 + 1/2, clipped to 0 and 1"

  /// The activation.
  public init() {}

  /// Each value for itself.
  public var kernel: any OperationKernel {
    ActivationKernel(kept: .output) {
      $0.hardSigmoid(workers: $1)
    } backward: {
      $0.hardSigmoidBackward(output: $1, workers: $2)
    }
  }
}

extension Layer {
  /// X/6 + 1/2, clipped to 0 and 1.
  public static let hardSigmoid = Layer(HardSigmoid())
}

@section("lcw_plugins") @used
let hardSigmoidPlugin: PluginRecord = { $0.add(HardSigmoid.self) }
