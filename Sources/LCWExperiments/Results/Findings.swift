// SPDX-License-Identifier: Apache-2.0
public import Foundation
public import LCWCore
import LCWNetworks
import LCWPaths

/// What an experiment's steps have found, read from their results.
public struct Findings: Sendable {
  /// The experiment.
  public let experiment: ResolvedExperiment
  /// The steps without a result, or with one that is not believed.
  public let missing: [Step]
  /// The results that are not believed.
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
    var missing: [Step] = []
    var disbelieved: [DisbelievedResult] = []
    var seconds = 0.0
    var machines: [String: Int] = [:]
    var threads: Set<Int> = []
    var resumedCount = 0
    var fitted: [String: [String: JSONValue]] = [:]
    var networks: [(Int, Metrics, Metrics)] = []
    var origins: [Int: NetworkOrigin] = [:]
    var fits: [FitFinding] = []
    var paths: [PathFinding] = []
    var ensembles: [EnsembleFinding] = []
    var middles: MiddlesFinding?
    var planes: [PlaneFinding] = []
    let steps = experiment.steps
    for step in steps {
      let found: (record: StepRecord, finding: Finding)
      switch folder.standing(of: step, in: experiment, open: open) {
      case .missing:
        missing.append(step)
        continue
      case .disbelieved(let reason):
        missing.append(step)
        disbelieved.append(DisbelievedResult(step: step, reason: reason))
        continue
      case .done(let record, let finding): found = (record, finding)
      }
      seconds += found.record.seconds
      machines[found.record.machine ?? "not recorded", default: 0] += 1
      if let count = found.record.threads { threads.insert(count) }
      if step.isResumable, found.record.isResumed { resumedCount += 1 }
      switch found.finding {
      case .network(let train, let test, let origin):
        guard let network = step.work.network else { continue }
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
    // Fits that mean the same are one step, and a row for each of their names.
    let known = experiment.stepsByWork
    for fit in experiment.usedFits {
      if let result = known[.fit(fit)].flatMap({ fitted[$0.key] }) {
        fits.append(FitFinding(fit: fit, result))
      }
    }
    self.experiment = experiment
    stepCount = steps.count
    self.missing = missing
    self.disbelieved = disbelieved
    self.seconds = seconds
    self.machines = machines
    self.threads = threads
    self.resumedCount = resumedCount
    self.networks = networks
    self.origins = origins
    self.fits = fits
    self.paths = paths
    self.ensembles = ensembles
    self.middles = middles
    self.planes = planes
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

/// A step whose result is there, but says what can't be.
public struct DisbelievedResult: Sendable {
  /// The step.
  public let step: Step
  /// What can't be, in one line.
  public let reason: String

  /// One line that names the step.
  public var description: String {
    "\(step.name) counts as not done, for its result is not believed: \(reason)"
  }
}
