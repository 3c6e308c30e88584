// SPDX-License-Identifier: Apache-2.0
public import Foundation
import LCWCore

/// What the test of a plugin calls, in one line.
///
/// ```swift
/// import LCWConformance
/// import Testing
///
/// @Test func conforms() throws { try Conformance.require(method: "detour") }
/// ```
///
/// Plugins are written as on the command line, with their options: small ones, since the suite runs
/// them many times. They are looked for among those linked into the test.
public enum Conformance {
  /// Requires that a method keeps its promises on small networks, dense and convolutional.
  ///
  /// A method that learns from a set of networks and has an option `model` is fitted first.
  /// - Throws: ``ConformanceError``, and ``PluginError`` if there is no such method.
  public static func require(method expression: String) throws {
    let suite = try MethodConformance(expression, in: .linked())
    try require(expression, suite.brokenProperties())
  }

  /// Requires that a modifier keeps the promises of a method with it: of the first linked one, by name, that
  /// moves single layers.
  /// - Throws: ``ConformanceError``, and ``PluginError`` if there is no such modifier, or no such method.
  public static func require(modifier reference: String) throws {
    let methods = try PluginRegistry.linked().plugins(of: .method)
    guard let method = methods.first(where: { $0 is any LayerwiseMethod.Type }) else {
      throw PluginError.malformedExpression(
        "+\(reference)", reason: "no method is linked that moves single layers; link LCWStandard")
    }
    try require(method: "\(method.name)+\(reference)")
  }

  /// Requires that an architecture keeps its promises.
  /// - Throws: ``ConformanceError``, and ``PluginError`` if there is no such architecture.
  public static func require(architecture reference: String) throws {
    let suite = try ArchitectureConformance(reference, in: .linked())
    try require(reference, suite.brokenProperties())
  }

  /// Requires that an operation keeps its promises.
  ///
  /// - Parameters:
  ///   - name: The operation.
  ///   - texts: Operations of the kind as they are written, such as `conv 4 3x3 pad 1`; the name alone if
  ///     none is given. Small ones, with different words.
  /// - Throws: ``ConformanceError``, and ``PluginError`` if there is no such operation.
  public static func require(operation name: String, texts: [String] = []) throws {
    let suite = try OperationConformance(name, texts: texts, in: .linked())
    try require(name, suite.brokenProperties())
  }

  /// Requires that a data set keeps its promises, on the files that are there.
  ///
  /// Where no folder is named and none of its files are found, only the error that says so is looked
  /// at; a test that wants the samples names the folder.
  /// - Parameter folder: Where its files are, and have to be; nothing for where `lcw` looks for them.
  /// - Throws: ``ConformanceError``, and ``PluginError`` if there is no such data set.
  public static func require(dataset reference: String, folder: URL? = nil) throws {
    let suite = try DatasetConformance(reference, in: .linked(), folder: folder)
    try require(reference, suite.brokenProperties())
  }

  /// Requires that a file format keeps its promises.
  /// - Parameters:
  ///   - isChecksummed: Whether no flipped bit may change a value unnoticed.
  ///   - examples: Files of the format, which a format that can't write needs.
  /// - Throws: ``ConformanceError``, and ``PluginError`` if there is no such format.
  public static func require(
    format reference: String, isChecksummed: Bool = false, examples: [URL] = []
  ) throws {
    let suite = try FormatConformance(
      reference, in: .linked(), isChecksummed: isChecksummed, examples: examples)
    try require(reference, suite.brokenProperties())
  }

  private static func require(_ plugin: String, _ broken: [BrokenProperty]) throws {
    if !broken.isEmpty { throw ConformanceError(plugin: plugin, broken: broken) }
  }

  /// What a plugin of any kind says of itself that it should not, or leaves out.
  static func brokenDescription(of type: any Plugin.Type) -> [BrokenProperty] {
    var broken: [BrokenProperty] = []
    if type.summary.isEmpty || type.summary.hasSuffix(".") || type.summary.contains("\n") {
      broken.add(
        .describesItself, "the summary ‘\(type.summary)’ is not one line without a full stop")
    }
    for option in type.options where option.help.isEmpty {
      broken.add(.describesItself, "the option \(option.key) has no help")
    }
    let keys = type.options.map(\.key)
    if Set(keys).count < keys.count {
      broken.add(.describesItself, "two options have one key among \(keys)")
    }
    return broken
  }
}
