// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// min(max(x, lower), upper); `clip 0 6` is ReLU6 (Krizhevsky 2010), `clip -1 1` the hard tangent.
public struct Clip: NetworkOperation {
  /// `clip`
  public static let name = "clip"
  /// What it is.
  public static let summary = "x between two bounds; clip 0 6 is ReLU6"
  /// How it is written.
  public static let usage = "clip LOWER UPPER"

  /// The least value.
  public var lower: Double
  /// The greatest value.
  public var upper: Double

  /// The activation with bounds.
  public init(lower: Double, upper: Double) {
    self.lower = lower
    self.upper = upper
  }

  /// `0 6`
  public init(words: inout OperationWords) throws(OperationProblem) {
    let expected = "a lower and a greater upper bound after clip, such as clip 0 6"
    lower = try words.number(expected, in: .singlePrecision)
    upper = try words.number(expected, in: .singlePrecision)
    guard Float(lower) < Float(upper) else { throw OperationProblem(expected) }
  }

  /// The bounds, whole ones without a point.
  public var words: [String] {
    [lower, upper].map { bound in Int(exactly: bound).map(String.init) ?? "\(bound)" }
  }

  /// The input's.
  public func outputShape(for inputs: [Shape]) throws(OperationProblem) -> Shape {
    guard ClosedRange.singlePrecision.contains(lower), ClosedRange.singlePrecision.contains(upper),
      Float(lower) < Float(upper)
    else { throw OperationProblem("needs a lower and a greater upper bound") }
    return inputs[0]
  }

  /// Units pass one by one.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation { .oneByOne }

  /// Each value for itself.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel {
    let (lower, upper) = (Float(lower), Float(upper))
    return ActivationKernel(kept: .output) {
      $0.clip(lower: lower, upper: upper, workers: $1)
    } backward: {
      $0.clipBackward(output: $1, lower: lower, upper: upper, workers: $2)
    }
  }
}

extension Layer {
  /// min(max(x, lower), upper); 0 and 6 for ReLU6.
  public static func clip(lower: Double, upper: Double) -> Layer {
    Layer(Clip(lower: lower, upper: upper))
  }
}

@section("lcw_plugins") @used
let clipPlugin: PluginRecord = { $0.add(Clip.self) }
