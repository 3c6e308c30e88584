// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWPaths

extension Session {
  /// A path between two networks by a method.
  func connect(
    _ a: TrainedNetwork, _ b: TrainedNetwork, by reference: PluginReference, seed: UInt64
  ) throws -> any ConnectionPath {
    let method = try registry.method(reference)
    var context = ConnectionContext(seed: seed, workers: workers)
    if type(of: method).traits.needsData {
      context.samples = try data(given: nil, recorded: a.dataset).samples.train
    }
    return try method.connect(a.weights, b.weights, in: context)
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
