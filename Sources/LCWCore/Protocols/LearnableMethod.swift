// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// A method that learns a connection from a set of trained networks, once, and then joins any pair
/// by it: the model is one file, which an option of the method names.
///
/// The command `lcw fit` calls ``fit(to:heldOut:in:)`` and writes what it gives; the method finds the
/// file again by ``ConnectionContext/open``.
public protocol LearnableMethod: ConnectionMethod {
  /// Whether fitting looks at training samples.
  static var fittingNeedsData: Bool { get }
  /// How many networks it needs to learn from; 1 unless it says more.
  static var fewestNetworks: Int { get }

  /// Learns from networks.
  ///
  /// Where the context has a store, a state is kept now and then and gone on from, to the same
  /// model as without an interruption.
  ///
  /// - Parameters:
  ///   - networks: The networks to learn from; the caller has checked that all are of one network.
  ///   - heldOut: Networks that only tell how well the model does on others, and when to stop.
  ///   - context: Samples, seed, threads, progress and store.
  /// - Returns: The model, an archive of kind ``CheckpointKind/connectionModel``. To its metadata the
  ///   caller adds the architecture, the data set and the method as it was written. What the user
  ///   should be told of a fit that did not go well is an array `warnings` in it.
  /// - Throws: An error that says what the method can't learn from, or what it lacks.
  func fit(
    to networks: [Weights], heldOut: [Weights], in context: ConnectionContext
  ) throws -> Checkpoint

  /// The neurons of a network as the learned connection sees them, for a picture: rows that should
  /// be standard normal. Nothing if the method has no such picture.
  /// - Throws: What opening the model throws.
  func normalised(_ weights: Weights, in context: ConnectionContext) throws -> Tensor?
}

extension LearnableMethod {
  /// One.
  public static var fewestNetworks: Int { 1 }

  /// No picture.
  public func normalised(
    _ weights: Weights, in context: ConnectionContext
  ) throws -> Tensor? { nil }
}
