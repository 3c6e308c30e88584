// SPDX-License-Identifier: Apache-2.0

/// An option of a plugin: its key, its type by the type of its default, and its help.
///
/// ```swift
/// static let hidden = PluginOption("hidden", default: [2000], help: "units of each hidden layer")
/// static let options: [any PluginOptionDescription] = [hidden]
/// init(options: OptionValues) throws { sizes = options[Self.hidden] }
/// ```
public struct PluginOption<Value: OptionValue>: PluginOptionDescription {
  /// What stands left of the equals sign.
  public let key: String
  /// The value where none is given.
  public let defaultValue: Value
  /// What it does, in one line.
  public let help: String

  /// An option.
  public init(_ key: String, default defaultValue: Value, help: String) {
    self.key = key
    self.defaultValue = defaultValue
    self.help = help
  }

  /// The type, as help shows it.
  public var typeName: String { Value.typeName }
  /// The default, as a user would write it.
  public var defaultText: String { defaultValue.text }
  /// Why a text is no value of the option; nothing if it is one.
  public func problem(withText text: String) -> String? {
    Value(optionText: text) == nil ? "expected \(Value.typeName)" : nil
  }
  /// The text that stands for the value that a text means.
  public func canonicalText(of text: String) -> String { Value(optionText: text)?.text ?? text }
  /// Whether the value is a ``FileName``.
  public var namesFile: Bool { Value.self is FileName.Type }
  /// The type's choices.
  public var choices: [String] { Value.choices }
}

/// An option whatever its type, for lists and help.
public protocol PluginOptionDescription: Sendable {
  /// What stands left of the equals sign.
  var key: String { get }
  /// The type, as help shows it.
  var typeName: String { get }
  /// The default, as a user would write it.
  var defaultText: String { get }
  /// What it does, in one line.
  var help: String { get }
  /// Why a text is no value of the option; nothing if it is one.
  func problem(withText text: String) -> String?
  /// One text for all that mean the same value, such as `0.01` for `1e-2` and `0.010`.
  func canonicalText(of text: String) -> String
  /// Whether its value is the name of a file that the plugin reads.
  var namesFile: Bool { get }
  /// The texts of all values, where these are few.
  var choices: [String] { get }
}

extension PluginOptionDescription {
  /// The text itself.
  public func canonicalText(of text: String) -> String { text }
  /// Most do not.
  public var namesFile: Bool { false }
  /// None: there are many values.
  public var choices: [String] { [] }
}

/// A type an option can have.
public protocol OptionValue: Sendable {
  /// The type's name in help, such as `integer`.
  static var typeName: String { get }
  /// The value a text means, or nothing.
  init?(optionText: String)
  /// The text that means this value.
  var text: String { get }
  /// The texts of all values, where these are few.
  static var choices: [String] { get }
}

extension OptionValue {
  /// None: most types have many values.
  public static var choices: [String] { [] }
}

extension Int: OptionValue {
  /// `integer`
  public static var typeName: String { "an integer" }
  /// Digits, perhaps after a minus.
  public init?(optionText: String) { self.init(optionText) }
  /// The digits.
  public var text: String { "\(self)" }
}

extension Double: OptionValue {
  /// `number`
  public static var typeName: String { "a number" }
  /// A finite number such as `0.01` or `1e-4`.
  public init?(optionText: String) {
    guard let value = Double(optionText), value.isFinite else { return nil }
    self = value
  }
  /// The shortest digits that mean this number.
  public var text: String { "\(self)" }
}

extension Bool: OptionValue {
  /// `true or false`
  public static var typeName: String { "true or false" }
  /// `true` and `false`
  public static var choices: [String] { ["true", "false"] }
  /// `true` or `false`
  public init?(optionText: String) { self.init(optionText) }
  /// `true` or `false`
  public var text: String { "\(self)" }
}

extension String: OptionValue {
  /// `text`
  public static var typeName: String { "a text" }
  /// Any text without a comma.
  public init?(optionText: String) { self = optionText }
  /// The text itself.
  public var text: String { self }
}

/// The name of a file that a plugin reads, as the user wrote it. Programs see from the type which files a
/// method depends on: they are never taken for outputs, and saved paths know them again.
public struct FileName: OptionValue, Hashable {
  /// The name; an empty one is no file.
  public let text: String

  /// A name.
  public init(_ text: String) { self.text = text }

  /// `a file`
  public static var typeName: String { "a file" }
  /// Any text without a comma.
  public init?(optionText: String) { self.init(optionText) }
}

extension [Int]: OptionValue {
  /// Sizes joined by `x`.
  public static var typeName: String { "sizes such as 2000 or 6144x2000" }
  /// Positive integers joined by `x`.
  public init?(optionText: String) {
    var sizes: [Int] = []
    for part in optionText.split(separator: "x", omittingEmptySubsequences: false) {
      guard let size = Int(part), size > 0 else { return nil }
      sizes.append(size)
    }
    self = sizes
  }
  /// The sizes joined by `x`.
  public var text: String { map(String.init).joined(separator: "x") }
}

/// A closed choice: any enumeration of strings can be an option's type.
public protocol OptionChoice: OptionValue, CaseIterable, RawRepresentable where RawValue == String {
}

extension OptionChoice {
  /// The choices.
  public static var typeName: String {
    "one of " + choices.joined(separator: ", ")
  }
  /// The names of the cases.
  public static var choices: [String] { allCases.map(\.rawValue) }
  /// The case of that name.
  public init?(optionText: String) { self.init(rawValue: optionText) }
  /// The case's name.
  public var text: String { rawValue }
}
