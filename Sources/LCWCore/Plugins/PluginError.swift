// SPDX-License-Identifier: Apache-2.0

/// What can be wrong with plugins and references to them.
public enum PluginError: DescribedError, Hashable {
  /// Two plugins of a kind have one name; each type is told with where it came from.
  case duplicateName(String, kind: PluginKind, types: [String])
  /// A plugin's name has other characters than lower-case letters, digits and hyphens.
  case malformedName(String, type: String)
  /// A registered type conforms to the protocol of no kind.
  case withoutKind(type: String)
  /// No plugin of the kind has the name.
  case unknownPlugin(name: String, kind: PluginKind, known: [String])
  /// The name is that of a plugin of another kind.
  case otherKind(name: String, kind: PluginKind, found: PluginKind)
  /// The plugin declares no such option.
  case unknownOption(plugin: String, option: String, known: [String])
  /// The option's value is of another type or out of range.
  case invalidOption(plugin: String, option: String, value: String, reason: String)
  /// The option stands for nothing beside another that is given.
  case misplacedOption(plugin: String, option: String, reason: String)
  /// A text names no method, or more than one modifier.
  case malformedExpression(String, reason: String)
  /// An operation lacks words behind its name.
  case malformedOperation(String, reason: String)
  /// A text is not `name:key=value,key=value`.
  case malformedReference(String, reason: String)

  /// Whether no plugin of the kind has the name, which another program's plugin may have.
  public var namesNoPlugin: Bool {
    switch self {
    case .unknownPlugin, .otherKind: true
    default: false
    }
  }

  /// Wrong usage, but for faults of the plugins themselves.
  public var category: ErrorCategory {
    switch self {
    case .duplicateName, .malformedName, .withoutKind: .failure
    case .unknownPlugin, .otherKind, .unknownOption, .invalidOption, .misplacedOption,
      .malformedExpression, .malformedOperation, .malformedReference:
      .usage
    }
  }

  /// One line that says what is wrong and what would be right.
  public var description: String {
    switch self {
    case .duplicateName(let name, let kind, let types):
      "two plugins claim the \(kind.rawValue) ‘\(name)’: \(types.joined(separator: ", and ")); remove one "
        + "of them, or take a shared object's folder out of LCW_PLUGINS"
    case .malformedName(let name, let type):
      "\(type) calls itself ‘\(name)’: a plugin's name has lower-case letters, digits and hyphens"
    case .withoutKind(let type):
      "\(type) is registered as a plugin but is no method, modifier, architecture, operation, dataset or format"
    case .unknownPlugin(let name, let kind, let known):
      "no \(kind.rawValue) is called ‘\(name)’\(Self.hint(name, known, "there are", none: "none is linked"))"
    case .otherKind(let name, let kind, let found):
      "‘\(name)’ is \(found.withArticle), but the name of \(kind.withArticle) is needed here"
    case .unknownOption(let plugin, let option, let known):
      "\(plugin) has no option ‘\(option)’\(Self.hint(option, known, "it takes", none: "it takes none"))"
    case .invalidOption(let plugin, let option, let value, let reason):
      "\(plugin): ‘\(value)’ is not a valid value for \(option): \(reason)"
    case .misplacedOption(let plugin, let option, let reason):
      "\(plugin): leave out ‘\(option)’: \(reason)"
    case .malformedExpression(let text, let reason):
      "‘\(text)’ is not a method such as arc or arc+wa: \(reason)"
    case .malformedOperation(let name, let reason): "\(name): expected \(reason)"
    case .malformedReference(let text, let reason):
      "‘\(text)’ is not written name:key=value,key=value: \(reason)"
    }
  }

  /// What options are called elsewhere, and here.
  private static let otherWords = [
    "std": "deviation", "stddev": "deviation", "sigma": "deviation", "lr": "rate",
    "learning-rate": "rate", "weight-decay": "decay", "normalize": "standardise",
    "standardize": "standardise", "normalization": "normalisation", "widths": "hidden",
    "units": "hidden",
  ]

  private static func hint(
    _ name: String, _ known: [String], _ lead: String, none: String
  ) -> String {
    let nearest =
      otherWords[name].flatMap { known.contains($0) ? $0 : nil }
      ?? nearestName(to: name, among: known)
    if let nearest { return "; did you mean ‘\(nearest)’?" }
    return known.isEmpty ? "; \(none)" : "; \(lead) \(known.sorted().joined(separator: ", "))"
  }
}
