// SPDX-License-Identifier: Apache-2.0
import LCWCore

/// What a reference to a plugin can become that a user has begun to write, such as `ot:co`.
struct ReferenceCompletion {
  let registry: PluginRegistry
  /// The files whose names start with a text, for options that name one.
  let files: (String) -> [String]

  /// References to plugins of a kind.
  ///
  /// First names; then, once it is clear which plugin is meant, its options; then their values: the
  /// choices where these are few, files, or else the default.
  func references(
    to kind: PluginKind, startingWith text: String,
    where isSuited: (any Plugin.Type) -> Bool = { _ in true }
  ) -> [String] {
    let plugins = registry.plugins(of: kind).filter(isSuited)
    guard let colon = text.firstIndex(of: ":") else {
      let names = plugins.map { $0.name }.filter { $0.hasPrefix(text) }
      guard let meant = plugin(meantBy: text, among: plugins), !meant.options.isEmpty else {
        return names
      }
      return names + ["\(meant.name):"]
    }
    guard let plugin = plugins.first(where: { $0.name == text[..<colon] }) else { return [] }
    let given = text[text.index(after: colon)...].split(
      separator: ",", omittingEmptySubsequences: false)
    let last = given.last ?? ""
    let before = text.dropLast(last.count)
    let sides = last.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard sides.count == 2 else {
      let taken = given.dropLast().map { $0.prefix { $0 != "=" } }
      return plugin.options.map(\.key)
        .filter { $0.hasPrefix(last) && !taken.contains(Substring($0)) }
        .map { "\(before)\($0)=" }
    }
    guard let option = plugin.options.first(where: { $0.key == sides[0] }) else { return [] }
    return values(of: option, startingWith: String(sides[1])).map { "\(before)\(option.key)=\($0)" }
  }

  /// Methods, perhaps with modifiers, as `arc+wa` or `ot+wa+repair`.
  func expressions(startingWith text: String) -> [String] {
    // A plus sign before a digit belongs to a number such as 1e+3.
    if let plus = text.lastIndex(of: "+"), text[plus...].dropFirst().first?.isNumber != true {
      guard let before = try? MethodExpression(String(text[..<plus])),
        let method = registry.plugins(of: .method).first(where: { $0.name == before.method.name })
      else { return [] }
      let modifier = String(text[text.index(after: plus)...])
      return references(to: .modifier, startingWith: modifier) {
        canStand($0, behind: before, of: method)
      }.map { text[...plus] + $0 }
    }
    let methods = references(to: .method, startingWith: text)
    guard let meant = plugin(meantBy: text, among: registry.plugins(of: .method)),
      let alone = try? MethodExpression(meant.name),
      registry.plugins(of: .modifier).contains(where: { canStand($0, behind: alone, of: meant) })
    else { return methods }
    return methods + ["\(meant.name)+"]
  }

  /// Each modifier stands once, and what builds a path of its own right behind a method that moves layers.
  private func canStand(
    _ modifier: any Plugin.Type, behind expression: MethodExpression, of method: any Plugin.Type
  ) -> Bool {
    guard !expression.modifiers.contains(where: { $0.name == modifier.name }) else { return false }
    return !(modifier is any ConnectionModifier.Type)
      || (expression.modifiers.isEmpty && method is any LayerwiseMethod.Type)
  }

  /// The one whose name is the text, or the only one whose name starts with it.
  private func plugin(
    meantBy text: String, among plugins: [any Plugin.Type]
  ) -> (any Plugin.Type)? {
    let matching = plugins.filter { $0.name.hasPrefix(text) }
    return matching.count == 1 ? matching[0] : matching.first { $0.name == text }
  }

  private func values(
    of option: any PluginOptionDescription, startingWith text: String
  ) -> [String] {
    if option.namesFile { return files(text) }
    let values = option.choices.isEmpty ? [option.defaultText] : option.choices
    return values.filter { !$0.isEmpty && $0.hasPrefix(text) }
  }
}
