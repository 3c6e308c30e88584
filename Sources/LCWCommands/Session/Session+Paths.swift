// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics
import LCWPaths

extension Session {
  /// The archive of a path.
  /// - Throws: An error that names the file, where it holds no path or one of weights that nothing can
  ///   be computed with.
  func pathArchive(_ source: any CheckpointSource, in file: String) throws -> PathArchive {
    try inFile(file) {
      let archive = try naming(file) { try PathArchive(reading: source, registry: registry) }
      switch archive.content {
      case .computed(let start, let end, _):
        for (weights, place) in [(start, "start"), (end, "end")] {
          if let fault = weights.fault {
            throw SessionError.inFile(
              file, problem: fault.description(naming: "\(place)/\(fault.parameter)"))
          }
        }
      case .stored(let path), .modified(let path, _, _):
        for (t, end) in [(path.domain.lowerBound, "starts"), (path.domain.upperBound, "ends")] {
          if let fault = try path.weights(at: t).fault {
            throw SessionError.inFile(file, problem: "where the path \(end), \(fault)")
          }
        }
      }
      return archive
    }
  }

  /// The path of an archive. Where a method has to join the networks anew, it gets the training
  /// samples of the data set given or else of the one recorded, and the files it was made with.
  ///
  /// - Parameters:
  ///   - archive: The archive.
  ///   - limits: Of what its file holds.
  ///   - file: Its name.
  ///   - dataset: The data set that the user named.
  ///   - recipe: What the user said of paths that are computed.
  ///   - watch: Ends the joining, and what the path computes later whenever it is asked for a point: it
  ///     lasts as long as the path is used.
  /// - Throws: ``SessionError`` if the recipe takes more than it may, names a file that was not
  ///   recorded with its digest, or makes another number of stages than the archive says.
  func path(
    of archive: PathArchive, limits: DescriptionLimits, in file: String, dataset: String?,
    recipe: RecipeOptions, isQuiet: Bool = false, until watch: InterruptionWatch
  ) throws -> any ConnectionPath {
    if case .stored = archive.content {
      return try archive.path(in: ConnectionContext(), registry: registry)
    }
    let connection = try archived(file, field: "method") {
      try registry.connection(archive.method)
    }
    var cost = connection.cost(joining: archive.network)
    if case .modified = archive.content {
      cost = connection.modifyingCost(joining: archive.network)
    }
    do throws(CheckpointError) { try limits.check(recipe: cost) } catch {
      throw SessionError.inFile(file, problem: error.advice)
    }
    guard recipe.allowLongRecipe || cost.epochs <= Self.longestRecipe else {
      throw SessionError.longRecipe(
        file: file, method: "\(archive.method)", work: "trains for \(cost.epochs) epochs")
    }
    let samples =
      connection.traits.needsData
      ? try watch.leavingAtOnce("the samples that \(file) is computed with were not read") {
        try data(given: dataset, recorded: archive.dataset, in: file).samples.train
      } : nil
    let work = cost.trainingWork(of: archive.network, samples: samples?.count ?? 0)
    guard recipe.allowLongRecipe || work <= Self.largestRecipeWork else {
      throw SessionError.longRecipe(
        file: file, method: "\(archive.method)", work: "takes \(work) multiplications")
    }
    let joining = PathJoining(
      session: self, samples: samples, seed: 0, isQuiet: isQuiet, watch: watch)
    var context = joining.context(
      for: archive.method,
      ifInterrupted: "the path of \(file) was not computed; run the same command again")
    let files = try MethodFiles(archive.record)
      .found(registry.files(namedBy: archive.method), besides: file, given: recipe.madeWith)
    context.open = { name in
      guard let found = files[name] else {
        throw SessionError.unrecordedMethodFile(name, madeWith: file)
      }
      return try open(URL(fileURLWithPath: found))
    }
    let path: any ConnectionPath
    // Joining again leaves nothing behind, and not all of it looks at the watch.
    do {
      path = try watch.leavingAtOnce(
        "the path of \(file) was not computed; run the same command again"
      ) { try archive.path(in: context, registry: registry) }
    } catch let error
      as any DescribedError where error.category == .usage
    {
      // The user chose the file, not the method.
      throw SessionError.inFile(file, problem: "its path can't be computed: \(error.advice)")
    }
    guard path.stages.count == archive.stages.count else {
      throw SessionError.inFile(
        file,
        problem: "it says that its path has \(archive.stages.count) stages, but \(archive.method) "
          + "makes \(path.stages.count); make the path again")
    }
    return path
  }

  /// The most epochs that an archive's recipe may train for by itself.
  private static let longestRecipe = 100
  /// The most multiplications of such a training: some minutes.
  private static let largestRecipeWork = 1e13

