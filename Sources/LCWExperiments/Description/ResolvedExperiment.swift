// SPDX-License-Identifier: Apache-2.0
public import LCWCore

/// An experiment with what only plugins and files know of it, ready to be done: its ``steps`` have
/// results of their own.
///
/// The fields of ``plan`` can be read from it directly.
/// ```swift
/// let description = try ExperimentDescription(JSONValue(parsing: bytes))
/// var experiment = try description.experiment(at: "quick")
/// experiment.methods.append(try MethodExpression("ot+wa"))
/// let resolved = try ResolvedExperiment(
///   experiment, of: description, at: "quick", registry: .linked())
/// ```
@dynamicMemberLookup
public struct ResolvedExperiment: Sendable, Hashable {
  /// What is done: the architecture with the content of files it names, each method once however it is
  /// spelled, published figures under the methods as they are spelled here.
  public let plan: Experiment
  /// The same at full scale, before any change.
  public let whole: Experiment
  /// The name of the scale.
  public let scale: String
  /// The number of networks, numbered from 1.
  public let networks: Int
  /// The files of the networks 1, 2 and so on; none if networks are trained.
  public let files: [NetworkFile]
  /// The methods that learn a path for each pair, with what learns it: themselves without the modifiers that
  /// take a finished path. To learn one is a step of its own.
  public let learned: [MethodExpression: MethodExpression]
  /// What keys of results have of methods.
  private let identities: [MethodExpression: MethodIdentity]

  /// What the key of a result says of a method.
  struct MethodIdentity: Sendable, Hashable {
    /// The method with all its options, so that a result is not taken for that of a version with other
    /// defaults.
    var expression: MethodExpression
    /// The SHA-256 of the files that its options name.
    var fileDigests: [String]
  }

  /// An experiment with what plugins and files say.
  /// - Parameters:
  ///   - experiment: What the description has at the scale, perhaps with other fields.
  ///   - description: Where it comes from: published figures may be of any of its methods, and results
  ///     say what differs from full scale.
  ///   - scale: The name of the scale.
  ///   - registry: The plugins.
  /// - Throws: `PluginError` for an unknown name or a wrong option, ``ExperimentError`` for a file that
  ///   can't be read or is not there, fields that don't agree, a method without the model it needs, and
  ///   published figures of no method.
  public init(
    _ experiment: Experiment, of description: ExperimentDescription,
    at scale: String = ExperimentDescription.fullScale, registry: PluginRegistry
  ) throws {
    let described = try description.experiment(at: scale)
    switch experiment.networks {
    case .trained(let count): (networks, files) = (count, [])
    case .files(let patterns):
      files = try NetworkFile.all(fitting: patterns)
      networks = files.count
      try experiment.check(networkCount: networks)
    }
    try experiment.check()
    var plan = experiment.spelledOnce(registry)
    plan.architecture = try registry.selfContained(experiment.architecture)
    // Before anything is said of options' values, that they are such.
    for method in experiment.joiningMethods {
      _ = try registry.connection(method)
      try registry.requireUsefulModifiers(in: method)
    }
    for method in experiment.joiningMethods where try registry.lacksModel(method) {
      throw ExperimentError.field(
        "methods",
        expected: "‘\(method)’ with the model it was fitted to: the file, or @ and a fit's name")
    }
    // What no method needs is read all the same, so that a slip does not wait.
    for fit in experiment.fits { _ = try registry.keyed(fit.method) }
    var learned: [MethodExpression: MethodExpression] = [:]
    for method in plan.joiningMethods where try registry.learnsEachPath(method) {
      learned[method] = try registry.connection(method).base
    }
    self.learned = learned
    var identities: [MethodExpression: MethodIdentity] = [:]
    for method in experiment.joiningMethods + learned.values + experiment.usedFits.map(\.method) {
      identities[method] = MethodIdentity(
        expression: try registry.keyed(method), fileDigests: try registry.fileDigests(of: method))
    }
    self.identities = identities
    plan.published = try PublishedRows(description.whole, described, registry).assigned(to: plan)
    self.plan = plan
    var whole = description.whole.spelledOnce(registry)
    whole.architecture = try registry.selfContained(description.whole.architecture)
    self.whole = whole
    self.scale = scale
  }

