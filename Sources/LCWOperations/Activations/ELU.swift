// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// x where it is positive, α (exp(x) − 1) where it is not (Clevert, Unterthiner and Hochreiter 2016).
public struct ELU: NetworkOperation {
  /// `elu`
  public static let name = "elu"
  /// What it is.
  public static let summary = "x where it is positive, ALPHA · (exp(x) − 1) where it is not"
  /// How it is written.
  public static let usage = "elu [ALPHA]"

  /// How far down it goes.
  public var alpha: Double

  /// The activation.
  public init(alpha: Double = 1) {
    self.alpha = alpha
  }

  /// Nothing for 1, or `0.5`
  public init(words: inout OperationWords) throws(OperationProblem) {
    alpha =
      words.isEmpty ? 1 : try words.number("nothing or a number from 0 on after elu", in: ELU.range)
  }

  /// Alpha, unless it is 1.
  public var words: [String] { alpha == 1 ? [] : ["\(alpha)"] }

  private static let range = 0...ClosedRange.singlePrecision.upperBound

  /// The input's.
  public func outputShape(for inputs: [Shape]) throws(OperationProblem) -> Shape {
    guard ELU.range.contains(alpha) else { throw OperationProblem("needs an alpha from 0 on") }
    return inputs[0]
  }

  /// Units pass one by one.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation { .oneByOne }

  /// Each value for itself.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel {
    let alpha = Float(alpha)
    return ActivationKernel(kept: .output) {
      $0.elu(alpha: alpha, workers: $1)
    } backward: {
      $0.eluBackward(output: $1, alpha: alpha, workers: $2)
    }
  }
}

extension Layer {
  /// x where it is positive, exp(x) − 1 where it is not.
  public static let elu = Layer(ELU())
  /// x where it is positive, `alpha` · (exp(x) − 1) where it is not.
  public static func elu(alpha: Double) -> Layer { Layer(ELU(alpha: alpha)) }
}

@section("lcw_plugins") @used
let eluPlugin: PluginRecord = { $0.add(ELU.self) }
