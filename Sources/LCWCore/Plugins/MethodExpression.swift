// SPDX-License-Identifier: Apache-2.0

/// A method, perhaps with a modifier behind a plus sign: `arc`, `linear+wa`, `ot:path=arc+wa:bias=kept`.
///
/// This is how a way of connecting is written everywhere: on the command line, in an archive's
/// metadata and in a report.
public struct MethodExpression: Sendable, Hashable, CustomStringConvertible {
  /// The method.
  public let method: PluginReference
  /// What changes the method's paths, if anything does.
  public let modifier: PluginReference?

  /// A method with or without a modifier.
  public init(_ method: PluginReference, modifier: PluginReference? = nil) {
    self.method = method
    self.modifier = modifier
  }

  /// An expression from its text.
  /// - Throws: ``PluginError/malformedExpression(_:reason:)`` or
  ///   ``PluginError/malformedReference(_:reason:)``.
  public init(_ text: String) throws(PluginError) {
    let parts = MethodExpression.parts(of: text)
    guard parts.count <= 2 else {
      throw .malformedExpression(text, reason: "a method takes one modifier")
    }
    method = try PluginReference(parts[0])
    modifier = parts.count == 2 ? try PluginReference(parts[1]) : nil
  }

  /// The text, with the options in alphabetical order.
  public var description: String {
    modifier.map { "\(method)+\($0)" } ?? "\(method)"
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
