// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// A family of networks: the chain of layers for a task.
public protocol Architecture: Plugin {
  /// The network for samples of a shape and a number of classes.
  /// - Throws: ``NetworkError`` if the architecture can't handle the shape.
  func network(inputShape: Shape, classes: Int) throws -> Network
}