  /// A field of ``plan``.
  public subscript<Value>(dynamicMember field: KeyPath<Experiment, Value>) -> Value {
    plan[keyPath: field]
  }

  /// The networks that are joined: those that no fit has seen.
  public var joined: [Int] { plan.joined(of: networks) }

  /// All networks that are trained or read.
  public var trained: [Int] {
    Set(1...networks).union(plan.usedFits.flatMap(\.networks)).sorted()
  }

  /// The pairs to join.
  public var pairs: [NetworkPair] { plan.pairs(of: networks) }

  /// What the key of a result says of a method.
  func identity(of method: MethodExpression) -> MethodIdentity {
    identities[method] ?? MethodIdentity(expression: method, fileDigests: [])
  }
}

extension PluginRegistry {
  /// The architecture with the content of files that its options name.
  fileprivate func selfContained(_ architecture: PluginReference) throws -> PluginReference {
    try self.architecture(architecture).selfContained(architecture)
  }

  /// Whether a method learns a path for each pair. What is fitted once, and not for each pair, is a fit.
  fileprivate func learnsEachPath(_ expression: MethodExpression) throws -> Bool {
    try connection(expression).traits.isLearnable
      && !(method(expression.method) is any LearnableMethod)
  }

  /// What a method means, or the expression itself where a plugin is not there: at full scale there
  /// may be methods that this run has no use for.
  fileprivate func meaning(of method: MethodExpression) -> MethodExpression {
    (try? canonical(method)) ?? method
  }
}

extension Experiment {
  /// The experiment without methods that are others spelled otherwise.
  fileprivate func spelledOnce(_ registry: PluginRegistry) -> Experiment {
    func distinct(_ methods: [MethodExpression]) -> [MethodExpression] {
      var known: Set<MethodExpression> = []
      return methods.filter { known.insert(registry.meaning(of: $0)).inserted }
    }
    var experiment = self
    experiment.methods = distinct(methods)
    experiment.middles = distinct(middles)
    experiment.planes = distinct(planes)
    return experiment
  }

  /// The row of published figures that is of no method.
  static let endPoints = "end points"
}

/// Published figures by what their methods mean.
private struct PublishedRows {
  private let whole: Experiment
  /// What the methods of full scale mean, and those of full scale and of the scale that is done.
  private let atFullScale: Set<MethodExpression>
  private let known: Set<MethodExpression>
  private let registry: PluginRegistry

  init(_ whole: Experiment, _ described: Experiment, _ registry: PluginRegistry) {
    self.whole = whole
    self.registry = registry
    atFullScale = Set(whole.methods.map(registry.meaning))
    known = atFullScale.union(described.methods.map(registry.meaning))
  }

  /// An experiment's published figures, with a row for each of its methods as it is spelled there.
  /// - Throws: ``ExperimentError/field(_:expected:)`` if a row is no method's, neither at full scale
  ///   nor at the one that is done.
  func assigned(to experiment: Experiment) throws(ExperimentError) -> [String: PublishedFigures] {
    var published = experiment.published
    var rows: [MethodExpression: PublishedFigures] = [:]
    for (name, figures) in published.sorted(by: { $0.key < $1.key })
    where name != Experiment.endPoints {
      let method = (try? MethodExpression(name)).map(registry.meaning)
      // A row of full scale may be of a method that this scale leaves out.
      let allowed = whole.published[name] == nil ? known : atFullScale
      guard let method, allowed.contains(method) else {
        throw .field(
          "published.\(name)",
          expected: "the figures of one of the methods, or of the \(Experiment.endPoints); "
            + "no method is called so")
      }
      rows[method] = figures
    }
    for method in experiment.methods {
      if let figures = rows[registry.meaning(of: method)] { published["\(method)"] = figures }
    }
    return published
  }
}
