// SPDX-License-Identifier: Apache-2.0

/// A JSON value without null, whose integers are exact.
///
/// Foundation's parsers accept duplicate keys and turn large integers into rounded ones; a file
/// format that promises to be checked can't. See ``JSONValue/init(parsing:limits:)``.
public enum JSONValue: Sendable, Hashable {
  /// Text.
  case string(String)
  /// A number written without fraction or exponent.
  case integer(Int)
  /// Any other number, finite.
  case number(Double)
  /// A truth value.
  case bool(Bool)
  /// A list.
  case array([JSONValue])
  /// An object; keys are unique.
  case object([String: JSONValue])

  /// A finite number, or the text `nan`, `inf` or `-inf`, which JSON has no numbers for.
  public init(_ value: Double) {
    // A NaN may have a sign, which says nothing.
    self = value.isFinite ? .number(value) : .string(value.isNaN ? "nan" : "\(value)")
  }

  /// The text, if it is one.
  public var string: String? { if case .string(let value) = self { value } else { nil } }
  /// The integer, if it is one.
  public var integer: Int? { if case .integer(let value) = self { value } else { nil } }
  /// The truth value, if it is one.
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// The list, if it is one.
  public var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
  /// The object, if it is one.
  public var object: [String: JSONValue]? {
    if case .object(let value) = self { value } else { nil }
  }

  /// The number, if it is one, an integer, or the text of a number that is not finite.
  public var double: Double? {
    switch self {
    case .number(let value): value
    case .integer(let value): Double(value)
    case .string(let text) where ["nan", "inf", "-inf"].contains(text): Double(text)
    case .string, .bool, .array, .object: nil
    }
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral
{
  /// Text.
  public init(stringLiteral value: String) { self = .string(value) }
  /// An integer.
  public init(integerLiteral value: Int) { self = .integer(value) }
  /// A truth value.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension JSONValue {
  /// The value as compact JSON: keys ascending by their bytes, the shortest digits that give a
  /// number back, no escapes but those that JSON requires.
  public var compactText: String {
    var text = ""
    write(to: &text, indent: nil)
    return text
  }

  /// The value as JSON on indented lines, for people.
  public var prettyText: String {
    var text = ""
    write(to: &text, indent: 0)
    return text
  }

  /// A text as a JSON string, with its quotes.
  public static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where scalar.value < 0x20:
        let hex = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  private func write(to text: inout String, indent: Int?) {
    switch self {
    case .string(let value): text += JSONValue.quoted(value)
    case .integer(let value): text += "\(value)"
    case .number(let value): text += "\(value)"
    case .bool(let value): text += "\(value)"
    case .array(let values):
      // A list of scalars stays on one line.
      let isFlat = values.allSatisfy { $0.array == nil && $0.object == nil }
      let inner = isFlat ? nil : indent.map { $0 + 1 }
      text += "["
      for (index, value) in values.enumerated() {
        if index > 0 { text += indent != nil && isFlat ? ", " : "," }
        JSONValue.newLine(&text, inner)
        value.write(to: &text, indent: inner)
      }
      if !isFlat, !values.isEmpty { JSONValue.newLine(&text, indent) }
      text += "]"
    case .object(let members):
      let inner = indent.map { $0 + 1 }
      text += "{"
      let sorted = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      for (index, member) in sorted.enumerated() {
        if index > 0 { text += "," }
        JSONValue.newLine(&text, inner)
        text += JSONValue.quoted(member.key) + (indent == nil ? ":" : ": ")
        member.value.write(to: &text, indent: inner)
      }
      if !members.isEmpty { JSONValue.newLine(&text, indent) }
      text += "}"
    }
  }

  private static func newLine(_ text: inout String, _ indent: Int?) {
    if let indent { text += "\n" + String(repeating: "  ", count: indent) }
  }
}

extension JSONValue {
  /// Whether the values are the same, numbers by what they are rather than how they are written.
  public func means(_ other: JSONValue) -> Bool {
    self == other || (double != nil && double == other.double)
  }
}
