// SPDX-License-Identifier: Apache-2.0
import Foundation
public import LCWCore
import LCWFiles
public import LCWNumerics

/// A network written as text, so that one of one's own needs no program:
/// `sequential:layers=conv 32 5x5 pad 2; relu; maxpool 3 stride 2; flatten; dense classes`.
///
/// Each line, or part between semicolons, is an operation and its words; `lcw plugins operation` lists
/// them. `dense classes` has as many outputs as there are classes. What is not a chain names its lines:
/// `start = relu`, and says what it reads: `add from start relu2`. A file may hold the same as JSON. See
/// ``NetworkText``.
public struct Sequential: Architecture {
  /// `sequential`
  public static let name = "sequential"
  /// What it is.
  public static let summary = "a network written as text, line by line"

  private static let layers = PluginOption(
    "layers", default: "",
    help:
      "operations such as ‘conv 8 3x3 stride 2 pad 1 no-bias; relu; maxpool 2; flatten; dense classes’; "
      + "name a line with ‘start = relu’ and read it with ‘add from start relu2’")
  private static let file = PluginOption(
    "file", default: FileName(""), help: "a file that holds them instead, as text or as JSON")

  /// `layers` or `file`.
  public static let options: [any PluginOptionDescription] = [layers, file]

  private let description: NetworkText

  /// An architecture with the given options.
  /// - Throws: ``PluginError/invalidOption(plugin:option:value:reason:)`` for a text that can't be
  ///   read, ``FileError`` for a file that can't be.
  public init(options: OptionValues) throws {
    let (text, path) = (options[Self.layers], options[Self.file].text)
    guard text.isEmpty != path.isEmpty else {
      throw PluginError.invalidOption(
        plugin: Self.name, option: Self.layers.key, value: text,
        reason: "either layers= or file= is given")
    }
    let (source, key) =
      path.isEmpty
      ? (text, Self.layers.key) : (try Self.contents(of: path), "\(Self.file.key)=\(path)")
    do {
      description = try Self.text(source, isFile: !path.isEmpty, options.operations)
    } catch let error as NetworkTextError {
      let place = error.place.map { "\($0): " } ?? ""
      throw PluginError.invalidOption(
        plugin: Self.name, option: key, value: error.text,
        reason: "\(path.isEmpty ? "" : place)expected \(error.expected)")
    } catch let error as JSONError {
      throw PluginError.invalidOption(
        plugin: Self.name, option: Self.file.key, value: path, reason: error.description)
    }
  }

  /// What a source says; a file that begins with a brace or a bracket is JSON.
  private static func text(
    _ source: String, isFile: Bool, _ operations: OperationCatalog
  ) throws -> NetworkText {
    let first = source.unicodeScalars.first { !$0.properties.isWhitespace }
    guard isFile, first == "{" || first == "[" else {
      return try NetworkText(source, operations: operations)
    }
    let json = try JSONValue(parsing: Array(source.utf8), limits: JSONLimits(depth: 4))
    return try NetworkText(json: json, operations: operations)
  }

  private static let longestFile = 1 << 20

  private static func contents(of path: String) throws -> String {
    let bytes = try InputFile.contents(of: URL(fileURLWithPath: path), limit: longestFile)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw PluginError.invalidOption(
        plugin: name, option: file.key, value: path, reason: "expected a text in UTF-8")
    }
    // Some editors write a mark of the byte order, which nobody sees.
    return String(text.unicodeScalars.first == "\u{FEFF}" ? text.dropFirst() : text[...])
  }

  /// The network for samples of a shape.
  public func network(inputShape: Shape, classes: Int) throws -> Network {
    try description.network(inputShape: inputShape, classes: classes)
  }

  /// The reference with the text itself, also if it was read from a file.
  public func selfContained(_ reference: PluginReference) -> PluginReference {
    PluginReference(name: reference.name, options: [Self.layers.key: description.text])
  }

  /// The network as text: any network is one.
  public func folded(_ reference: PluginReference, to network: Network) -> PluginReference? {
    PluginReference(name: reference.name, options: [Self.layers.key: "\(network)"])
  }
}

@section("lcw_plugins") @used
let sequentialPlugin: PluginRecord = { $0.add(Sequential.self) }
