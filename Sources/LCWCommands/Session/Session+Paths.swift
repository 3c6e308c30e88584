// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWPaths

extension Session {
  /// A path between two networks by a method; the data are read only if the method needs them.
  func connect(
    _ a: TrainedNetwork, _ b: TrainedNetwork, by reference: PluginReference, dataset: String?,
    seed: UInt64
  ) throws -> any ConnectionPath {
    let needsData = type(of: try registry.method(reference)).traits.needsData
    let samples = needsData ? try data(given: dataset, recorded: a.dataset).samples.train : nil
    return try connect(a, b, by: reference, seed: seed, samples: samples)
  }

  /// A path between two networks by a method that may look at training samples.
  func connect(
    _ a: TrainedNetwork, _ b: TrainedNetwork, by reference: PluginReference, seed: UInt64,
    samples: SampleSet?
  ) throws -> any ConnectionPath {
    try registry.method(reference).connect(
      a.weights, b.weights,
      in: ConnectionContext(samples: samples, seed: seed, workers: workers))
  }

  /// The archive of a path.
  /// - Throws: ``SessionError/notSavable(method:)`` if a motion is opaque.
  func archive(
    _ path: any ConnectionPath, method: PluginReference, from a: TrainedNetwork
  ) throws -> PathArchive {
    guard let explicit = path as? ExplicitPath else {
      throw SessionError.notSavable(method: "\(method)")
    }
    return PathArchive(
      path: explicit, method: method, architecture: a.architecture, dataset: a.dataset,
      record: ["program": .string(LCWVersion.program)])
  }
}
