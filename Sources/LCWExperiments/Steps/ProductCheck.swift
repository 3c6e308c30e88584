// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNetworks

/// Whether the weights in a step's folder are those that the step makes, as far as they tell of their
/// making. A file that was put there from elsewhere, such as the network of another seed, would change
/// every figure that follows without a word.
struct ProductCheck {
  private let experiment: ResolvedExperiment

  init(_ experiment: ResolvedExperiment) { self.experiment = experiment }

  /// - Throws: ``ExperimentError/damagedResult(file:reason:)`` that names what differs.
  func check(
    _ source: any CheckpointSource, of step: Step, file: URL
  ) throws(ExperimentError) {
    func require(_ what: String, _ found: JSONValue?, _ expected: JSONValue) throws(ExperimentError)
    {
      guard found.map(expected.means) ?? false else {
        throw .damagedResult(
          file: file.path,
          reason:
            "its \(what) is \(found?.compactText.asOneLine ?? "not recorded"), and this step's "
            + "is \(expected.compactText.asOneLine)")
      }
    }
    let kind: CheckpointKind
    switch step.work {
    case .train, .open: kind = .checkpoint
    case .fit: kind = .connectionModel
    case .learn: kind = .path
    case .connect, .ensemble, .middles, .plane: return
    }
    try require("kind", .string(source.kind.rawValue), .string(kind.rawValue))
    for (field, expected) in [
      ("architecture", "\(experiment.architecture)"), ("dataset", "\(experiment.dataset)"),
    ] {
      try require(field, source.metadata[field], .string(expected))
    }
    switch step.work {
    case .train(let network):
      let plan = experiment.training
      let training = source.metadata["training"]?.object ?? [:]
      let settings = plan.settings.filter(\.isWritten).map { ($0.name, $0.value) }
      let expected =
        [("seed", .string("\(network)")), ("completed", .integer(plan.epochs))] + settings
      for (field, value) in expected { try require("training.\(field)", training[field], value) }
    case .open(let network):
      let origin = source.metadata["origin"]?.object ?? [:]
      try require(
        "origin.digest", origin["digest"], .string(experiment.files[network - 1].digest))
    case .fit(let fit):
      let networks = source.metadata["networks"]?.object ?? [:]
      try require(
        "networks.seeds", networks["seeds"], .array(fit.networks.map { .string("\($0)") }))
      try require("networks.held-out", networks["held-out"], .integer(fit.heldOut))
    case .learn, .connect, .ensemble, .middles, .plane: break
    }
  }
}
