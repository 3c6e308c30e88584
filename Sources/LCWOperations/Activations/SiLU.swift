// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

/// x · sigmoid(x), the sigmoid-weighted linear unit (Elfwing, Uchibe and Doya 2018), also called swish.
public struct SiLU: PointwiseActivation {
  /// `silu`
  public static let name = "silu"
  /// What it is.
  public static let summary = "x · sigmoid(x), also called swish"

  /// The activation.
  public init() {}

  /// Each value for itself.
  public var kernel: any OperationKernel {
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
