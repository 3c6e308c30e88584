// SPDX-License-Identifier: Apache-2.0

/// A plugin with options, as it is written everywhere: `mlp:hidden=2000,bias=false`.
public struct PluginReference: Sendable, Hashable, CustomStringConvertible {
  /// The plugin's name.
  public let name: String
  /// The options given, by key.
  public let options: [String: String]

  /// A reference from its parts.
  public init(name: String, options: [String: String] = [:]) {
    self.name = name
    self.options = options
  }

  /// A reference from its text.
  /// - Throws: ``PluginError/malformedReference(_:reason:)``.
  public init(_ text: String) throws(PluginError) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    guard PluginReference.isName(name) else {
      throw .malformedReference(
        text,
        reason: "a plugin's name has lower-case letters, digits and hyphens"
          + PluginReference.hint(for: name))
    }
    var options: [String: String] = [:]
    var last: Substring?
    if parts.count == 2 {
      for pair in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
        let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard sides.count == 2, !sides[0].isEmpty else {
          let isList = last.map { $0.allSatisfy { $0.isNumber || $0 == "x" } } == true
          throw .malformedReference(
            text,
            reason: "‘\(pair)’ is not key=value"
              + (isList && Int(pair) != nil
                ? "; numbers of a list stand with x or : between them, not a comma" : ""))
        }
        last = sides[1]
        guard options.updateValue(String(sides[1]), forKey: String(sides[0])) == nil else {
          throw .malformedReference(text, reason: "‘\(sides[0])’ is given twice")
        }
      }
    }
    self.init(name: name, options: options)
  }

  /// What was probably meant by what is no name.
  private static func hint(for text: String) -> String {
    let lowercased = text.lowercased()
    if isName(lowercased) { return "; did you mean ‘\(lowercased)’?" }
    if text.contains(",") { return "; name one plugin at a time" }
    return ""
  }

  /// The text, with the options in alphabetical order.
  public var description: String {
    guard !options.isEmpty else { return name }
    let pairs = options.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    return "\(name):\(pairs.joined(separator: ","))"
  }

  /// Whether a text can be a plugin's name.
  public static func isName(_ text: String) -> Bool {
    guard let first = text.utf8.first, (97...122).contains(first) else { return false }
    return text.utf8.allSatisfy {
      (97...122).contains($0) || (48...57).contains($0) || $0 == 45
    }
  }
}
