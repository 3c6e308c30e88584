// SPDX-License-Identifier: Apache-2.0
import Foundation
public import LCWCore
import LCWFiles
public import LCWNumerics

/// A chain of layers written as text, so that a network of one's own needs no program:
/// `sequential:layers=conv 32 5x5 pad 2; relu; maxpool 3 stride 2; flatten; dense classes`.
///
/// The layers are those that a network's description names:
/// - `dense 512` or `dense classes`, for as many outputs as there are classes;
/// - `conv 32 5x5`, and after it `stride 2` and `pad 2`;
/// - `maxpool 3` and `avgpool 3`, and after it `stride 2` (the size otherwise) and `pad 1`;
/// - `relu`, `tanh`, `flatten`, `batchnorm` and `dropout 0.5`.
///
/// `no-bias` behind a dense layer or a convolution leaves out its bias. Semicolons and line ends
/// separate layers; what follows a `#` on its line is left out.
public struct Sequential: Architecture {
  /// `sequential`
  public static let name = "sequential"
  /// What it is.
  public static let summary = "a chain of layers written as text"

  private static let layers = PluginOption(
    "layers", default: "",
    help:
      "the chain of dense, conv, relu, tanh, maxpool, avgpool, flatten, dropout and batchnorm, such "
      + "as ‘conv 8 3x3 stride 2 pad 1 no-bias; relu; maxpool 2; flatten; dense classes’")
  private static let file = PluginOption(
    "file", default: FileName(""), help: "a text file that holds the chain instead")

  /// `layers` or `file`.
  public static let options: [any PluginOptionDescription] = [layers, file]

  private let chain: ChainText

  /// An architecture with the given options.
  /// - Throws: ``PluginError/invalidOption(plugin:option:value:reason:)`` for a chain that can't be
  ///   read, ``FileError`` for a file that can't be.
  public init(options: OptionValues) throws {
    let (text, path) = (options[Self.layers], options[Self.file].text)
    guard text.isEmpty != path.isEmpty else {
      throw PluginError.invalidOption(
        plugin: Self.name, option: Self.layers.key, value: text,
        reason: "either layers= or file= is given")
    }
    if path.isEmpty {
      chain = try ChainText(text, of: Self.layers.key, plugin: Self.name)
    } else {
      chain = try ChainText(
        Self.contents(of: path), of: "\(Self.file.key)=\(path)", plugin: Self.name)
    }
  }

  private static let longestFile = 1 << 20

  private static func contents(of path: String) throws -> String {
    let bytes = try InputFile.contents(of: URL(fileURLWithPath: path), limit: longestFile)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw PluginError.invalidOption(
        plugin: name, option: file.key, value: path, reason: "expected a text in UTF-8")
    }
    return text
  }

  /// The chain for samples of a shape.
  public func network(inputShape: Shape, classes: Int) throws -> Network {
    try Network(inputShape: inputShape, layers: chain.layers(classes: classes))
  }

  /// The reference with the chain itself, also if it was read from a file.
  public func selfContained(_ reference: PluginReference) -> PluginReference {
    PluginReference(name: reference.name, options: [Self.layers.key: chain.text])
  }

  /// The chain as text: any network is one.
  public func folded(_ reference: PluginReference, to network: Network) -> PluginReference? {
    PluginReference(name: reference.name, options: [Self.layers.key: "\(network)"])
  }
}

@section("lcw_plugins") @used
let sequentialPlugin: PluginRecord = { $0.add(Sequential.self) }
