// SPDX-License-Identifier: Apache-2.0

/// The options given to a plugin, checked against what it declares.
public struct OptionValues: Sendable {
  private let texts: [String: String]
  private let plugin: String
  /// The operations that the program has, for architectures whose options describe networks.
  public let operations: OperationCatalog

  /// The options of a reference, for the plugin of that type.
  /// - Throws: ``PluginError`` for a key that is not declared or a text of another type.
  public init(
    _ reference: PluginReference, declaredBy type: any Plugin.Type,
    operations: OperationCatalog = OperationCatalog()
  ) throws(PluginError) {
    for (key, text) in reference.options.sorted(by: { $0.key < $1.key }) {
      guard let option = type.options.first(where: { $0.key == key }) else {
        throw .unknownOption(plugin: type.name, option: key, known: type.options.map(\.key))
      }
      if let reason = option.problem(withText: text) {
        throw .invalidOption(plugin: type.name, option: key, value: text, reason: reason)
      }
    }
    texts = reference.options
    plugin = type.name
    self.operations = operations
  }

  /// The value given for an option, or its default.
  public subscript<Value>(option: PluginOption<Value>) -> Value {
    texts[option.key].flatMap(Value.init(optionText:)) ?? option.defaultValue
  }

  /// The texts of the options that were given, by key.
  public var given: [String: String] { texts }

  /// The value of an option that must lie in a range.
  /// - Throws: ``PluginError/invalidOption(plugin:option:value:reason:)`` outside it.
  public func value<Value: Comparable>(
    of option: PluginOption<Value>, in range: ClosedRange<Value>
  ) throws(PluginError) -> Value {
    let value = self[option]
    guard range.contains(value) else {
      throw .invalidOption(
        plugin: plugin, option: option.key, value: value.text,
        reason: "expected a value from \(range.lowerBound.text) to \(range.upperBound.text)")
    }
    return value
  }

  /// The error that a given value of an option is none that the plugin can use.
  public func invalid(
    _ option: some PluginOptionDescription, reason: String
  ) -> PluginError {
    invalid(option.key, reason: reason)
  }

  /// The error that the value of the option with a key is none that the plugin can use.
  public func invalid(_ key: String, reason: String) -> PluginError {
    .invalidOption(plugin: plugin, option: key, value: texts[key] ?? "", reason: reason)
  }

  /// The error that an option stands for nothing beside others that are given.
  public func misplaced(_ key: String, reason: String) -> PluginError {
    .misplacedOption(plugin: plugin, option: key, reason: reason)
  }
}
