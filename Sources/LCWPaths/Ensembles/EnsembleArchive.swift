// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

/// An ensemble with what is known of it: what an archive of kind `ensemble` holds.
///
/// The backbone is stored once, `backbone/parameter`, and of each member its head,
/// `member1/parameter` and so on; the metadata hold `head` and `members`.
public struct EnsembleArchive: Sendable {
  /// The ensemble.
  public var ensemble: Ensemble
  /// The architecture of its networks.
  public var architecture: PluginReference
  /// The data set they were trained on, if that is known.
  public var dataset: PluginReference?
  /// More metadata.
  public var record: [String: JSONValue]

  /// An ensemble and its origin.
  public init(
    ensemble: Ensemble, architecture: PluginReference, dataset: PluginReference?,
    record: [String: JSONValue] = [:]
  ) {
    self.ensemble = ensemble
    self.architecture = architecture
    self.dataset = dataset
    self.record = record
  }

  /// The archive's content.
  public var checkpoint: Checkpoint {
    var metadata = Checkpoint.description(
      of: ensemble.network, architecture: architecture, dataset: dataset)
    metadata["head"] = .integer(ensemble.head)
    metadata["members"] = .integer(ensemble.members.count)
    var tensors: [NamedTensor] = []
    for (index, parameter) in ensemble.network.parameters.enumerated()
    where ensemble.isShared(parameter) {
      tensors.append(
        NamedTensor("backbone/\(parameter.name)", StoredTensor(ensemble.members[0][index])))
    }
    for (number, member) in ensemble.members.enumerated() {
      for (index, parameter) in ensemble.network.parameters.enumerated()
      where !ensemble.isShared(parameter) {
        tensors.append(
          NamedTensor("member\(number + 1)/\(parameter.name)", StoredTensor(member[index])))
      }
    }
    return Checkpoint(
      kind: .ensemble, metadata: record.merging(metadata) { $1 }, tensors: tensors)
  }

  /// The ensemble that a source holds.
  /// - Throws: ``CheckpointError`` if the kind or the metadata are others, ``EnsembleError`` if the
  ///   head does not fit, and what reading throws.
  public init(reading source: any CheckpointSource, registry: PluginRegistry) throws {
    guard source.kind == .ensemble else {
      throw CheckpointError.kind(
        expected: CheckpointKind.ensemble.rawValue, found: source.kind.rawValue)
    }
    guard let head = source.metadata["head"]?.integer else {
      throw CheckpointError.metadata(field: "head", expected: "the number of layers in the head")
    }
    guard let count = source.metadata["members"]?.integer, (1...65_536).contains(count) else {
      throw CheckpointError.metadata(field: "members", expected: "the number of networks")
    }
    let network = try source.network(from: registry)
    let boundary: Int
    do throws(EnsembleError) { boundary = try Ensemble.boundary(of: network, head: head) } catch {
      throw CheckpointError.recorded(field: "head", problem: error.description)
    }
    let backbone = try network.parameters.map { parameter in
      parameter.layer < boundary
        ? try source.floats(named: "backbone/\(parameter.name)") : nil
    }
    let members = try (1...count).map { number in
      try Weights(
        network: network,
        tensors: try zip(network.parameters, backbone).map { parameter, shared in
          try shared ?? source.floats(named: "member\(number)/\(parameter.name)")
        })
    }
    self.init(
      ensemble: try Ensemble(members: members, head: head),
      architecture: try source.architecture(), dataset: try source.dataset(),
      record: source.metadata)
  }
}
