// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics
import LCWPaths

extension StepRunner {
  /// The method that a fit is of.
  /// - Throws: `PluginError`, or ``ExperimentError/field(_:expected:)`` if it learns nothing.
  static func learner(
    _ fit: Experiment.Fit, _ registry: PluginRegistry
  ) throws -> any LearnableMethod {
    guard fit.method.modifiers.isEmpty,
      let learner = try registry.method(fit.method.method) as? any LearnableMethod
    else {
      let able = registry.plugins(of: .method).filter { $0 is any LearnableMethod.Type }
        .map { $0.name }
      throw ExperimentError.field(
        "fits.\(fit.name).method",
        expected: "a method that learns from a set of networks (\(able.joined(separator: ", "))), "
          + "without a modifier")
    }
    let fewest = type(of: learner).fewestNetworks
    guard fit.networks.count - fit.heldOut >= fewest else {
      throw ExperimentError.field(
        "fits.\(fit.name).networks",
        expected: "\(fewest) or more that are not held out, for \(fit.method.method.name)")
    }
    return learner
  }

  /// Fits a model and keeps it.
  func fit(
    _ fit: Experiment.Fit, _ step: Step, in folder: ResultFolder
  ) throws -> [String: JSONValue] {
    let learner = try StepRunner.learner(fit, registry)
    let networks = try fit.networks.map { try trained($0, in: folder) }
    let fitted = try resuming(step, in: folder) { store in
      try learner.fit(
        to: networks.dropLast(fit.heldOut), heldOut: networks.suffix(fit.heldOut),
        in: context(in: folder, store: store))
    }
    var model = fitted.result
    model.metadata.merge([
      "method": .string("\(fit.method)"), "program": .string(LCWVersion.program), "seed": "0",
      "threads": .integer(workers.count),
      "networks": .object([
        "held-out": .integer(fit.heldOut),
        "learned-from": .integer(fit.networks.count - fit.heldOut),
        "seeds": .array(fit.networks.map { .string("\($0)") }),
      ]),
    ]) { $1 }
    model.metadata.merge(
      Checkpoint.description(
        of: network, architecture: experiment.architecture, dataset: experiment.dataset)
    ) { $1 }
    if let file = folder.product(of: step) { try write(model, file) }
    let warnings = model.metadata["warnings"]?.array ?? []
    for warning in warnings.compactMap(\.string) { notice("\(step.name): warning: \(warning)") }
    return [
      "figure": model.metadata["figure"] ?? "figure",
      "histories": model.metadata["histories"] ?? .object([:]), "warnings": .array(warnings),
    ].merging(fitted.start.json) { $1 }
  }

  /// Learns the path of a pair and keeps it.
  func learn(
    _ method: MethodExpression, _ pair: NetworkPair, _ step: Step, in folder: ResultFolder
  ) throws -> [String: JSONValue] {
    let (a, b) = try ends(pair, in: folder)
    let learned = try resuming(step, in: folder) { store in
      try registry.connection(method).path(from: a, to: b, in: context(in: folder, store: store))
    }
    let archive = PathArchive(
      path: learned.result, between: (a, b), seed: 0, method: method,
      architecture: experiment.architecture,
      dataset: experiment.dataset, record: ["program": .string(LCWVersion.program)])
    if let file = folder.product(of: step) { try write(archive.checkpoint, file) }
    return learned.start.json
  }

  /// A pair's path by a method: the one that was learned, or one that is made now.
  func path(
    _ method: MethodExpression, _ pair: NetworkPair, _ step: Step, in folder: ResultFolder
  ) throws -> any ConnectionPath {
    guard let learned = experiment.learned[method] else {
      let (a, b) = try ends(pair, in: folder)
      return try registry.connection(method).path(from: a, to: b, in: context(in: folder))
    }
    let archive = try PathArchive(
      reading: try product(.learn(learned, pair), in: folder), registry: registry)
    // What computes a path anew is the step's method, however it is written; a path that is stored whole
    // is what it is.
    var isWhole = false
    if case .stored = archive.content { isWhole = true }
    if try !isWhole && registry.keyed(learned) != (try? registry.keyed(archive.method)) {
      throw CheckpointError.recorded(
        field: "method", problem: "it is \(archive.method), but the step's is \(learned)")
    }
    // A path that no motions describe is learned again, and that may be interrupted.
    let path = try resuming(step, in: folder) { store in
      try archive.path(in: context(in: folder, store: store), registry: registry)
    }.result
    try requireEnds(of: path, learnedBy: self.step(.learn(learned, pair)), pair, in: folder)
    return try registry.connection(method).modified(path, in: context(in: folder))
  }

  /// Makes sure that a path that was kept joins the networks that it is of.
  private func requireEnds(
    of path: any ConnectionPath, learnedBy step: Step?, _ pair: NetworkPair,
    in folder: ResultFolder
  ) throws {
    let (a, b) = try ends(pair, in: folder)
    // Of other seeds, networks are as far from each other as these two; of the same, at most roundings.
    let slack = 1e-3 * a.distance(to: b)
    let (start, end) = try (path.weights(at: 0), path.weights(at: path.domain.upperBound))
    guard path.network == a.network, start.distance(to: a) <= slack, end.distance(to: b) <= slack
    else {
      throw ExperimentError.damagedResult(
        file: step.map { self.path(of: $0, in: folder) } ?? folder.url.path,
        reason: "it does not join the networks \(pair)")
    }
  }

  private func path(of step: Step, in folder: ResultFolder) -> String {
    (folder.product(of: step) ?? folder.folder(of: step)).path
  }
}
