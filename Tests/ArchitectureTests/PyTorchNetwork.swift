// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNetworks
import LCWNumerics
import Testing

/// A narrow network that PyTorch wrote under the names of its usual source, and what PyTorch makes of two
/// images; the files are written by Fixtures/write_architectures.py.
struct PyTorchNetwork: CustomStringConvertible, Sendable {
  /// What the script says of a file.
  private struct Record: Decodable {
    var architecture: String
    var options: [String: String]
    var images: String
    var classes: Int
    var parameters: Int
    var logits: [[Float]]
  }

  let file: String
  let reference: PluginReference
  let classes: Int
  /// The number of values that PyTorch trains.
  let trainedValues: Int
  let logits: [Float]
  private let images: String

  /// What the script's networks have beside the options that they share.
  private static let layouts = [
    "wideresnet16_garipov.safetensors": ["layout": "meliketoy"],
    "vgg11_batch_torchvision.safetensors": ["head": "imagenet"],
    "resnet18_cifar.safetensors": ["stem": "cifar"],
    "resnet18_stem.safetensors": ["stem": "cifar"],
  ]

  /// All of them.
  static let all: [PyTorchNetwork] = {
    guard
      let url = try? fixture("architectures.json"), let data = try? Data(contentsOf: url),
      let records = try? JSONDecoder().decode([String: Record].self, from: data)
    else { return [] }
    return records.sorted { $0.key < $1.key }.map { file, record in
      let options = record.options.merging(layouts[file] ?? [:]) { $1 }
      return PyTorchNetwork(
        file: file, reference: PluginReference(name: record.architecture, options: options),
        classes: record.classes, trainedValues: record.parameters,
        logits: record.logits.flatMap { $0 }, images: record.images)
    }
  }()

  /// Those whose file's name begins so.
  static func named(_ prefix: String) throws -> PyTorchNetwork {
    try #require(all.first { $0.file.hasPrefix(prefix) })
  }

  static func fixture(_ name: String) throws -> URL {
    try #require(
      Bundle.module.url(forResource: name, withExtension: nil, subdirectory: "Fixtures"))
  }

  var description: String { file }

  private var imageSize: Int { images == "images36" ? 36 : 32 }

  func network() throws -> Network { try network(reference) }

  /// The network of another reference for the same samples.
  func network(_ reference: PluginReference) throws -> Network {
    try PluginRegistry.linked().architecture(reference)
      .network(inputShape: [3, imageSize, imageSize], classes: classes)
  }

  func source() throws -> any CheckpointSource {
    let format = file.hasSuffix(".pt") ? "pytorch" : "safetensors"
    return try PluginRegistry.linked().format(PluginReference(format)).open(Self.fixture(file))
  }

  /// Which tensor is which parameter, also under names that another program gives to the modules.
  func binding(of entries: [TensorEntry], to network: Network) throws -> CheckpointBinding {
    let family = try PluginRegistry.linked().architecture(reference)
    return try CheckpointBinding(
      of: entries, to: network, table: NameTable(Swift.type(of: family).nameTable))
  }

  /// The weights, bound by name.
  func weights() throws -> Weights {
    let (network, source) = (try network(), try source())
    return try binding(of: source.entries, to: network).weights(of: network, from: source)
  }

  func samples() throws -> SampleSet {
    let source = try PluginRegistry.linked().format(PluginReference("safetensors"))
      .open(Self.fixture("images.safetensors"))
    return try SampleSet(
      name: "images", sampleShape: [3, imageSize, imageSize], classes: classes, labels: [0, 1],
      values: .floats(source.floats(named: images).elements))
  }
}

/// The largest difference, relative to the largest of the expected values.
func difference(_ found: [Float], _ expected: [Float]) -> Float {
  guard found.count == expected.count else { return .infinity }
  let largest = expected.reduce(0) { max($0, abs($1)) }
  return zip(found, expected).reduce(0) { max($0, abs($1.0 - $1.1)) } / largest
}

/// What weights make of samples.
func logits(_ weights: Weights, _ samples: SampleSet) throws -> [Float] {
  try Runner(weights.network).output(of: samples.block(0..<samples.count), weights: weights)
    .elements
}
