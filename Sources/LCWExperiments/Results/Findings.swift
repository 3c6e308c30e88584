// SPDX-License-Identifier: Apache-2.0
public import Foundation
public import LCWCore
import LCWNetworks
import LCWPaths

/// What an experiment's steps have found, read from their results.
public struct Findings: Sendable {
  /// The experiment.
  public let experiment: ResolvedExperiment
  /// The steps without a result, or with one that is not trusted.
  public let missing: [Step]
  /// The results that are not trusted.
  public let disbelieved: [DisbelievedResult]
  /// The seconds that all steps took, added up.
  public let seconds: Double
  /// The number of steps that each machine has done, where results tell.
  let machines: [String: Int]
  /// The numbers of threads that steps had, where results tell: last bits depend on them.
  public let threads: Set<Int>
  /// The number of steps whose seconds are those since an interruption alone.
  let resumedCount: Int

  let networks: [(network: Int, train: Metrics, test: Metrics)]
  /// Where networks come from that were not trained here.
  let origins: [Int: NetworkOrigin]
  let fits: [FitFinding]
  let paths: [PathFinding]
  let ensembles: [EnsembleFinding]
  let middles: MiddlesFinding?
  let planes: [PlaneFinding]
  private let stepCount: Int

  /// Reads the results that are there. One that can't be believed counts as not done.
  /// - Parameter open: Reads the weights beside a result, which must be those of its step; nothing
  ///   for results without weights.
  public init(
    of experiment: ResolvedExperiment, in folder: ResultFolder,
    open: (@Sendable (URL) throws -> any CheckpointSource)? = nil
  ) {
    let steps = experiment.steps
    var collected = Collected()
    for step in steps {
      switch folder.standing(of: step, in: experiment, open: open) {
      case .missing: collected.missing.append(step)
      case .disbelieved(let reason):
        collected.missing.append(step)
        collected.disbelieved.append(DisbelievedResult(step: step, reason: reason))
      case .done(let record, let finding): collected.add(finding, record, of: step)
      }
    }
    self.experiment = experiment
    stepCount = steps.count
    // Fits that mean the same are one step, and a row for each of their names.
    let known = experiment.stepsByWork
    fits = experiment.usedFits.compactMap { fit in
      known[.fit(fit)].flatMap { collected.fitted[$0.key] }.map { FitFinding(fit: fit, $0) }
    }
    missing = collected.missing
    disbelieved = collected.disbelieved
    seconds = collected.seconds
    machines = collected.machines
    threads = collected.threads
    resumedCount = collected.resumedCount
    networks = collected.networks
    origins = collected.origins
    paths = collected.paths
    ensembles = collected.ensembles
    middles = collected.middles
    planes = collected.planes
  }

  /// The networks that are joined, as the ends of paths were measured.
  ///
  /// With a number of samples, that is on other samples than networks are measured on after their
  /// training: those in no path are left out then, unless there is no path at all.
  var ends: [(network: Int, train: Metrics, test: Metrics)] {
    var ends: [Int: PathEvaluation.Point] = [:]
    for path in paths {
      let points = path.measured.evaluation.points
      guard let first = points.first, let last = points.last else { continue }
      ends[path.pair.first] = ends[path.pair.first] ?? first
      ends[path.pair.second] = ends[path.pair.second] ?? last
    }
    let isAlike = experiment.evaluation.samples == nil || ends.isEmpty
    // Of those that are joined: a mean over others is no upper bound of the methods' figures.
    let joined = Set(
      experiment.methods.isEmpty
        ? experiment.joined : experiment.pairs.flatMap { [$0.first, $0.second] })
    return networks.filter { joined.contains($0.network) }.compactMap { network in
      if let end = ends[network.network] { return (network.network, end.train, end.test) }
      return isAlike ? network : nil
    }
  }

  /// Whether there is nothing yet.
  public var isEmpty: Bool { missing.count == stepCount }

  /// The paths of a method.
  func paths(by method: MethodExpression) -> [MeasuredPath] {
    paths.filter { $0.method == method }.map(\.measured)
  }
}

/// What steps have found, as far as they were looked at.
private struct Collected {
  var missing: [Step] = []
  var disbelieved: [DisbelievedResult] = []
  var seconds = 0.0
  var machines: [String: Int] = [:]
  var threads: Set<Int> = []
  var resumedCount = 0
  /// The results of fits, by their steps' keys.
  var fitted: [String: [String: JSONValue]] = [:]
  var networks: [(network: Int, train: Metrics, test: Metrics)] = []
  var origins: [Int: NetworkOrigin] = [:]
  var paths: [PathFinding] = []
  var ensembles: [EnsembleFinding] = []
  var middles: MiddlesFinding?
  var planes: [PlaneFinding] = []

  mutating func add(_ finding: Finding, _ record: StepRecord, of step: Step) {
    seconds += record.seconds
    machines[record.machine ?? "not recorded", default: 0] += 1
    if let count = record.threads { threads.insert(count) }
    if step.isResumable, record.isResumed { resumedCount += 1 }
    switch finding {
    case .network(let train, let test, let origin):
      guard let network = step.work.network else { return }
      networks.append((network, train, test))
      origins[network] = origin
    case .fit(let record): fitted[step.key] = record
    case .learned: break
    case .path(let path): paths.append(path)
    case .ensemble(let ensemble): ensembles.append(ensemble)
    case .middles(let found): middles = found
    case .plane(let plane): planes.append(plane)
    }
  }
}

/// A step whose result is there, but says what can't be.
public struct DisbelievedResult: Sendable {
  /// The step.
  public let step: Step
  /// What can't be, in one line.
  public let reason: String

  /// One line that names the step.
  public var description: String {
    "\(step.name) counts as not done, because its result is not trusted: \(reason)"
  }
}
