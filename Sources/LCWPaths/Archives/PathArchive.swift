// SPDX-License-Identifier: Apache-2.0
public import LCWCore
import LCWNumerics

/// A path with what is known of its making: what an archive of kind `path` holds.
///
/// A path whose motions are all known is stored with the tensors they combine, so that any point
/// can be computed again without the method: `motions` maps `stage/parameter` to `fixed` or a
/// curve, and the tensors are named `stage/parameter/index`; `not_on_the_way` numbers the stages,
/// from 1, that are no way from one network's units to the other's. If modifiers have changed such a path, `modifiers`
/// names them: they are applied anew. Of any other path the two networks
/// are stored, `start/parameter` and `end/parameter`, and the method joins them anew. What it solves for at
/// some points may be kept beside: ``KeptPoints``.
public struct PathArchive: Sendable {
  /// How the archive determines the path.
  public enum Content: Sendable {
    /// By the motions of all parameters.
    case stored(ExplicitPath)
    /// By the motions of all parameters, and modifiers that are applied to the path so given, with a seed.
    case modified(ExplicitPath, modifiers: [PluginReference], seed: UInt64)
    /// By the networks that the method joins, with a seed.
    case computed(from: Weights, to: Weights, seed: UInt64)
  }

  /// How the path is determined.
  public var content: Content
  /// What is kept of points for which the path solves something, so that it is not solved again.
  public var kept: KeptPoints?
  /// The labels of the path's stages.
  public var stages: [String]
  /// The method that made it.
  public var method: MethodExpression
  /// The architecture of its networks.
  public var architecture: PluginReference
  /// The data set its networks were trained on, if that is known.
  public var dataset: PluginReference?
  /// More metadata.
  public var record: [String: JSONValue]

  /// A path and its origin. It is stored whole if it is explicit.
  ///
  /// - Parameters:
  ///   - path: The path.
  ///   - networks: The networks it joins.
  ///   - seed: The seed that it was made with.
  ///   - method: The method that made it.
  ///   - architecture: The architecture of the networks.
  ///   - dataset: The data set they were trained on, if that is known.
  ///   - record: More metadata.
  public init(
    path: any ConnectionPath, between networks: (Weights, Weights), seed: UInt64,
    method: MethodExpression, architecture: PluginReference, dataset: PluginReference?,
    record: [String: JSONValue] = [:]
  ) {
    content =
      (path as? ExplicitPath).map(Content.stored) ?? PathArchive.modified(path, seed: seed)
      ?? .computed(from: networks.0, to: networks.1, seed: seed)
    stages = path.stages.map(\.label)
    kept = nil
    self.method = method
    self.architecture = architecture
    self.dataset = dataset
    self.record = record
  }

  /// A path that modifiers made of an explicit one. Modifiers may ask which stages are no way from one
  /// network's units to the other's, and versions before 0.2 do not read that: paths with such are computed.
  private static func modified(_ path: any ConnectionPath, seed: UInt64) -> Content? {
    guard let path = path as? ModifiedPath, let base = path.base as? ExplicitPath,
      base.stages.allSatisfy(\.isOnTheWay)
    else { return nil }
    return .modified(base, modifiers: path.modifiers, seed: seed)
  }

  /// The network whose weights move.
  public var network: Network {
    switch content {
    case .stored(let path), .modified(let path, _, _): path.network
    case .computed(let start, _, _): start.network
    }
  }

  /// Whether the path is computed by a method that looks at training samples.
  /// - Throws: ``PluginError`` if the method is not known.
  public func needsSamples(registry: PluginRegistry) throws -> Bool {
    if case .stored = content { return false }
    return try registry.connection(method).traits.needsData
  }

  /// The path.
  ///
  /// - Parameters:
  ///   - context: What the method may use, if it has to join the networks anew; the seed is the
  ///     archive's.
  ///   - registry: The plugins.
  /// - Throws: What the method throws.
  public func path(
    in context: ConnectionContext, registry: PluginRegistry
  ) throws -> any ConnectionPath {
    let path: any ConnectionPath
    switch content {
    case .stored(let stored): return stored
    case .modified(let base, let modifiers, let seed):
      var context = context
      context.seed = seed
      path = try registry.connection(MethodExpression(method.method, modifiers: modifiers))
        .modified(base, in: context)
    case .computed(let start, let end, let seed):
      var context = context
      context.seed = seed
      path = try registry.connection(method).path(from: start, to: end, in: context)
    }
    return kept?.resumed(by: path) ?? path
  }

  /// The archive's content.
  public var checkpoint: Checkpoint {
    var metadata = Checkpoint.description(
      of: network, architecture: architecture, dataset: dataset)
    metadata["method"] = .string("\(method)")
    metadata["stages"] = .array(stages.map(JSONValue.string))
    let tensors: [NamedTensor]
    switch content {
    case .stored(let path):
      let (motions, stored) = PathArchive.motions(of: path)
      metadata["motions"] = .object(motions)
      let aside = path.stages.indices.filter { !path.stages[$0].isOnTheWay }
      if !aside.isEmpty { metadata["not_on_the_way"] = .array(aside.map { .integer($0 + 1) }) }
      tensors = stored
    case .modified(let path, let modifiers, let seed):
      let (motions, stored) = PathArchive.motions(of: path)
      metadata["motions"] = .object(motions)
      metadata["modifiers"] = .array(modifiers.map { .string("\($0)") })
      metadata["seed"] = .string("\(seed)")
      tensors = stored
    case .computed(let start, let end, let seed):
      metadata["seed"] = .string("\(seed)")
      tensors = [("start", start), ("end", end)].flatMap { place, weights in
        zip(network.parameters, weights.tensors).map { parameter, tensor in
          NamedTensor("\(place)/\(parameter.name)", StoredTensor(tensor))
        }
      }
    }
    if let kept { metadata.merge(kept.metadata) { $1 } }
    return Checkpoint(
      kind: .path, metadata: record.merging(metadata) { $1 },
      tensors: tensors + (kept?.tensors(of: network) ?? []))
  }

