// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// A family of networks: the layers for a task. ``NetworkSketch`` writes those with skip connections.
public protocol Architecture: Plugin {
  /// The network for samples of a shape and a number of classes.
  /// - Throws: ``NetworkError`` if the architecture can't handle the shape.
  func network(inputShape: Shape, classes: Int) throws -> Network

  /// The reference this instance was made from, so that it means the same anywhere: where an option
  /// names a file, with the file's content in its place.
  func selfContained(_ reference: PluginReference) -> PluginReference

  /// The reference of this family whose network is a given one: that of this instance once its
  /// batch normalisations are folded away. Nothing if the family has no such network.
  func folded(_ reference: PluginReference, to network: Network) -> PluginReference?
}

extension Architecture {
  /// The reference itself.
  public func selfContained(_ reference: PluginReference) -> PluginReference { reference }

  /// Nothing: most families have no batch normalisation.
  public func folded(_ reference: PluginReference, to network: Network) -> PluginReference? { nil }
}
