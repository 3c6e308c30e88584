// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNetworks

/// What an experiment's steps have found, read from their results.
public struct Findings: Sendable {
  /// The experiment.
  public let experiment: Experiment
  /// The steps without a result.
  public let missing: [Step]
  /// The seconds that all steps took, added up.
  public let seconds: Double
  /// The number of steps that each machine has done, where results tell.
  let machines: [String: Int]
  /// The numbers of threads that steps had, where results tell: last bits depend on them.
  public let threads: Set<Int>
  /// The number of steps whose seconds are those since an interruption alone.
  let resumedCount: Int

  let networks: [(network: Int, train: Metrics, test: Metrics)]
  let fits: [FitFinding]
  let paths: [JoinedPair]
  let ensembles: [EnsembleFinding]
  let middles: MiddlesFinding?
  let planes: [PlaneFinding]
  private let stepCount: Int

  /// Reads the results that are there.
  /// - Throws: ``ExperimentError/damagedResult(file:reason:)``.
  public init(of experiment: Experiment, in folder: ResultFolder) throws {
    var missing: [Step] = []
    var seconds = 0.0
    var machines: [String: Int] = [:]
    var threads: Set<Int> = []
    var resumedCount = 0
    var fitted: [String: JSONValue] = [:]
    var networks: [(Int, Metrics, Metrics)] = []
    var fits: [FitFinding] = []
    var paths: [JoinedPair] = []
    var ensembles: [EnsembleFinding] = []
    var middles: MiddlesFinding?
    var planes: [PlaneFinding] = []
    let steps = experiment.steps
    for step in steps {
      guard let result = try folder.result(of: step) else {
        missing.append(step)
        continue
      }
      seconds += result.object?["seconds"]?.double ?? 0
      machines[result.object?["machine"]?.string ?? "not recorded", default: 0] += 1
      if let count = result.object?["threads"]?.integer { threads.insert(count) }
      if step.isResumable, result.object?["resumed"]?.bool == true { resumedCount += 1 }
      var isRead = true
      switch step.work {
      case .train(let network):
        if let train = Metrics(result.object?["train"]), let test = Metrics(result.object?["test"])
        {
          networks.append((network, train, test))
        } else {
          isRead = false
        }
      case .fit: fitted[step.key] = result
      case .learn: break
      case .connect(let method, let pair):
        let path = JoinedPair(method: method, pair: pair, result)
        path.map { paths.append($0) }
        isRead = path != nil
      case .ensemble(let head):
        let ensemble = EnsembleFinding(head: head, result)
        ensemble.map { ensembles.append($0) }
        isRead = ensemble != nil
      case .middles:
        middles = MiddlesFinding(result)
        isRead = middles != nil
      case .plane(let method, let pair):
        let plane = PlaneFinding(method: method, pair: pair, result)
        plane.map { planes.append($0) }
        isRead = plane != nil
      }
      guard isRead else {
        throw ExperimentError.damagedResult(
          file: folder.folder(of: step).path, reason: "a field is missing")
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
    self.seconds = seconds
    self.machines = machines
    self.threads = threads
    self.resumedCount = resumedCount
    self.networks = networks
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
    var ends: [Int: JoinedPair.Point] = [:]
    for path in paths {
      guard let first = path.points.first, let last = path.points.last else { continue }
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
  func paths(by method: MethodExpression) -> [JoinedPair] { paths.filter { $0.method == method } }
}

/// A pair joined by a method.
struct JoinedPair: Sendable {
  struct Point: Sendable {
    var t: Double
    var train: Metrics
    var test: Metrics
    var isOnGrid: Bool
  }

  struct Part: Sendable {
    var worstAccuracy: Double
    var worstTime: Double
    var barrier: Double
    var meanLoss: Double

    init?(_ json: JSONValue?) {
      guard let fields = json?.object, let worst = fields["worst_accuracy"]?.double,
        let time = fields["worst_accuracy_t"]?.double, let barrier = fields["barrier"]?.double,
        let loss = fields["mean_loss"]?.double
      else { return nil }
      (worstAccuracy, worstTime, self.barrier, meanLoss) = (worst, time, barrier, loss)
    }
  }

  var method: MethodExpression
  var pair: NetworkPair
  var train: Part
  var test: Part
  var points: [Point]
  var stages: [String]
  var length: Double
  var distance: Double
  /// The seconds of learning or constructing it and of measuring it, since the last interruption.
  var seconds: Double
  /// Those of learning or constructing it, and those of measuring; older results have but the sum.
  var parts: (construction: Double, measuring: Double)?
  var isResumed: Bool

  init?(method: MethodExpression, pair: NetworkPair, _ result: JSONValue) {
    guard let fields = result.object, let train = Part(fields["train"]),
      let test = Part(fields["test"]), let points = fields["points"]?.array,
      let stages = fields["stages"]?.array?.compactMap(\.string),
      let length = fields["length"]?.double, let distance = fields["distance"]?.double,
      let seconds = fields["seconds"]?.double, let isResumed = fields["resumed"]?.bool
    else { return nil }
    let read = points.compactMap { point -> Point? in
      guard let t = point.object?["t"]?.double, let train = Metrics(point.object?["train"]),
        let test = Metrics(point.object?["test"]), let isOnGrid = point.object?["grid"]?.bool
      else { return nil }
      return Point(t: t, train: train, test: test, isOnGrid: isOnGrid)
    }
    guard read.count == points.count, read.count > 1 else { return nil }
    self.method = method
    self.pair = pair
    self.train = train
    self.test = test
    self.points = read
    self.stages = stages
    self.length = length
    self.distance = distance
    let learning = fields["learning_seconds"]?.double ?? 0
    self.seconds = seconds + learning
    if let construction = fields["construction_seconds"]?.double,
      let measuring = fields["measuring_seconds"]?.double
    {
      parts = (construction + learning, measuring)
    }
    self.isResumed = isResumed
  }
}

/// A fitted model.
struct FitFinding: Sendable {
  var fit: Experiment.Fit
  var seconds: Double?
  /// What its figures came to, epoch by epoch; see ``LineChart/histories(of:title:)``.
  var record: [String: JSONValue]

  /// What somebody should know of it.
  var warnings: [String] { record["warnings"]?.array?.compactMap(\.string) ?? [] }

  init(fit: Experiment.Fit, _ result: JSONValue) {
    self.fit = fit
    record = result.object ?? [:]
    seconds = record["resumed"]?.bool == false ? record["seconds"]?.double : nil
  }
}

/// Ensembles of one network, of two and so on, with one head.
struct EnsembleFinding: Sendable {
  var head: Int
  var train: [Metrics]
  var test: [Metrics]
  var storedValues: [Int]
  var multiplyAdds: [Int]

  init?(head: Int, _ result: JSONValue) {
    guard let fields = result.object, let train = fields["train"]?.array?.compactMap(Metrics.init),
      let test = fields["test"]?.array?.compactMap(Metrics.init),
      let stored = fields["stored_values"]?.array?.compactMap(\.integer),
      let operations = fields["multiply_adds"]?.array?.compactMap(\.integer),
      train.count == test.count, stored.count == test.count, operations.count == test.count
    else { return nil }
    self.head = head
    self.train = train
    self.test = test
    storedValues = stored
    multiplyAdds = operations
  }
}

/// Neurons in a plane.
struct MiddlesFinding: Sendable {
  var explained: Double
  var panels: [(name: String, points: [(x: Double, y: Double)])]

  init?(_ result: JSONValue) {
    guard let explained = result.object?["explained"]?.double,
      let panels = result.object?["panels"]?.array
    else { return nil }
    self.explained = explained
    self.panels = panels.compactMap { panel in
      guard let name = panel.object?["name"]?.string,
        let points = panel.object?["points"]?.array?.compactMap(place)
      else { return nil }
      return (name, points)
    }
    guard self.panels.count == panels.count else { return nil }
  }
}

/// The loss on a plane of weight space.
struct PlaneFinding: Sendable {
  var method: MethodExpression
  var pair: NetworkPair
  /// Rows from the bottom, each from the left.
  var losses: [[Double]]
  var x: ClosedRange<Double>
  var y: ClosedRange<Double>
  var path: [(x: Double, y: Double)]
  var samples: Int

  init?(method: MethodExpression, pair: NetworkPair, _ result: JSONValue) {
    guard let fields = result.object,
      let losses = fields["losses"]?.array?.compactMap({ $0.array?.compactMap(\.double) }),
      let x = place(fields["x"]), let y = place(fields["y"]), x.x < x.y, y.x < y.y,
      let path = fields["path"]?.array?.compactMap(place), let samples = fields["samples"]?.integer,
      losses.count > 1, let width = losses.first?.count, width > 1,
      losses.allSatisfy({ $0.count == width })
    else { return nil }
    self.method = method
    self.pair = pair
    self.losses = losses
    self.x = x.x...x.y
    self.y = y.x...y.y
    self.path = path
    self.samples = samples
  }
}

private func place(_ json: JSONValue?) -> (x: Double, y: Double)? {
  guard let numbers = json?.array?.compactMap(\.double), numbers.count == 2 else { return nil }
  return (numbers[0], numbers[1])
}
