// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// An operation that multiplies features of its input by weights and adds a bias: dense layers and
/// convolutions.
///
/// Its first parameter is the weights, `[outputs, …]`, its second, if there is one, the bias, `[outputs]`.
/// What moves weights along a path and what solves for them by least squares speaks to this.
public protocol LinearOperation: NetworkOperation {
  /// Whether it adds a bias.
  var hasBias: Bool { get }
  /// The same operation with a bias.
  var addingBias: Self { get }
  /// Whether it reads values outside the input, which are zero.
  var readsPadding: Bool { get }
  /// Into how many parts the outputs are divided, each of which reads its own part of the input; 1 unless
  /// it says otherwise.
  var parts: Int { get }

  /// The weights' products with a block, without a bias: `[n]` and the shape of one sample's output.
  ///
  /// The weights may have fewer outputs than the operation: its first axis is what the output has.
  func product(of block: Tensor, with weight: Tensor, input: Shape, workers: Workers) -> Tensor

  /// What the weights multiply, a row of features for each position: `[n · positions, features]`.
  ///
  /// - Parameters:
  ///   - count: The positions of each sample to take, evenly spaced; all if there is no number.
  ///   - first: The number of the block's first sample: which positions are taken depends on it.
  func featureRows(of block: Tensor, input: Shape, positions count: Int?, first: Int) -> Tensor

  /// The number of positions of one sample at which the weights are applied: 1 for a dense layer.
  func positions(input: Shape) -> Int
}

extension LinearOperation {
  /// One.
  public var parts: Int { 1 }
}

/// An operation that multiplies each unit by a number and adds another, in evaluation: a batch
/// normalisation with its running statistics.
public protocol AffineOperation: NetworkOperation {
  /// The factor and the summand of each unit, `[units]`; in double precision.
  func lines(parameters: [Tensor]) -> [(factor: Double, summand: Double)]

  /// Parameters with which the operation adds a number to each unit and multiplies it by one: what is left
  /// of a normalisation that was folded into the layer before it. Nothing if it has no such parameters.
  /// - Parameter summands: What is added to each unit, `[units]`.
  func parameters(adding summands: [Float]) -> [Tensor]?
}

extension AffineOperation {
  /// Nothing: such a layer can't be put back where it was folded away.
  public func parameters(adding summands: [Float]) -> [Tensor]? { nil }
}
