// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles

extension PluginRegistry {
  /// A method with all its options, each value written as its option writes it: equal for two
  /// expressions that mean the same.
  /// - Throws: `PluginError` for an unknown name.
  func canonical(_ expression: MethodExpression) throws -> MethodExpression {
    try rewritten(expression) { $0.canonicalText(of: $1) }
  }

  /// A method as keys of results have it: with all its options, and numbers as their options write
  /// them, but for whole numbers.
  ///
  /// Defaults are written `1.0`, and `1` was kept as it was given. Results are to be found again, so
  /// it stays.
  /// - Throws: `PluginError` for an unknown name.
  func keyed(_ expression: MethodExpression) throws -> MethodExpression {
    try rewritten(expression) { option, text in
      if option is PluginOption<Double>, let whole = Int(text) { return "\(whole)" }
      return option.canonicalText(of: text)
    }
  }

  /// The SHA-256 of the files that a method's options name, without the models of fits, which have
  /// steps of their own.
  /// - Throws: ``ExperimentError/methodFile(_:method:reason:)`` if one can't be read.
  func fileDigests(of expression: MethodExpression) throws -> [String] {
    try files(namedBy: expression).filter { !$0.isEmpty && !$0.hasPrefix("@") }.map { name in
      do {
        let file = try InputFile(URL(fileURLWithPath: name))
        return SHA256.hexDigest(of: try file.bytes(in: 0..<file.size))
      } catch let error as FileError {
        throw ExperimentError.methodFile(
          "\(expression)", reason: error.description, category: error.category)
      }
    }
  }

  /// Whether a method joins networks by a model that was fitted, and none is named.
  func lacksModel(_ expression: MethodExpression) throws -> Bool {
    guard let method = try method(expression.method) as? any LearnableMethod else { return false }
    let options = type(of: method).options.filter(\.namesFile)
    return !options.isEmpty
      && options.allSatisfy { (expression.method.options[$0.key] ?? "").isEmpty }
  }

  private func rewritten(
    _ expression: MethodExpression,
    _ text: (any PluginOptionDescription, String) -> String
  ) throws -> MethodExpression {
    func rewritten(_ reference: PluginReference, _ kind: PluginKind) -> PluginReference {
      let known = plugins(of: kind).first { $0.name == reference.name }?.options ?? []
      var options = reference.options
      for option in known {
        if let given = options[option.key] { options[option.key] = text(option, given) }
      }
      return PluginReference(name: reference.name, options: options)
    }
    let whole = try completed(expression)
    return MethodExpression(
      rewritten(whole.method, .method),
      modifiers: whole.modifiers.map { rewritten($0, .modifier) })
  }
}
