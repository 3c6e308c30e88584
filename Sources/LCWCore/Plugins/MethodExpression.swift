// SPDX-License-Identifier: Apache-2.0

/// A method, perhaps with modifiers, each behind a plus sign: `arc`, `linear+wa`,
/// `ot:path=arc+wa:bias=kept+repair`.
///
/// This is how a way of connecting is written everywhere: on the command line, in an archive's
/// metadata and in a report. What modifiers stand together, and in which order, a registry knows:
/// ``PluginRegistry/connection(_:)``.
public struct MethodExpression: Sendable, Hashable, CustomStringConvertible {
  /// The method.
  public let method: PluginReference
  /// What changes the method's paths, in the order in which it is written and applied; each once.
  public let modifiers: [PluginReference]

  /// A method with modifiers.
  public init(_ method: PluginReference, modifiers: [PluginReference]) {
    self.method = method
    self.modifiers = modifiers
  }

  /// A method with a modifier or none.
  public init(_ method: PluginReference, modifier: PluginReference? = nil) {
    self.init(method, modifiers: modifier.map { [$0] } ?? [])
  }

  /// An expression from its text.
  /// - Throws: ``PluginError/malformedExpression(_:reason:)`` if a modifier is repeated, or
  ///   ``PluginError/malformedReference(_:reason:)``.
  public init(_ text: String) throws(PluginError) {
    let parts = MethodExpression.parts(of: text)
    method = try PluginReference(parts[0])
    var modifiers: [PluginReference] = []
    for part in parts.dropFirst() {
      let modifier = try PluginReference(part)
      if modifiers.contains(where: { $0.name == modifier.name }) {
        throw .malformedExpression(
          text, reason: "+\(modifier.name) appears twice; write each modifier once")
      }
      modifiers.append(modifier)
    }
    self.modifiers = modifiers
  }

  /// The methods that texts mean, each once, in the order of the first of each.
  /// - Throws: ``PluginError`` for a text that can't be read.
  public static func distinct(_ texts: [String]) throws(PluginError) -> [MethodExpression] {
    var known: Set<MethodExpression> = []
    var methods: [MethodExpression] = []
    for text in texts {
      let method = try MethodExpression(text)
      if known.insert(method).inserted { methods.append(method) }
    }
    return methods
  }

  /// The modifier right behind the method, if there is one.
  public var modifier: PluginReference? { modifiers.first }

  /// The text, with the options in alphabetical order.
  public var description: String {
    ([method] + modifiers).map { "\($0)" }.joined(separator: "+")
  }

  // A plus sign before a digit belongs to a number such as 1e+3.
  private static func parts(of text: String) -> [String] {
    var parts = [""]
    let characters = Array(text)
    for (index, character) in characters.enumerated() {
      let next = index + 1 < characters.count ? characters[index + 1] : " "
      if character == "+", !next.isNumber {
        parts.append("")
      } else {
        parts[parts.count - 1].append(character)
      }
    }
    return parts
  }
}
