// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWPaths

extension Session {
  /// The path of an archive. Where a method has to join the networks anew, it gets the training
  /// samples of the data set given or else of the one recorded, and the files it was made with.
  func path(
    of archive: PathArchive, in file: String, dataset: String?, isQuiet: Bool = false
  ) throws -> any ConnectionPath {
    let samples =
      try naming(file, { try archive.needsSamples(registry: registry) })
      ? try data(given: dataset, recorded: archive.dataset).samples.train : nil
    let joining = PathJoining(session: self, samples: samples, seed: 0, isQuiet: isQuiet)
    var context = joining.context(for: archive.method)
    let files = try MethodFiles(archive.record).found(besides: file)
    context.open = { try open(files[$0] ?? $0) }
    return try archive.path(in: context, registry: registry)
  }

  /// The row of the overview of an archive's method. A path that is stored whole does not need its
  /// method, which may be of a plugin that is not here; then there is none.
  func traits(of archive: PathArchive, in file: String) throws -> MethodTraits? {
    if case .stored = archive.content { return try? registry.connection(archive.method).traits }
    return try naming(file) { try registry.connection(archive.method).traits }
  }
}

/// Joins pairs of networks by methods, showing progress, until the user interrupts it.
struct PathJoining {
  let session: Session
  /// The training samples, for methods that look at them.
  let samples: SampleSet?
  let seed: UInt64
  let isQuiet: Bool
  private let watch = InterruptionWatch()

  init(session: Session, samples: SampleSet?, seed: UInt64, isQuiet: Bool) {
    self.session = session
    self.samples = samples
    self.seed = seed
    self.isQuiet = isQuiet
  }

  /// Whether one of the methods looks at training samples.
  static func needsSamples(_ methods: [MethodExpression], _ session: Session) throws -> Bool {
    try methods.contains { try session.registry.connection($0).traits.needsData }
  }

  /// A path between two networks, and the seconds it took.
  func path(
    _ a: TrainedNetwork, _ b: TrainedNetwork, by method: MethodExpression,
    store: StateFile? = nil
  ) throws -> (path: any ConnectionPath, seconds: Double) {
    let start = ContinuousClock.now
    let path = try session.registry.connection(method).path(
      from: a.weights, to: b.weights, in: context(for: method, store: store))
    return (path, (ContinuousClock.now - start).seconds)
  }

  /// The archive of a path.
  func archive(
    _ path: any ConnectionPath, method: MethodExpression, _ a: TrainedNetwork, _ b: TrainedNetwork,
    dataset: PluginReference?
  ) throws -> PathArchive {
    let files = try MethodFiles(session.registry.files(namedBy: method))
    return PathArchive(
      path: path, between: (a.weights, b.weights), seed: seed, method: method,
      architecture: a.architecture, dataset: dataset,
      record: ["program": .string(LCWVersion.program)].merging(files.record) { $1 })
  }

  /// Evaluates paths, showing progress.
  func evaluator(_ strategy: PathEvaluator.Strategy, for name: String) -> PathEvaluator {
    PathEvaluator(
      strategy: strategy, workers: session.workers,
      progress: progress(
        named: "\(name), evaluating",
        ifInterrupted: { "the evaluation of \(name) was not finished" }))
  }

  private func progress(
    named name: String, ifInterrupted outcome: @escaping @Sendable () -> String
  ) -> @Sendable (ConnectionProgress) throws -> Void {
    let line = SharedProgressLine(isQuiet: isQuiet, name: name)
    return { [flag = watch.flag] progress in
      guard !flag.isSet else { throw Interruption(description: outcome()) }
      line.show(progress)
    }
  }

  /// What a method may use.
  func context(
    for method: MethodExpression, store: StateFile? = nil
  ) -> ConnectionContext {
    ConnectionContext(
      samples: samples, seed: seed, workers: session.workers, store: store,
      open: { [session] in try session.open($0) },
      progress: progress(
        named: "\(method)",
        ifInterrupted: { store?.outcome ?? "\(method) was not finished" }))
  }
}
