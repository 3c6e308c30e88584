// SPDX-License-Identifier: Apache-2.0
public import LCWCore

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

  /// What to do about steps and folders.
  public var remedy: Remedy? {
    switch self {
    case .unfinished: .finishSteps
    case .unknownStep: .listSteps
    case .foreignFolder: .nameOutput
    default: nil
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
      "\(steps.count.counted("step")) \(steps.count == 1 ? "has" : "have") no result in \(folder) yet, such as \(steps[0])"
    case .unknownStep(let key):
      "there is no step ‘\(key)’"
    case .damagedResult(let file, let reason):
      "\(file) is damaged (\(reason)); remove it, and its step is run again"
    case .foreignFolder(let folder):
      "\(folder) has files but is not a folder of results"
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
