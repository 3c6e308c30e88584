// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFlows
import LCWNetworks
import LCWNumerics
import LCWPaths

/// Writes an input's content as an archive, whose digests and checksums are right, and opens it as
/// the commands do. It ends the process if something happens that must not; what crashes, hangs or
/// takes too much memory, libFuzzer itself notices.
struct ContentHarness: Sendable {
  static let shared = ContentHarness()

  private let registry: PluginRegistry
  private let format: any CheckpointFormat
  private let samples: SampleSet
  private let file: URL

  /// Multiplications beyond which a network is only described, so that an input takes little time.
  private static let mostWork = 2_000_000
  private static let workers = Workers.serial

  private init() {
    do {
      registry = try PluginRegistry.linked()
      format = try registry.format(PluginReference("lcw"))
      samples = try registry.dataset(PluginReference("digits"))
        .samples(.test, in: DataLocations(folders: [])).prefix(12)
      file = FileManager.default.temporaryDirectory
        .appendingPathComponent("lcw-fuzz-content-\(getpid()).lcw")
    } catch {
      ContentHarness.stop("can't start: \(error)")
    }
  }

  /// Makes, writes, reads and uses what the bytes choose.
  func examine(_ bytes: [UInt8]) {
    var content = HostileContent(bytes, registry)
    let checkpoint = content.checkpoint()
    let source: any CheckpointSource
    do {
      try format.write(checkpoint, to: file)
      source = try format.open(file)
    } catch let error as any DescribedError {
      // What the format can't hold is not content.
      return check(error)
    } catch {
      ContentHarness.stop("an error of another kind: \(error)")
    }
    attempt {
      switch source.kind {
      case .path: try usePath(source)
      case .ensemble: try useEnsemble(source)
      case .connectionModel: try useModel(source)
      default: try useNetwork(source)
      }
    }
  }

  // MARK: What the commands do

  private func useNetwork(_ source: any CheckpointSource) throws {
    let network = try described { try source.trainedNetwork(from: registry) }
    requireNoFile(network.architecture, of: .architecture)
    attempt { try examineGraph(network.weights.network) }
    guard network.weights.network.sampleWork <= Self.mostWork else { return }
    let runner = try Runner(network.weights.network)
    attempt { _ = try runner.evaluate(network.weights, on: samples, workers: Self.workers) }
    attempt {
      let folded = try network.weights.foldingBatchNorm()
      let path = try registry.connection(MethodExpression("linear"))
        .path(from: folded, to: folded, in: ConnectionContext(workers: Self.workers))
      _ = try path.weights(at: 0.5)
    }
    attempt {
      _ = try Ensemble(
        of: [network.weights, network.weights], head: 1, samples: samples, workers: Self.workers
      ).multiplyAdds(count: 2)
    }
    attempt {
      var trainer = try Trainer(
        network.weights.network,
        plan: TrainingPlan(
          epochs: 4, batch: 16, rate: 0.1, schedule: .constant, rule: .sgd(momentum: 0, decay: 0)))
      try trainer.resume(from: source)
      if !trainer.isFinished { try trainer.runEpoch(on: samples, workers: Self.workers) { _ in } }
      _ = trainer.record
    }
  }

  /// A graph is what its text and its JSON say, and a permutation of a free group changes nothing.
  private func examineGraph(_ network: Network) throws {
    let operations = registry.operations
    let classes = network.outputShape.count
    for text in [
      try NetworkText("\(network)", operations: operations),
      try NetworkText(json: network.json, operations: operations),
    ] where try text.network(inputShape: network.inputShape, classes: classes) != network {
      ContentHarness.stop("the text of a network is that of another: \(network)")
    }
    let groups = UnitGroups(of: network)
    guard network.parameterCount <= 100_000, network.nodes.count <= 64,
      network.sampleWork <= Self.mostWork
    else { return }
    let weights = try Weights(randomFor: network, seed: 1)
    let runner = try Runner(network)
    let block = samples.block(0..<4)
    guard block.count == 4 * network.inputShape.count else { return }
    let output = runner.output(
      of: block.reshaped(Shape([4] + network.inputShape.dimensions)), weights: weights)
    for group in groups.free.prefix(4) {
      let permuted = weights.permuting(group, by: Array((0..<group.count).reversed()))
      let other = runner.output(
        of: block.reshaped(Shape([4] + network.inputShape.dimensions)), weights: permuted)
      let size = output.elements.reduce(1e-3) { max($0, abs($1)) }
      for (a, b) in zip(output.elements, other.elements)
      where (a - b).magnitude > 1e-3 * size {
        ContentHarness.stop("a permutation of a free group changes \(a) to \(b): \(network)")
      }
    }
  }

