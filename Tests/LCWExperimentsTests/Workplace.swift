// SPDX-License-Identifier: Apache-2.0
import ArcMethod
import DigitsDataset
import FlowMethod
import Foundation
import GaripovMethod
import LCWCore
import LCWExperiments
import LCWFormat
import LCWNumerics
import LCWPaths
import LinearMethod
import MLPArchitecture
import OptimalTransportMethod
import RepairModifier
import Synchronization
import WeightAdjustmentModifier

/// A folder and the plugins that small experiments need, without the program.
final class Workplace {
  let url: URL
  let registry: PluginRegistry

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("lcw-\(UUID())")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    registry = try PluginRegistry([
      Arc.self, Digits.self, Flow.self, Garipov.self, Linear.self, LCWArchive.self, MLP.self,
      OptimalTransport.self, Repair.self, WeightAdjustment.self,
    ])
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// An experiment with fields put before those every experiment needs.
  func experiment(
    _ fields: String, scale: String = ExperimentDescription.fullScale,
    _ change: (inout Experiment) throws -> Void = { _ in }
  ) throws -> ResolvedExperiment {
    try DescribedExperiment(
      "{\(fields) \"name\": \"x\", \"dataset\": \"digits\", \"architecture\": \"mlp:hidden=9\"}",
      scale: scale
    ).resolved(by: registry, change)
  }

  func file(_ name: String, _ text: String) throws -> URL {
    let file = url.appendingPathComponent(name)
    try Data(text.utf8).write(to: file)
    return file
  }

  func exists(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: url.appendingPathComponent(name).path)
  }

  func runner(
    _ experiment: ResolvedExperiment, threads: Int = 1,
    write: (@Sendable (Checkpoint, URL) throws -> Void)? = nil
  ) throws -> StepRunner {
    let digits = try registry.dataset(experiment.dataset)
    let nowhere = DataLocations(folders: [])
    return try StepRunner(
      experiment, registry: registry,
      data: EvaluationData(
        train: try digits.samples(.train, in: nowhere), test: try digits.samples(.test, in: nowhere)
      ),
      workers: Workers(threads),
      open: { [registry] in try registry.format(PluginReference("lcw")).open($0) },
      write: write
        ?? { [registry] in try registry.format(PluginReference("lcw")).write($0, to: $1) })
  }
}

/// What was said, by whatever thread.
final class Notices: Sendable {
  private let lines = Mutex<[String]>([])

  var all: [String] { lines.withLock { $0 } }

  func add(_ line: String) { lines.withLock { $0.append(line) } }
}
