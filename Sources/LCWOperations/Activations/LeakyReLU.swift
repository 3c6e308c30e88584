// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// x where it is positive, a small multiple of it where it is not (Maas, Hannun and Ng 2013).
public struct LeakyReLU: NetworkOperation {
  /// `leaky-relu`
  public static let name = "leaky-relu"
  /// What it is.
  public static let summary = "x where it is positive, SLOPE · x where it is not"
  /// How it is written.
  public static let usage = "leaky-relu SLOPE"

  /// What negative values are multiplied by.
  public var slope: Double

  /// The activation with a slope.
  public init(slope: Double) {
    self.slope = slope
  }

  /// `0.01`
  public init(words: inout OperationWords) throws(OperationProblem) {
    slope = try words.number("a slope after leaky-relu", in: .singlePrecision)
  }

  /// The slope.
  public var words: [String] { ["\(slope)"] }

  /// The input's.
  public func outputShape(for inputs: [Shape]) throws(OperationProblem) -> Shape {
    guard ClosedRange.singlePrecision.contains(slope) else {
      throw OperationProblem("needs a finite slope")
    }
    return inputs[0]
  }

  /// Units pass one by one.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation { .oneByOne }

  /// Each value for itself.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel {
    let slope = Float(slope)
    // With a slope above zero the output has the input's sign.
    return ActivationKernel(kept: slope > 0 ? .output : .input) {
      $0.leakyReLU(slope: slope, workers: $1)
    } backward: {
      $0.leakyReLUBackward(input: $1, slope: slope, workers: $2)
    }
  }
}

extension Layer {
  /// x where it is positive, `slope` · x where it is not.
  public static func leakyReLU(slope: Double) -> Layer { Layer(LeakyReLU(slope: slope)) }
}

@section("lcw_plugins") @used
let leakyReLUPlugin: PluginRecord = { $0.add(LeakyReLU.self) }
