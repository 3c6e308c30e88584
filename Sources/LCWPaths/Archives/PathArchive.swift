// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

/// A path with what is known of its making: what an archive of kind `path` holds.
///
/// Each motion's tensors are stored, so that any point can be computed again without the method.
/// In the archive, `motions` maps `stage/parameter` to `fixed` or a curve, and the tensors are named
/// `stage/parameter/index`.
public struct PathArchive: Sendable {
  /// The path.
  public var path: ExplicitPath
  /// The method that made it.
  public var method: PluginReference
  /// The architecture of its networks.
  public var architecture: PluginReference
  /// The data set its networks were trained on, if that is known.
  public var dataset: PluginReference?
  /// More metadata.
  public var record: [String: JSONValue]

  /// A path and its origin.
  public init(
    path: ExplicitPath, method: PluginReference, architecture: PluginReference,
    dataset: PluginReference?, record: [String: JSONValue] = [:]
  ) {
    self.path = path
    self.method = method
    self.architecture = architecture
    self.dataset = dataset
    self.record = record
  }

  /// The archive's content.
  public var checkpoint: Checkpoint {
    var motions: [String: JSONValue] = [:]
    var tensors: [NamedTensor] = []
    for (stage, value) in path.stages.enumerated() {
      for (parameter, motion) in zip(path.network.parameters, value.motions) {
        let prefix = PathArchive.prefix(stage, parameter)
        let bases: [Tensor]
        switch motion {
        case .fixed(let tensor):
          motions[prefix] = "fixed"
          bases = [tensor]
        case .combination(let tensors, let curve):
          motions[prefix] = .string("\(curve)")
          bases = tensors
        case .opaque: preconditionFailure("an explicit path has no opaque motion")
        }
        for (index, tensor) in bases.enumerated() {
          tensors.append(NamedTensor("\(prefix)/\(index)", StoredTensor(tensor)))
        }
      }
    }
    let metadata = Checkpoint.description(
      of: path.network, architecture: architecture, dataset: dataset
    ).merging([
      "method": .string("\(method)"),
      "motions": .object(motions),
      "stages": .array(path.stages.map { .string($0.label) }),
    ]) { $1 }
    return Checkpoint(
      kind: .path, metadata: record.merging(metadata) { $1 }, tensors: tensors)
  }

  /// The path that a source holds.
  /// - Throws: ``CheckpointError`` if the kind or the metadata are others, ``PathError`` if the
  ///   motions do not fit the network, and what reading throws.
  public init(reading source: any CheckpointSource, registry: PluginRegistry) throws {
    guard source.kind == .path else {
      throw CheckpointError.kind(
        expected: CheckpointKind.path.rawValue, found: source.kind.rawValue)
    }
    let labels = source.metadata["stages"]?.array?.compactMap(\.string) ?? []
    guard !labels.isEmpty, labels.count == source.metadata["stages"]?.array?.count else {
      throw CheckpointError.metadata(field: "stages", expected: "a list of the stages' labels")
    }
    guard let motions = source.metadata["motions"]?.object else {
      throw CheckpointError.metadata(field: "motions", expected: "an object of curves")
    }
    guard let method = source.metadata["method"]?.string else {
      throw CheckpointError.metadata(field: "method", expected: "a method such as arc")
    }
    let network = try source.network(from: registry)
    let stages = try labels.enumerated().map { stage, label in
      PathStage(
        label: label,
        motions: try network.parameters.map { parameter in
          try PathArchive.motion(stage, parameter, motions: motions, source)
        })
    }
    self.init(
      path: try ExplicitPath(network: network, stages: stages),
      method: try PluginReference(method), architecture: try source.architecture(),
      dataset: try source.dataset(), record: source.metadata)
  }

  private static func motion(
    _ stage: Int, _ parameter: Parameter, motions: [String: JSONValue],
    _ source: any CheckpointSource
  ) throws -> Motion {
    let prefix = prefix(stage, parameter)
    guard let name = motions[prefix]?.string else {
      throw CheckpointError.metadata(field: "motions/\(prefix)", expected: "fixed or a curve")
    }
    if name == "fixed" { return .fixed(try source.tensor(named: "\(prefix)/0").floats) }
    guard let curve = Curve(name) else {
      throw PathError.unknownCurve(name, parameter: parameter.name)
    }
    let bases = try (0..<curve.count).map { try source.tensor(named: "\(prefix)/\($0)").floats }
    return .combination(bases, curve)
  }

  private static func prefix(_ stage: Int, _ parameter: Parameter) -> String {
    "stage\(stage + 1)/\(parameter.name)"
  }
}
