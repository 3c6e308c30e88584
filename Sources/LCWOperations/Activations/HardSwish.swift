// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

/// x · clip(x/6 + 1/2, 0, 1) (Howard et al. 2019).
public struct HardSwish: PointwiseActivation {
  /// `hard-swish`
  public static let name = "hard-swish"
  /// What it is.
  public static let summary = "x · hard-sigmoid(x)"

  /// The activation.
  public init() {}

  /// Each value for itself.
  public var kernel: any OperationKernel {
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
