// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// Normalises each sample's groups of neighbouring channels by their own moments (Wu and He 2018).
public struct GroupNorm: NetworkOperation {
  /// `groupnorm`
  public static let name = "groupnorm"
  /// What it is.
  public static let summary = "normalises each sample's groups of channels by their own moments"
  /// How it is written.
  public static let usage = "groupnorm GROUPS [epsilon E]"

  /// Into how many equal groups the channels are divided.
  public var groups: Int
  /// What is added to a variance.
  public var epsilon: Double

  /// The normalisation of so many groups.
  public init(groups: Int, epsilon: Double = 1e-5) {
    self.groups = groups
    self.epsilon = epsilon
  }

  /// `32`, `32 epsilon 1e-6`
  public init(words: inout OperationWords) throws(OperationProblem) {
    groups = try words.integer("a number of groups after groupnorm")
    epsilon = try words.epsilonIfPresent()
  }

  /// The groups, and an epsilon that is not the usual one.
  public var words: [String] { ["\(groups)"] + epsilonWords(epsilon) }

  /// The input's.
  public func outputShape(for inputs: [Shape]) throws(OperationProblem) -> Shape {
    try requireEpsilon(epsilon)
    guard inputs[0].rank > 0 else { throw OperationProblem("needs channels but gets one number") }
    guard groups > 0, inputs[0][0] % groups == 0 else {
      throw OperationProblem("has \(groups) groups, which do not divide \(inputs[0][0]) channels")
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

  /// Units pass one by one, by the moments of their group. A group of one channel needs no others.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation {
    guard groups < inputs[0][0] else { return .oneByOne(parameters: 2) }
    var relation = UnitRelation.oneByOne(parameters: 2, isCoupled: true)
    relation.parts = groups
    return relation
  }

  /// Normalisation of groups.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel {
    SampleNormalisationKernel(
      normalisation: GroupNormalisation(
        over: inputs[0], groups: groups, epsilon: Float(epsilon)))
  }
}

extension Layer {
  /// Normalises each sample's groups of neighbouring channels by their own moments.
  public static func groupNorm(groups: Int, epsilon: Double = 1e-5) -> Layer {
    Layer(GroupNorm(groups: groups, epsilon: epsilon))
  }
}

@section("lcw_plugins") @used
let groupNormPlugin: PluginRecord = { $0.add(GroupNorm.self) }
