// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles

extension StepRunner {
  /// Reads a network from the file that the experiment names, and keeps it beside its result, so that
  /// later steps don't depend on the file.
  /// - Throws: ``ExperimentError/file(_:reason:category:)`` if the file has changed since it was looked at, or
  ///   holds another network than the experiment's, and what reading throws.
  func openNetwork(
    _ number: Int, _ step: Step, in folder: ResultFolder
  ) throws -> [String: JSONValue] {
    let file = experiment.files[number - 1]
    let url = URL(fileURLWithPath: file.path)
    let found = try openNetwork(url)
    guard try NetworkFile(file.path) == file else {
      throw ExperimentError.file(
        file.path, reason: "it has changed since this run began", category: .failure)
    }
    guard found.weights.network == network else {
      throw ExperimentError.file(
        file.path,
        reason: "its network differs from the experiment's: \(found.architecture) of samples "
          + "\(found.weights.network.inputShape), and not \(experiment.architecture) of samples "
          + "\(network.inputShape)", category: .data)
    }
    if let other = found.dataset, other != experiment.dataset {
      notice(
        "note: \(file.path) is of a network for \(other), and is measured with \(experiment.dataset)"
          .asOneLine)
    }
    let training = try NetworkOrigin.training(in: open(url).metadata)
    let origin = NetworkOrigin(file: file.name, digest: file.digest, training: training)
    let kept = TrainedNetwork(
      architecture: experiment.architecture, weights: found.weights, dataset: experiment.dataset,
      record: ["origin": origin.json])
    try write(Checkpoint(kept), try self.file(step, in: folder))
    return try metrics(of: found.weights).merging(["origin": origin.json]) { $1 }
  }
}
