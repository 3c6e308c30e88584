// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNumerics

/// An activation without options that takes each value for itself.
public protocol PointwiseActivation: NetworkOperation {
  /// The activation.
  init()
  /// Its forward and backward pass.
  var kernel: any OperationKernel { get }
}

extension PointwiseActivation {
  /// No words.
  public init(words: inout OperationWords) { self.init() }
  /// No words.
  public var words: [String] { [] }

  /// The input's.
  public func outputShape(for inputs: [Shape]) -> Shape { inputs[0] }
  /// Units pass one by one.
  public func units(inputs: [Shape], output: Shape) -> UnitRelation { .oneByOne }

  /// The same for every shape.
  public func kernel(
    inputs: [Shape], output: Shape, fusing: FusedActivation?
  ) -> any OperationKernel { kernel }
}
