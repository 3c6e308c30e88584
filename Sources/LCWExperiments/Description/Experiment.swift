// SPDX-License-Identifier: Apache-2.0
public import LCWCore
public import LCWNetworks

/// What is to be done and measured, as plain data: a data set, networks trained on it, the pairs
/// among them, the methods that join them, and what else is asked of them.
///
/// ```json
/// {
///   "name": "digits-two-layer", "title": "Digits, 64-100-10",
///   "dataset": "digits", "architecture": "mlp:hidden=100",
///   "training": {"epochs": 20}, "networks": 3, "methods": ["linear", "arc", "ot+wa"]
/// }
/// ```
public struct Experiment: Sendable, Hashable {
  /// The name, which the file of results is called by: lower-case letters, digits, hyphens.
  public var name: String
  /// The scale that it was read at.
  public internal(set) var scale = Experiment.fullScale
  /// The title of tables and figures.
  public var title: String
  /// What the networks are trained on and measured with.
  public var dataset: PluginReference
  /// What the networks are.
  public var architecture: PluginReference
  /// How they are trained; network i has seed i. Networks of files were trained as these say.
  public var training: TrainingPlan
  /// The number of networks, numbered from 1; the networks of fits may be others, unless they are of
  /// files.
  public var networks: Int
  /// The files whose networks are joined in the place of trained ones, or patterns that they fit, such as
  /// `nets/*.lcw`; none if networks are trained. ``resolved(by:)`` finds the files.
  public var filePatterns: [String]
  /// The files of the networks 1, 2 and so on; none if networks are trained.
  public internal(set) var files: [NetworkFile] = []
  /// The models that are fitted to networks, which methods name as `@name`.
  public var fits: [Fit]
  /// The ways of joining them.
  public var methods: [MethodExpression]
  /// The number of pairs to join, the first of ``NetworkPair/all(of:)``; all if there is none.
  public var pairLimit: Int?
  /// How paths are evaluated.
  public var evaluation: Evaluation
  /// The heads of the ensembles of all networks, in layers with weights; none if there are none.
  public var heads: [Int]
  /// The methods whose neurons in the middle of the first pair's path are shown.
  public var middles: [MethodExpression]
  /// The methods through whose middle a plane with the first pair is drawn.
  public var planes: [MethodExpression]
  /// Who published the figures that stand beside those that are found.
  public var source: String?
  /// Figures to stand beside those that are found.
  public var published: [String: PublishedFigures]
  /// The methods with all their options, where these are known: what results are kept under, so that
  /// they are not taken for those of a version with other defaults. ``resolved(by:)`` finds them.
  public internal(set) var completedMethods: [MethodExpression: MethodExpression] = [:]
  /// The methods that learn a path for each pair: to learn one is a step of its own.
  /// ``resolved(by:)`` finds them.
  public internal(set) var learned: Set<MethodExpression>
  /// The SHA-256 of the files that methods name, of those that name any. ``resolved(by:)`` finds them.
  var fileDigests: [MethodExpression: [String]] = [:]
  /// The methods of the description, whatever an option has put in their place.
  var describedMethods: [MethodExpression] = []
  // In an array of one or none, since a value can't hold another of its kind.
  var fullScale: [Experiment]

  /// How paths are evaluated.
  public struct Evaluation: Sendable, Hashable {
    /// The points of the grid on each unit of a path.
    public var points: Int
    /// Whether a path is measured at its ends and in its middle alone, without a grid.
    public var isMiddleAlone: Bool
    /// Whether the worst points are looked for between those of the grid.
    public var refines: Bool
    /// The samples of each part of the data; all if there is no number.
    public var samples: Int?
  }

  /// A model that is fitted to networks, and that options of methods name as `@name`.
  public struct Fit: Sendable, Hashable {
    /// The name, without the sign.
    public var name: String
    /// The method that learns, with its options.
    public var method: MethodExpression
    /// The seeds of the networks.
    public var networks: [Int]
    /// The last networks are held out: they are not learned from, and tell when to stop.
    public var heldOut: Int
  }

  /// The name, and the scale's behind it unless that is ``fullScale``: what results, records and
  /// figures are called by, so that those of one scale do not take the place of another's.
  public var scaledName: String { scale == Experiment.fullScale ? name : "\(name)-\(scale)" }

  /// The title, and behind it the scale unless that is ``fullScale``, with the architecture if that is
  /// another than the full one; at full scale whether an option has changed what is trained.
  var scaledTitle: String {
    guard scale == Experiment.fullScale else {
      let other = fullScale.first?.architecture == architecture ? "" : ": \(architecture)"
      return "\(title) (\(scale)\(other))"
    }
    if filePatterns != fullScale.first?.filePatterns { return "\(title) (networks of files)" }
    return scaledDown.contains { $0.hasPrefix("training.") } ? "\(title) (changed)" : title
  }

  /// The networks that are joined: those that no fit has seen.
  public var joined: [Int] {
    let seen = Set(fits.flatMap(\.networks))
    return (1...networks).filter { !seen.contains($0) }
  }

  /// All networks that are trained.
  public var trained: [Int] {
    Set(1...networks).union(usedFits.flatMap(\.networks)).sorted()
  }

  /// The fits that a method needs, each behind those it begins with.
  public var usedFits: [Fit] {
    var names = Set((methods + middles + planes).flatMap(\.fitNames))
    for fit in fits.reversed() where names.contains(fit.name) {
      names.formUnion(fit.method.fitNames)
    }
    return fits.filter { names.contains($0.name) }
  }

  /// The pairs to join: neighbours on a ring first, then those two apart and so on.
  public var pairs: [NetworkPair] {
    let joined = joined
    return NetworkPair.all(of: joined.count).prefix(pairLimit ?? .max).map {
      NetworkPair(first: joined[$0.first - 1], second: joined[$0.second - 1])
    }
  }
}