  /// What a field of a file gives; that it can't be used is the file's fault.
  private func archived<Result>(
    _ file: String, field: String, _ work: () throws -> Result
  ) throws -> Result {
    do { return try naming(file, work) } catch let error as SessionError { throw error } catch let
      error as any DescribedError
    {
      throw SessionError.inFile(
        file,
        problem: CheckpointError.recorded(field: field, problem: error.description).description)
    }
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
  private let watch: InterruptionWatch

  /// - Parameter watch: The one of the work that this is a part of, if there is one.
  init(
    session: Session, samples: SampleSet?, seed: UInt64, isQuiet: Bool,
    watch: InterruptionWatch = InterruptionWatch()
  ) {
    self.watch = watch
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
  /// - Parameter files: The networks' files, which an error names.
  func path(
    _ a: TrainedNetwork, _ b: TrainedNetwork, by method: MethodExpression,
    files: (first: String, second: String), store: StateFile? = nil
  ) throws -> (path: any ConnectionPath, seconds: Double) {
    let start = ContinuousClock.now
    let connection = try session.registry.connection(method)
    let needed = connection.cost(joining: a.weights.network).bytes
    guard needed <= Machine.physicalMemory else {
      throw SessionError.wrongUse(
        "\(method) needs \(Int(needed / 1e9) + 1) GB of memory to join these networks, more than there is"
      )
    }
    let context = context(for: method, store: store)
    let path = try inFiles(files, method) {
      // What keeps no state leaves nothing behind, and not all of it looks at the watch.
      guard store == nil else {
        return try connection.path(from: a.weights, to: b.weights, in: context)
      }
      return try watch.leavingAtOnce("\(method) was not finished; run the same command again") {
        try connection.path(from: a.weights, to: b.weights, in: context)
      }
    }
    return (path, (ContinuousClock.now - start).seconds)
  }

  /// What work on two files gives. An error that is about what they hold names them.
  func inFiles<Result>(
    _ files: (first: String, second: String), _ method: MethodExpression,
    _ work: () throws -> Result
  ) throws -> Result {
    do { return try work() } catch let error as ConnectionError where error.category == .data {
      throw SessionError.inFile(
        "\(method) from \(files.first) to \(files.second)", problem: error.advice)
    }
  }

  /// The archive of a path. Where the stages bound the loss within them and samples are at hand, it tells
  /// the largest loss on them.
  func archive(
    _ path: any ConnectionPath, method: MethodExpression, _ a: TrainedNetwork, _ b: TrainedNetwork,
    dataset: PluginReference?
  ) throws -> PathArchive {
    let files = try MethodFiles(session.registry.files(namedBy: method))
    var record: [String: JSONValue] = ["program": .string(LCWVersion.program)]
    // So that a point of the path can go back into the network with batch normalisations.
    for field in [FoldedOrigin.field, Session.classNamesField] {
      guard let own = a.record[field], own == b.record[field] else { continue }
      record[field] = own
    }
    if path.stages.count > 1, let samples,
      let proven = try evaluator(.structured, for: "\(method)").provenLoss(of: path, on: samples)
    {
      record["largest_training_loss"] = .object([
        "loss": JSONValue(proven.loss), "samples": JSONValue(Double(samples.count)),
        "states": JSONValue(Double(proven.states)), "t": JSONValue(proven.time),
      ])
    }
    return PathArchive(
      path: path, between: (a.weights, b.weights), seed: seed, method: method,
      architecture: a.architecture, dataset: dataset,
      record: record.merging(files.record) { $1 })
  }

  /// What a path solves for at the points of a grid.
  func keptPoints(
    of path: any ConnectionPath, pointsPerUnit: Int, method: MethodExpression,
    files: (first: String, second: String)
  ) throws -> KeptPoints {
    try inFiles(files, method) {
      try watch.leavingAtOnce("\(method) was not finished; run the same command again") {
        try KeptPoints(of: path, at: path.grid(pointsPerUnit: pointsPerUnit))
      }
    }
  }

  /// Evaluates paths, showing progress.
  func evaluator(_ strategy: PathEvaluator.Strategy, for name: String) -> PathEvaluator {
    PathEvaluator(
      strategy: strategy, workers: session.workers, keeping: session.keptProducts,
      progress: progress(
        named: "\(name), evaluating",
        ifInterrupted: {
          "the evaluation of \(name) was not finished; run the same command again"
        }))
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
  /// - Parameters:
  ///   - store: Where a method keeps its state, which says what is left after an interruption.
  ///   - outcome: What is said after one if there is no store.
  func context(
    for method: MethodExpression, store: StateFile? = nil, ifInterrupted outcome: String? = nil
  ) -> ConnectionContext {
    ConnectionContext(
      samples: samples, seed: seed, workers: session.workers, store: store,
      open: { [session] in try session.open($0) },
      progress: progress(
        named: "\(method)",
        ifInterrupted: {
          store?.outcome ?? outcome ?? "\(method) was not finished; run the same command again"
        }))
  }
}