  private static func motions(
    of path: ExplicitPath
  ) -> (motions: [String: JSONValue], tensors: [NamedTensor]) {
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
    return (motions, tensors)
  }
}

extension PathArchive {
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
    guard let method = source.metadata["method"]?.string else {
      throw CheckpointError.metadata(field: "method", expected: "a method such as arc")
    }
    let network = try source.network(from: registry)
    stages = labels
    do throws(PluginError) {
      self.method = try MethodExpression(method)
    } catch {
      throw CheckpointError.recorded(field: "method", problem: error.description)
    }
    architecture = try source.architecture()
    dataset = try source.dataset()
    record = source.metadata
    content =
      try PathArchive.stored(source, network, labels: labels)
      ?? PathArchive.computed(source, network)
    kept = try KeptPoints(reading: source, network, stages: labels.count)
  }

  private static func stored(
    _ source: any CheckpointSource, _ network: Network, labels: [String]
  ) throws -> Content? {
    guard let value = source.metadata["motions"] else { return nil }
    let modifiers = try modifiers(source)
    guard let motions = value.object else {
      throw CheckpointError.metadata(field: "motions", expected: "an object of curves")
    }
    let stored = Dictionary(
      source.entries.map { (Array($0.name.utf8), $0.storedBytes) }
    ) { first, _ in first }
    for stage in labels.indices {
      try DescriptionLimits.check(
        combined: network.parameters.map { parameter in
          let prefix = prefix(stage, parameter)
          let curve = motions[prefix]?.string.flatMap(Curve.init)
          let bytes = (0..<(curve?.count ?? 1)).reduce(0) {
            let (sum, isTooLarge) = $0.addingReportingOverflow(
              stored[Array("\(prefix)/\($1)".utf8)] ?? 0)
            return isTooLarge ? Int.max : sum
          }
          return (parameter.shape.count, bytes)
        }, of: "stage\(stage + 1)")
    }
    let aside = try stagesAside(source, of: labels.count)
    let stages = try labels.enumerated().map { stage, label in
      PathStage(
        label: label,
        motions: try network.parameters.map { parameter in
          try PathArchive.motion(stage, parameter, motions: motions, source)
        }, isOnTheWay: !aside.contains(stage))
    }
    let path = try ExplicitPath(network: network, stages: stages)
    return modifiers.isEmpty
      ? .stored(path) : .modified(path, modifiers: modifiers, seed: try seed(source))
  }

  /// The stages, from 0, that do not count where a path has its middle. Whether they keep the function is
  /// not taken from a file: the motions tell, or points are looked at.
  private static func stagesAside(
    _ source: any CheckpointSource, of count: Int
  ) throws(CheckpointError) -> Set<Int> {
    guard let value = source.metadata["not_on_the_way"] else { return [] }
    let numbers = value.array?.compactMap(\.integer) ?? []
    guard numbers.count == value.array?.count, numbers.allSatisfy((1...count).contains) else {
      throw .metadata(field: "not_on_the_way", expected: "a list of stages from 1 to \(count)")
    }
    return Set(numbers.map { $0 - 1 })
  }

  /// The modifiers that are to be applied to what is stored.
  private static func modifiers(_ source: any CheckpointSource) throws -> [PluginReference] {
    guard let value = source.metadata["modifiers"] else { return [] }
    guard let texts = value.array?.compactMap(\.string), texts.count == value.array?.count else {
      throw CheckpointError.metadata(
        field: "modifiers", expected: "a list of modifiers such as reset")
    }
    do throws(PluginError) {
      var modifiers: [PluginReference] = []
      for text in texts { modifiers.append(try PluginReference(text)) }
      return modifiers
    } catch {
      throw CheckpointError.recorded(field: "modifiers", problem: error.description)
    }
  }

  private static func seed(_ source: any CheckpointSource) throws -> UInt64 {
    guard let seed = source.metadata["seed"]?.string.flatMap({ UInt64($0) }) else {
      throw CheckpointError.metadata(
        field: "motions", expected: "an object of curves, or a seed for the method")
    }
    return seed
  }

  private static func computed(
    _ source: any CheckpointSource, _ network: Network
  ) throws -> Content {
    let seed = try seed(source)
    func weights(_ place: String) throws -> Weights {
      try Weights(
        network: network,
        tensors: try network.parameters.map {
          try source.floats(named: "\(place)/\($0.name)")
        })
    }
    return .computed(from: try weights("start"), to: try weights("end"), seed: seed)
  }

  private static func motion(
    _ stage: Int, _ parameter: Parameter, motions: [String: JSONValue],
    _ source: any CheckpointSource
  ) throws -> Motion {
    let prefix = prefix(stage, parameter)
    guard let name = motions[prefix]?.string else {
      throw CheckpointError.metadata(field: "motions/\(prefix)", expected: "fixed or a curve")
    }
    if name == "fixed" { return .fixed(try source.floats(named: "\(prefix)/0")) }
    guard let curve = Curve(name) else {
      throw PathError.unknownCurve(name, parameter: parameter.name)
    }
    let bases = try (0..<curve.count).map { try source.floats(named: "\(prefix)/\($0)") }
    return .combination(bases, curve)
  }

  private static func prefix(_ stage: Int, _ parameter: Parameter) -> String {
    "stage\(stage + 1)/\(parameter.name)"
  }
}