extension MethodExpression {
  /// The names of the fits that options of the method refer to.
  var fitNames: [String] {
    ([method] + modifiers).flatMap { Array($0.options.values) }
      .filter { $0.hasPrefix("@") }.map { String($0.dropFirst()) }.sorted()
  }
}

/// Two networks of an experiment, numbered from 1.
public struct NetworkPair: Sendable, Hashable, CustomStringConvertible {
  /// Where the path begins.
  public var first: Int
  /// Where it ends.
  public var second: Int

  /// The pair as `1–2`.
  public var description: String { "\(first)–\(second)" }

  /// All pairs, neighbours on a ring first, then those two apart and so on: with each round every
  /// network occurs twice more.
  public static func all(of count: Int) -> [NetworkPair] {
    guard count > 1 else { return [] }
    return (1...count / 2).flatMap { distance in
      (0..<count).compactMap { first -> NetworkPair? in
        // Halfway around, both directions meet.
        guard 2 * distance < count || first < distance else { return nil }
        let second = (first + distance) % count
        return NetworkPair(first: min(first, second) + 1, second: max(first, second) + 1)
      }
    }
  }
}

/// Accuracies that were published, in percent, each with its deviation if that was.
public struct PublishedFigures: Sendable, Hashable {
  /// A mean and its deviation.
  public struct Figure: Sendable, Hashable {
    /// The mean, in percent.
    public var mean: Double
    /// The deviation, in percent.
    public var deviation: Double?

    /// The figure as it is printed: `98.76 ± 0.01`.
    public var text: String { deviation.map { "\(mean) ± \($0)" } ?? "\(mean)" }
  }

  /// On the training samples.
  public var train: Figure?
  /// On the test samples.
  public var test: Figure?
}

/// What can be wrong with an experiment.
public enum ExperimentError: DescribedError, Hashable {
  /// A field is missing or not what it should be.
  case field(String, expected: String)
  /// A field is not known.
  case unknownField(String, nearest: String?)
  /// There is no such scale.
  case unknownScale(String, known: [String])
  /// There is no such experiment, and no such file.
  case unknownExperiment(String, known: [String])
  /// Steps have no result yet.
  case unfinished(steps: [String], folder: String)
  /// There is no step of a key or name.
  case unknownStep(String)
  /// A method refers to a fit that there is not.
  case unknownFit(String, known: [String])
  /// A file that a method names can't be read.
  case methodFile(String, reason: String, category: ErrorCategory)
  /// What is wrong in a file.
  case file(String, reason: String, category: ErrorCategory)
  /// A step's result is not what it should be.
  case damagedResult(file: String, reason: String)
  /// The folder belongs to something else.
  case foreignFolder(String)
  /// Steps could not be done, nor those that need them.
  case failed([StepFailure], blocked: Int)
  /// Processes at work on a folder ended before its steps were done.
  case workers(folder: String)
  /// A record's file has not what a section begins and ends with.
  case record(file: String, reason: String)

  /// Wrong usage, but for wrong data and failures.
  public var category: ErrorCategory {
    switch self {
    case .field, .unknownField, .unknownFit, .damagedResult, .record: .data
    case .unknownScale, .unknownExperiment, .unknownStep, .foreignFolder: .usage
    case .file(_, _, let category), .methodFile(_, _, let category): category
    case .unfinished, .failed, .workers: .failure
    }
  }

  /// One line that says what is wrong and what to do.
  public var description: String {
    switch self {
    case .field(let field, let expected): "the experiment's ‘\(field)’ should be \(expected)"
    case .unknownField(let field, let nearest):
      "an experiment has no field ‘\(field)’" + (nearest.map { "; did you mean ‘\($0)’?" } ?? "")
    case .unknownScale(let name, let known):
      "the experiment has no scale ‘\(name)’; it has \(known.joined(separator: ", "))"
    case .unknownExperiment(let name, let known):
      "‘\(name)’ is neither a file nor one of the experiments: \(known.joined(separator: ", "))"
    case .unfinished(let steps, let folder):
      "\(steps.count.counted("step")) \(steps.count == 1 ? "has" : "have") no result in \(folder) yet, such as \(steps[0]); "
        + "run the same command without --collect"
    case .unknownStep(let key):
      "there is no step ‘\(key)’; --dry-run lists them"
    case .damagedResult(let file, let reason):
      "\(file) is damaged (\(reason)); remove it, and its step is done anew"
    case .foreignFolder(let folder):
      "\(folder) has files but is no folder of results; name an empty or a new one with --output"
    case .unknownFit(let name, let known):
      "a method refers to ‘@\(name)’, but there is no such fit"
        + (known.isEmpty ? "" : "; there are \(known.joined(separator: ", "))")
    case .file(let file, let reason, _): "\(file): \(reason)"
    case .methodFile(let method, let reason, _): "the method \(method) can't be used: \(reason)"
    case .failed(let failures, let blocked):
      "\(failures.count.counted("step")) failed"
        + (blocked > 0 ? ", and \(blocked) that need them were not tried: " : ": ")
        + failures.map { "\($0.step): \($0.reason)" }.joined(separator: "; ")
    case .workers(let folder):
      "the workers on \(folder) ended before all steps were done; run the same command to continue"
    case .record(let file, let reason):
      "\(file) can't take a section: \(reason)"
    }
  }
}

/// A step that could not be done.
public struct StepFailure: Sendable, Hashable {
  /// What the step is called.
  public var step: String
  /// Why, in one line.
  public var reason: String

  /// A failure.
  public init(step: String, reason: String) {
    self.step = step
    self.reason = reason
  }
}
