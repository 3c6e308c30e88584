// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWExperiments

/// A description at one of its scales, from JSON, to be resolved with and without changes.
struct DescribedExperiment {
  let description: ExperimentDescription
  let scale: String

  init(_ text: String, scale: String = ExperimentDescription.fullScale) throws {
    try self.init(Array(text.utf8), scale: scale)
  }

  init(_ text: [UInt8], scale: String = ExperimentDescription.fullScale) throws {
    description = try ExperimentDescription(JSONValue(parsing: text))
    self.scale = scale
  }

  /// The fields at the scale.
  var experiment: Experiment {
    get throws { try description.experiment(at: scale) }
  }

  /// What plugins and files make of the fields, or of changed ones.
  func resolved(
    by registry: PluginRegistry, _ change: (inout Experiment) throws -> Void = { _ in }
  ) throws -> ResolvedExperiment {
    var experiment = try experiment
    try change(&experiment)
    return try ResolvedExperiment(experiment, of: description, at: scale, registry: registry)
  }
}
