// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// A family of networks: the layers for a task. ``NetworkSketch`` writes those with skip connections.
public protocol Architecture: Plugin {
  /// What other programs call the modules, as the text of a ``NameTable``. Their files then bind by name.
  static var nameTable: String { get }

  /// The references of this family whose networks a file's tensors may be, to be tried one by one: depth,
  /// width and the like follow from the number and the shapes of the tensors. What no tensor shows, such as
  /// an activation or a rate of dropout, is left as it is by default.
  ///
  /// A reference that does not fit does no harm, and is what an error can name as the nearest one.
  static func candidates(for tensors: TensorSurvey) -> [PluginReference]

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
  /// No other names.
  public static var nameTable: String { "" }

  /// None, so that files have to be said to be of this family.
  public static func candidates(for tensors: TensorSurvey) -> [PluginReference] { [] }

  /// A reference to this family without the options that have their defaults.
  public static func reference(_ options: [String: String]) -> PluginReference {
    let defaults = Dictionary(uniqueKeysWithValues: Self.options.map { ($0.key, $0) })
    return PluginReference(
      name: name,
      options: options.filter { key, text in
        defaults[key].map { $0.canonicalText(of: text) != $0.canonicalText(of: $0.defaultText) }
          ?? true
      })
  }

  /// The reference itself.
  public func selfContained(_ reference: PluginReference) -> PluginReference { reference }

  /// Nothing: most families have no batch normalisation.
  public func folded(_ reference: PluginReference, to network: Network) -> PluginReference? { nil }
}
