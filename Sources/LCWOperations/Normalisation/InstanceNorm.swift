// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// Normalises each channel of each sample by its own moments, then scales and shifts it (Ulyanov, Vedaldi
/// and Lempitsky 2016).
public struct InstanceNorm: NetworkOperation {
  /// `instancenorm`
  public static let name = "instancenorm"
  /// What it is.
  public static let summary = "normalises each channel of each sample by its own moments"
  /// How it is written.
  public static let usage = "instancenorm [epsilon E]"

  /// What is added to a variance.
  public var epsilon: Double

  /// The normalisation.
  public init(epsilon: Double = 1e-5) {
    self.epsilon = epsilon
  }

  /// Nothing, or `epsilon 1e-6`
  public init(words: inout OperationWords) throws(OperationProblem) {
    epsilon = try words.epsilonIfPresent()
  }

  /// An epsilon that is not the usual one.
  public var words: [String] { epsilonWords(epsilon) }

  /// The input's.
  public func outputShape(for inputs: [Shape]) throws(OperationProblem) -> Shape {
    try requireEpsilon(epsilon)
    guard inputs[0].rank > 1, inputs[0].rowCount > 1 else {
      throw OperationProblem("needs channels of two values or more but gets \(inputs[0])")
    }
    return inputs[0]
  }

  /// Scale and shift, `[channels]`.
  public func parameters(for inputs: [Shape]) throws(OperationProblem) -> [ParameterDescription] {
    [
      ParameterDescription(.scale, [inputs[0][0]], initial: .constant(1)),
      ParameterDescription(.shift, [inputs[0][0]], initial: .constant(0)),
    ]
  }

  /// Units pass one by one.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation { .oneByOne(parameters: 2) }

  /// Normalisation of planes.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel {
    SampleNormalisationKernel(
      normalisation: GroupNormalisation.instance(over: inputs[0], epsilon: Float(epsilon)))
  }
}

extension Layer {
  /// Normalises each channel of each sample by its own moments.
  public static let instanceNorm = Layer(InstanceNorm())
  /// Normalises each channel of each sample by its own moments, with what is added to a variance.
  public static func instanceNorm(epsilon: Double) -> Layer {
    Layer(InstanceNorm(epsilon: epsilon))
  }
}

@section("lcw_plugins") @used
let instanceNormPlugin: PluginRecord = { $0.add(InstanceNorm.self) }
