// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LCWCore

/// `lcw plugins`
struct PluginsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plugins",
    abstract: "Lists methods, modifiers, architectures, operations, data sets and formats.",
    discussion: CommandExamples.text(of: "plugins"))

  @Argument(
    help: """
      Show only this kind (method, modifier, architecture, operation, dataset, format) or plugin.
      """,
    completion: .kindsAndPlugins)
  var selection: String?

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    let registry = try PluginRegistry.linked()
    let selected = try plugins(of: registry)
    if json {
      try StandardOutput.text(JSONValue.array(selected.map(\.json)).prettyText)
    } else if let selection, PluginKind(rawValue: selection) == nil {
      try StandardOutput.text(selected.map(\.details).joined(separator: "\n"))
    } else {
      try StandardOutput.text(overview(selected))
    }
  }

  private func plugins(of registry: PluginRegistry) throws -> [PluginListing] {
    let all = registry.plugins.compactMap { PluginListing($0, registry) }
    guard let selection else { return all }
    if let kind = PluginKind(rawValue: selection) { return all.filter { $0.kind == kind } }
    let named = all.filter { $0.type.name == selection }
    guard !named.isEmpty else {
      let known = all.map { $0.type.name } + PluginKind.allCases.map(\.rawValue)
      let hint =
        nearestName(to: selection, among: known).map { "; did you mean ‘\($0)’?" }
        ?? "; lcw plugins lists them"
      throw SessionError.wrongUse("no plugin or kind is called ‘\(selection)’\(hint)")
    }
    return named
  }

  private func overview(_ plugins: [PluginListing]) -> String {
    let width = plugins.map { $0.type.name.count }.max() ?? 0
    var lines: [String] = []
    for kind in PluginKind.allCases {
      let ofKind = plugins.filter { $0.kind == kind }
      guard !ofKind.isEmpty else { continue }
      lines.append("\(kind.rawValue)s")
      for plugin in ofKind {
        let name = plugin.type.name.padding(toLength: width)
        lines.append("  \(name)  \(plugin.type.summary)")
        if let usage = plugin.usage, usage != plugin.type.name {
          lines.append("  \("".padding(toLength: width))    \(usage)")
        }
        for option in plugin.optionLines {
          lines.append("  \("".padding(toLength: width))    \(option)")
        }
        if let traits = plugin.traits {
          lines.append("  \("".padding(toLength: width))    \(traits.line)")
        }
        if let preprocessing = plugin.preprocessing {
          lines.append("  \("".padding(toLength: width))    preprocessing: \(preprocessing)")
        }
        if let file = plugin.file {
          lines.append("  \("".padding(toLength: width))    from \(file.asOneLine)")
        }
      }
    }
    return lines.joined(separator: "\n")
  }
}

/// A plugin as it is listed.
private struct PluginListing {
  let type: any Plugin.Type
  let kind: PluginKind

  /// What is done to a data set's samples, with its options as they are by default.
  let preprocessing: String?

  init?(_ type: any Plugin.Type, _ registry: PluginRegistry) {
    guard let kind = PluginKind(of: type) else { return nil }
    self.type = type
    self.kind = kind
    // One that can't do without options says so when it is used.
    preprocessing =
      kind == .dataset
      ? try? registry.dataset(PluginReference(name: type.name)).preprocessing : nil
  }

  var traits: MethodTraits? { (type as? any ConnectionMethod.Type)?.traits }

  /// How an operation is written in a network's text.
  var usage: String? { (type as? any NetworkOperation.Type)?.usage }

  /// The shared object it came from, if it did.
  var file: String? { PluginRegistry.sharedObject(of: type) }

  var optionLines: [String] {
    type.options.map { "\($0.key)=\($0.defaultText): \($0.help) (\($0.typeName))" }
  }

  var details: String {
    var lines = ["\(kind.rawValue) \(type.name): \(type.summary)"]
    if let usage {
      lines.append("  \(usage)")
    } else {
      lines += optionLines.isEmpty ? ["  no options"] : optionLines.map { "  \($0)" }
    }
    if let traits { lines.append("  \(traits.line)") }
    if let preprocessing { lines.append("  preprocessing: \(preprocessing)") }
    lines.append(
      "  \(String(reflecting: type)), \(file.map { "from \($0.asOneLine)" } ?? "linked into lcw")")
    return lines.joined(separator: "\n")
  }

  var json: JSONValue {
    var object: [String: JSONValue] = [
      "kind": .string(kind.rawValue), "name": .string(type.name),
      "summary": .string(type.summary), "type": .string(String(reflecting: type)),
      "options": .array(
        type.options.map {
          .object([
            "key": .string($0.key), "type": .string($0.typeName),
            "default": .string($0.defaultText), "help": .string($0.help),
          ])
        }),
    ]
    if let usage { object["usage"] = .string(usage) }
    if let traits { object["traits"] = traits.json }
    if let preprocessing { object["preprocessing"] = .string(preprocessing) }
    if let file { object["file"] = .string(file) }
    return .object(object)
  }
}

extension MethodTraits {
  fileprivate var line: String {
    [
      "compute \(compute.rawValue)", "path complexity \(complexity.rawValue)",
      isExplicit ? "explicit" : "not explicit", "loss on the path \(loss.rawValue)",
      isLearnable ? "learnable" : "not learnable", needsData ? "needs data" : "needs no data",
    ].joined(separator: ", ")
  }

  fileprivate var json: JSONValue {
    .object([
      "compute": .string(compute.rawValue), "complexity": .string(complexity.rawValue),
      "explicit": .bool(isExplicit), "loss": .string(loss.rawValue),
      "learnable": .bool(isLearnable), "needs_data": .bool(needsData),
    ])
  }
}

extension String {
  /// The text with spaces behind it up to a length in characters.
  func padding(toLength length: Int) -> String {
    self + String(repeating: " ", count: max(0, length - count))
  }
}
