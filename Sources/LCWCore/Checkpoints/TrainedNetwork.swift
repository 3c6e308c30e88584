// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// A network's weights and where they come from: what a checkpoint of kind `checkpoint` holds.
public struct TrainedNetwork: Sendable {
  /// The architecture the network was made by.
  public var architecture: PluginReference
  /// The weights.
  public var weights: Weights
  /// The data set it was trained on, if that is known.
  public var dataset: PluginReference?
  /// More metadata: the training record, say.
  public var record: [String: JSONValue]

  /// A network and its origin.
  public init(
    architecture: PluginReference, weights: Weights, dataset: PluginReference? = nil,
    record: [String: JSONValue] = [:]
  ) {
    self.architecture = architecture
    self.weights = weights
    self.dataset = dataset
    self.record = record
  }

  /// The number of classes: the network's outputs.
  public var classes: Int { weights.network.outputShape.count }
}

extension Checkpoint {
  /// The checkpoint of a network.
  public init(_ network: TrainedNetwork) {
    self.init(
      kind: .checkpoint,
      metadata: network.record.merging(
        Checkpoint.description(
          of: network.weights.network, architecture: network.architecture,
          dataset: network.dataset)
      ) { $1 },
      tensors: zip(network.weights.network.parameters, network.weights.tensors).map {
        NamedTensor($0.name, StoredTensor($1))
      })
  }

  /// The metadata that describe a network: `architecture`, `input`, `classes`, `network` and,
  /// where it is known, `dataset`.
  public static func description(
    of network: Network, architecture: PluginReference, dataset: PluginReference?
  ) -> [String: JSONValue] {
    var metadata: [String: JSONValue] = [
      "architecture": .string("\(architecture)"),
      "classes": .integer(network.outputShape.count),
      "input": .array(network.inputShape.dimensions.map(JSONValue.integer)),
      "network": .string("\(network)"),
    ]
    if let dataset { metadata["dataset"] = .string("\(dataset)") }
    return metadata
  }
}

extension CheckpointSource {
  /// The architecture that the metadata name.
  /// - Throws: ``CheckpointError/metadata(field:expected:)``.
  public func architecture() throws -> PluginReference {
    guard let text = metadata["architecture"]?.string else {
      throw CheckpointError.metadata(
        field: "architecture", expected: "an architecture such as mlp:hidden=2000")
    }
    return try PluginReference(text)
  }

  /// The data set that the metadata name, if they do.
  /// - Throws: ``PluginError/malformedReference(_:reason:)``.
  public func dataset() throws -> PluginReference? {
    try metadata["dataset"]?.string.map { text throws in try PluginReference(text) }
  }

  /// The network that the metadata describe, made by its architecture.
  /// - Throws: ``CheckpointError``, ``PluginError`` or ``NetworkError`` if that can't be.
  public func network(from registry: PluginRegistry) throws -> Network {
    guard let classes = structured("classes")?.integer, classes > 0 else {
      throw CheckpointError.metadata(field: "classes", expected: "a positive integer")
    }
    let input = structured("input")?.array
    guard let sizes = input?.compactMap(\.integer), sizes.count == input?.count, !sizes.isEmpty
    else {
      throw CheckpointError.metadata(field: "input", expected: "a list of sizes")
    }
    return try registry.architecture(try architecture())
      .network(inputShape: Shape(checking: sizes), classes: classes)
  }

  /// A field of the metadata. Formats whose metadata are texts only keep other values as JSON.
  private func structured(_ field: String) -> JSONValue? {
    guard let text = metadata[field]?.string else { return metadata[field] }
    return try? JSONValue(parsing: Array(text.utf8))
  }

  /// The network that this checkpoint holds.
  /// - Throws: ``CheckpointError`` if the kind is another or a tensor is missing,
  ///   ``NetworkError`` if one has another shape, and what reading throws.
  public func trainedNetwork(from registry: PluginRegistry) throws -> TrainedNetwork {
    guard kind == .checkpoint else {
      throw CheckpointError.kind(
        expected: CheckpointKind.checkpoint.rawValue, found: kind.rawValue)
    }
    let network = try network(from: registry)
    let tensors = try network.parameters.map { try tensor(named: $0.name).floats }
    return TrainedNetwork(
      architecture: try architecture(), weights: try Weights(network: network, tensors: tensors),
      dataset: try dataset(), record: metadata)
  }
}
