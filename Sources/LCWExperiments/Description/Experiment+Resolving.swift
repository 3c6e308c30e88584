// SPDX-License-Identifier: Apache-2.0
public import LCWCore

extension Experiment {
  /// The experiment with what only plugins and files know: the architecture with the content of files
  /// it names, methods with their defaults, each once however it is spelled, with the digests of the
  /// files they name, which of them learn a path for each pair, which published figures are whose, and
  /// the files of networks.
  /// - Throws: `PluginError` for an unknown name or a wrong option, ``ExperimentError`` for a file
  ///   that can't be read or is not there, a method without the model it needs, and published figures of
  ///   no method.
  public func resolved(by registry: PluginRegistry) throws -> Experiment {
    var resolved = self
    if !filePatterns.isEmpty {
      resolved.files = try NetworkFile.all(fitting: filePatterns)
      resolved.networks = resolved.files.count
      try resolved.check()
    }
    resolved.architecture = try registry.architecture(architecture).selfContained(architecture)
    // Before anything is said of options' values, that they are such.
    for method in methods + middles + planes {
      _ = try registry.connection(method)
      try registry.requireUsefulModifiers(in: method)
    }
    for method in methods + middles + planes + fits.map(\.method) {
      resolved.completedMethods[method] = try registry.keyed(method)
    }
    for method in methods + middles + planes + usedFits.map(\.method) {
      let digests = try registry.fileDigests(of: method)
      if !digests.isEmpty { resolved.fileDigests[method] = digests }
    }
    for method in methods + middles + planes where try registry.lacksModel(method) {
      throw ExperimentError.field(
        "methods",
        expected: "‘\(method)’ with the model it was fitted to: the file, or @ and a fit's name")
    }
    resolved.learned = try Set(
      (methods + middles + planes).filter { expression in
        let traits = try registry.connection(expression).traits
        // What is fitted once, and not for each pair, is a fit.
        return try traits.isLearnable
          && !(registry.method(expression.method) is any LearnableMethod)
      })
    resolved.methods = Experiment.distinct(methods, registry)
    resolved.middles = Experiment.distinct(middles, registry)
    resolved.planes = Experiment.distinct(planes, registry)
    try resolved.assignPublished(registry)
    resolved.fullScale = try fullScale.map { whole in
      var whole = whole
      if !filePatterns.isEmpty, whole.filePatterns == filePatterns {
        whole.files = resolved.files
        whole.networks = resolved.networks
      }
      whole.architecture = try registry.architecture(whole.architecture)
        .selfContained(whole.architecture)
      whole.methods = Experiment.distinct(whole.methods, registry)
      whole.middles = Experiment.distinct(whole.middles, registry)
      whole.planes = Experiment.distinct(whole.planes, registry)
      return whole
    }
    return resolved
  }

  /// What a method means, or the expression itself where a plugin is not there: at full scale there
  /// may be methods that this run has no use for.
  private static func canonical(
    _ method: MethodExpression, _ registry: PluginRegistry
  ) -> MethodExpression {
    (try? registry.canonical(method)) ?? method
  }

  /// The methods without those that are others spelled otherwise.
  private static func distinct(
    _ methods: [MethodExpression], _ registry: PluginRegistry
  ) -> [MethodExpression] {
    var known: Set<MethodExpression> = []
    return methods.filter { known.insert(canonical($0, registry)).inserted }
  }

  /// The row that is of no method.
  static let endPoints = "end points"

  /// Puts the published figures under the methods as they are spelled here.
  /// - Throws: ``ExperimentError/field(_:expected:)`` if a row is no method's, neither at full scale
  ///   nor at this one.
  private mutating func assignPublished(_ registry: PluginRegistry) throws {
    let whole = fullScale.first ?? self
    let known = Set(
      (whole.describedMethods + describedMethods).map { Experiment.canonical($0, registry) })
    let full = Set(whole.describedMethods.map { Experiment.canonical($0, registry) })
    var rows: [MethodExpression: PublishedFigures] = [:]
    for (name, figures) in published.sorted(by: { $0.key < $1.key }) where name != Self.endPoints {
      let method = (try? MethodExpression(name)).map { Experiment.canonical($0, registry) }
      let allowed = whole.published[name] == nil ? known : full
      guard let method, allowed.contains(method) else {
        throw ExperimentError.field(
          "published.\(name)",
          expected: "the figures of one of the methods, or of the \(Self.endPoints); "
            + "no method is called so")
      }
      rows[method] = figures
    }
    for method in methods {
      if let figures = rows[Experiment.canonical(method, registry)] {
        published["\(method)"] = figures
      }
    }
  }
}
