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
  /// - Throws: ``CheckpointError/metadata(field:expected:)`` or
  ///   ``CheckpointError/recorded(field:problem:)``.
  public func architecture() throws -> PluginReference {
    guard let text = metadata["architecture"]?.string else {
      throw CheckpointError.metadata(
        field: "architecture", expected: "an architecture such as mlp:hidden=2000")
    }
    return try recorded("architecture") { try PluginReference(text) }
  }

  /// The data set that the metadata name, if they do.
  /// - Throws: ``CheckpointError/recorded(field:problem:)``.
  public func dataset() throws -> PluginReference? {
    guard let text = metadata["dataset"]?.string else { return nil }
    return try recorded("dataset") { try PluginReference(text) }
  }

  /// The network that the metadata describe, made by its architecture.
  ///
  /// No file is opened that the architecture's options name, and the network needs no more memory
  /// and work than ``DescriptionLimits`` allow for the tensors that are there.
  ///
  /// - Throws: ``CheckpointError``, or ``PluginError/unknownPlugin(name:kind:known:)``.
  public func network(from registry: PluginRegistry) throws -> Network {
    guard let classes = structured("classes")?.integer, classes > 0 else {
      throw CheckpointError.metadata(field: "classes", expected: "a positive integer")
    }
    let input = structured("input")?.array
    guard let sizes = input?.compactMap(\.integer), sizes.count == input?.count, !sizes.isEmpty
    else {
      throw CheckpointError.metadata(field: "input", expected: "a list of sizes")
    }
    let shape = try recorded("input") { try Shape(checking: sizes) }
    let architecture = try architecture()
    try registry.refuseFiles(namedBy: architecture, of: .architecture, recordedAs: "architecture")
    let network = try recorded("architecture") {
      try registry.architecture(architecture)
        .network(inputShape: shape, classes: classes)
    }
    try DescriptionLimits(of: self).check(network)
    return network
  }

  /// What is made of a field, whose faults are the file's and not its user's.
  private func recorded<Result>(_ field: String, _ work: () throws -> Result) throws -> Result {
    do { return try work() } catch {
      // Which plugin is not here is told with how to have it.
      if case .unknownPlugin? = error as? PluginError { throw error }
      throw CheckpointError.recorded(field: field, problem: "\(error)")
    }
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
    let tensors = try network.parameters.map { try floats(named: $0.name) }
    return TrainedNetwork(
      architecture: try architecture(), weights: try Weights(network: network, tensors: tensors),
      dataset: try dataset(), record: metadata)
  }
}
