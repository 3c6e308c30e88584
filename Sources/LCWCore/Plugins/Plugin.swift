// SPDX-License-Identifier: Apache-2.0

/// What every plugin says of itself.
///
/// A plugin is a folder, a type that conforms to one of ``ConnectionMethod``,
/// ``ConnectionModifier``, ``PathModifier``, ``Architecture``, ``NetworkOperation``, ``Dataset`` (or ``FileDataset``) and
/// ``CheckpointFormat``, one line that registers it, and one row in the package manifest:
///
/// ```swift
/// @section("lcw_plugins") @used
/// let arcPlugin: PluginRecord = { $0.add(Arc.self) }
/// ```
public protocol Plugin: Sendable {
  /// The name users write: lower-case, of letters, digits and hyphens.
  static var name: String { get }
  /// What it is, in one line without a full stop.
  static var summary: String { get }
  /// The options it takes.
  static var options: [any PluginOptionDescription] { get }

  /// An instance with the given options, which are known to be declared and of the right type.
  /// - Throws: ``PluginError/invalidOption(plugin:option:value:reason:)`` for values that no
  ///   single option's type rules out.
  init(options: OptionValues) throws
}

extension Plugin {
  /// No options.
  public static var options: [any PluginOptionDescription] { [] }
}

/// The kinds of plugin.
public enum PluginKind: String, Sendable, CaseIterable {
  /// A ``ConnectionMethod``.
  case method
  /// A ``ConnectionModifier`` or a ``PathModifier``.
  case modifier
  /// An ``Architecture``.
  case architecture
  /// A ``NetworkOperation``.
  case operation
  /// A ``Dataset`` or a ``FileDataset``.
  case dataset
  /// A ``CheckpointFormat``.
  case format

  /// The kind in a sentence.
  var withArticle: String {
    switch self {
    case .architecture, .operation: "an \(rawValue)"
    default: "a \(rawValue)"
    }
  }

  /// The kind of a plugin's type, or nothing if it conforms to no kind's protocol.
  public init?(of type: any Plugin.Type) {
    switch type {
    case is any ConnectionMethod.Type: self = .method
    case is any ConnectionModifier.Type, is any PathModifier.Type: self = .modifier
    case is any Architecture.Type: self = .architecture
    case is any NetworkOperation.Type: self = .operation
    case is any Dataset.Type, is any FileDataset.Type: self = .dataset
    case is any CheckpointFormat.Type: self = .format
    default: return nil
    }
  }
}