  private func usePath(_ source: any CheckpointSource) throws {
    let archive = try described { try PathArchive(reading: source, registry: registry) }
    requireNoFile(archive.architecture, of: .architecture)
    let path: any ConnectionPath
    if case .computed = archive.content {
      let connection = try registry.connection(archive.method)
      let cost = connection.cost(joining: archive.network)
      try DescriptionLimits(of: source).check(recipe: cost)
      let work = cost.trainingWork(of: archive.network, samples: samples.count)
      guard cost.epochs <= 20, cost.bytes <= 1e6, work <= 1e8,
        archive.network.sampleWork <= Self.mostWork
      else {
        return
      }
      let context = ConnectionContext(
        samples: samples, workers: Self.workers,
        open: { _ in throw CheckpointError.selection("files that an archive names are not opened") }
      )
      path = try archive.path(in: context, registry: registry)
    } else {
      path = try archive.path(in: ConnectionContext(), registry: registry)
    }
    guard path.network.sampleWork <= Self.mostWork, path.stages.count <= 20 else { return }
    for time in [0, 0.3, Double(path.stages.count)] { _ = try path.weights(at: time) }
    let evaluator = PathEvaluator(workers: Self.workers)
    let data = EvaluationData(train: samples, test: samples)
    _ = try evaluator.evaluate(path, on: data, pointsPerUnit: 3, refining: false)
  }

  private func useEnsemble(_ source: any CheckpointSource) throws {
    let archive = try described { try EnsembleArchive(reading: source, registry: registry) }
    _ = archive.ensemble.storedValues(count: archive.ensemble.members.count)
    _ = archive.ensemble.multiplyAdds(count: archive.ensemble.members.count)
    guard archive.ensemble.network.sampleWork <= Self.mostWork else { return }
    _ = try archive.ensemble.evaluate(on: samples, workers: Self.workers)
  }

  private func useModel(_ source: any CheckpointSource) throws {
    let model = try described { try TransformationModel(reading: source, fittedBy: "flow") }
    let network = try registry.architecture(PluginReference("mlp:hidden=3"))
      .network(inputShape: [1, 8, 8], classes: 4)
    let ends = try [1, 2].map { try Weights(randomFor: network, seed: $0) }
    let path = try model.path(
      from: ends[0], to: ends[1], in: ConnectionContext(workers: Self.workers))
    _ = try path.weights(at: 0.5)
  }

  // MARK: What must not happen

  private func attempt(_ work: () throws -> Void) {
    do { try work() } catch let error as any DescribedError {
      check(error)
    } catch {
      ContentHarness.stop("an error of another kind: \(error)")
    }
  }

  /// What is wrong with what a file says is the file's fault, not its user's.
  private func described<Result>(_ work: () throws -> Result) throws -> Result {
    do { return try work() } catch let error as any DescribedError {
      if case .unknownPlugin? = error as? PluginError { throw error }
      guard error.category == .data else {
        ContentHarness.stop("the user is told off for a file: \(error)")
      }
      throw error
    }
  }

  private func requireNoFile(_ reference: PluginReference, of kind: PluginKind) {
    let options = registry.plugins(of: kind).first { $0.name == reference.name }?.options ?? []
    for option in options where option.namesFile && reference.options[option.key]?.isEmpty == false
    {
      ContentHarness.stop("a file was opened: \(reference)")
    }
  }

  private func check(_ error: any DescribedError) {
    let text = error.description.asOneLine
    if text.utf8.count > 10_000 { ContentHarness.stop("a long description") }
  }

  private static func stop(_ finding: String) -> Never {
    FileHandle.standardError.write(Data("FINDING: \(finding)\n".utf8))
    abort()
  }
}
