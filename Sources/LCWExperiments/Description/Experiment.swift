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
  /// The title of tables and figures.
  public var title: String
  /// What the networks are trained on and measured with.
  public var dataset: PluginReference
  /// What the networks are.
  public var architecture: PluginReference
  /// How they are trained; network i has seed i.
  public var training: TrainingPlan
  /// The number of networks, numbered from 1.
  public var networks: Int
  /// The ways of joining them.
  public var methods: [MethodExpression]
  /// The number of pairs to join, in which the networks occur about equally often; all if there is
  /// none.
  public var pairLimit: Int?
  /// How paths are evaluated.
  public var evaluation: Evaluation
  /// The heads of the ensembles of all networks, in layers with weights; none if there are none.
  public var heads: [Int]
  /// The methods whose neurons in the middle of the first pair's path are shown.
  public var middles: [MethodExpression]
  /// The methods through whose middle a plane with the first pair is drawn.
  public var planes: [MethodExpression]
  /// Figures to stand beside those that are found.
  public var published: [String: PublishedFigures]
  /// The methods with all their options, where these are known: what results are kept under, so that
  /// they are not taken for those of a version with other defaults.
  public var completedMethods: [MethodExpression: MethodExpression] = [:]
  /// What is smaller than in the description at full scale, a sentence each.
  public var scaledDown: [String]

  /// How paths are evaluated.
  public struct Evaluation: Sendable, Hashable {
    /// The points of the grid on each unit of a path.
    public var points: Int
    /// Whether the worst points are looked for between those of the grid.
    public var refines: Bool
    /// The samples of each part of the data; all if there is no number.
    public var samples: Int?
  }

  /// The pairs to join, of networks numbered from 1: neighbours on a ring first, then those two
  /// apart and so on.
  public var pairs: [NetworkPair] {
    Array(NetworkPair.all(of: networks).prefix(pairLimit ?? .max))
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

  /// All pairs, neighbours on a ring first, then those two apart and so on, so that in any number
  /// of the first ones the networks occur about equally often.
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
  /// There is no step of a key.
  case unknownStep(String)
  /// A step's result is not what it should be.
  case damagedResult(file: String, reason: String)
  /// The folder belongs to something else.
  case foreignFolder(String)
  /// A step could not be done.
  case step(String, reason: String)

  /// Wrong usage, but for wrong data and failures.
  public var category: ErrorCategory {
    switch self {
    case .field, .unknownField, .damagedResult: .data
    case .unknownScale, .unknownExperiment, .unknownStep, .foreignFolder: .usage
    case .unfinished, .step: .failure
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
      "\(steps.count) step(s) have no result in \(folder) yet, such as \(steps[0]); "
        + "run the same command without --collect"
    case .unknownStep(let key):
      "there is no step ‘\(key)’; --dry-run lists them"
    case .damagedResult(let file, let reason):
      "\(file) is damaged (\(reason)); remove it, and its step is done anew"
    case .foreignFolder(let folder):
      "\(folder) has files but is no folder of results; name an empty or a new one with --output"
    case .step(let name, let reason): "\(name): \(reason)"
    }
  }
}
