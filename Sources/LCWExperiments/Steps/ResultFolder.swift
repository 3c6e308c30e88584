// SPDX-License-Identifier: Apache-2.0
public import Foundation
public import LCWCore
import LCWFiles

/// A folder that keeps the results of steps, shared by any number of workers.
///
/// Each step has a folder of its own below `steps`, whose `result.json` is written last and at once:
/// a step is done when it is there. What is removed is run again.
public struct ResultFolder: Sendable {
  /// The folder.
  public let url: URL

  /// A folder.
  /// - Parameter isMade: Whether it is made if it is not there.
  /// - Throws: ``ExperimentError/foreignFolder(_:)`` if it has files of something else, and
  ///   `FileError` if it can't be made.
  public init(_ url: URL, isMade: Bool = true) throws {
    self.url = url
    guard ResultFolder.isOwn(url) else { throw ExperimentError.foreignFolder(url.path) }
    guard isMade else { return }
    // The folder itself may be a link: the user named it.
    try Folder.make(url)
    try OwnFolder.make(url.appendingPathComponent(ResultFolder.stepsName))
    let marker = url.appendingPathComponent(ResultFolder.markerName)
    if !FileManager.default.fileExists(atPath: marker.path) {
      try OwnFolder.write("A folder of results of lcw reproduce.\n", to: marker)
    }
  }

  private static let stepsName = "steps"
  private static let markerName = ".lcw-results"

  /// Whether a folder is empty or not there, says that it is one of results, or has steps' folders
  /// and no others below `steps`, as those of versions that left no marker have.
  private static func isOwn(_ url: URL) -> Bool {
    func names(_ place: URL) -> [String] {
      ((try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? [])
    }
    let found = names(url)
    if found.contains(markerName) { return true }
    let visible = found.filter { !$0.hasPrefix(".") }
    guard visible != [] else { return true }
    guard visible.contains(stepsName) else { return false }
    let steps = names(url.appendingPathComponent(stepsName)).filter { !$0.hasPrefix(".") }
    return steps.isEmpty ? visible == [stepsName] : steps.allSatisfy(Step.isFolderName)
  }

  /// The folder of a step.
  public func folder(of step: Step) -> URL {
    url.appendingPathComponent(ResultFolder.stepsName).appendingPathComponent(step.folderName)
  }

  /// The file of weights that a step makes beside its result: a network, a model or a path.
  public func product(of step: Step) -> URL? {
    let name: String? =
      switch step.work {
      case .train, .open: "network.lcw"
      case .fit: "model.lcw"
      case .learn: "path.lcw"
      case .connect, .ensemble, .middles, .plane: nil
      }
    return name.map(folder(of: step).appendingPathComponent)
  }

  /// The file of a computation that is not finished.
  func state(of step: Step) -> URL { folder(of: step).appendingPathComponent("state.lcw") }

  private func resultFile(of step: Step) -> URL {
    folder(of: step).appendingPathComponent("result.json")
  }

  /// A file for each run, so that runs that share a folder do not take each other's notes away and
  /// try what has failed again and again.
  private func failureFile(of step: Step, in run: String) -> URL {
    let digest = SHA256.hexDigest(of: Array(run.utf8)).prefix(16)
    return folder(of: step).appendingPathComponent("\(ResultFolder.failurePrefix)\(digest)")
  }

  private static let failurePrefix = "failure-"

  /// Whether a step has a result, and the file of weights that belongs to it.
  public func isDone(_ step: Step) -> Bool {
    let files = FileManager.default
    if let product = product(of: step), !files.fileExists(atPath: product.path) { return false }
    return files.fileExists(atPath: resultFile(of: step).path)
  }

  /// A step's result, if there is one.
  /// - Throws: ``ExperimentError/damagedResult(file:reason:)``.
  public func result(of step: Step) throws -> JSONValue? {
    let file = resultFile(of: step)
    guard isDone(step) else { return nil }
    let value: JSONValue
    do {
      value = try JSONValue(
        parsing: try InputFile.contents(of: file, limit: ResultLimits.bytes),
        limits: JSONLimits(values: ResultLimits.values))
    } catch {
      throw ExperimentError.damagedResult(file: file.path, reason: "\(error)")
    }
    guard value.object?["key"]?.string == step.key else {
      throw ExperimentError.damagedResult(file: file.path, reason: "it is another step's")
    }
    return value
  }

  /// What there is of a step.
  enum Standing {
    case missing
    /// A result is there, but it, or the weights beside it, can't be this step's.
    case disbelieved(reason: String)
    case done(StepRecord, Finding)
  }

  /// What there is of a step, and whether it can be believed.
  /// - Parameter open: Reads weights, to look whether they are the step's; they are not looked at if
  ///   there is none.
  func standing(
    of step: Step, in experiment: ResolvedExperiment,
    open: (@Sendable (URL) throws -> any CheckpointSource)?
  ) -> Standing {
    do {
      guard let result = try result(of: step) else { return .missing }
      if let open, let product = product(of: step) {
        try ProductCheck(experiment).check(try open(product), of: step, file: product)
      }
      return .done(try StepRecord(result), try Finding(result, of: step))
    } catch let problem as ResultProblem {
      return .disbelieved(reason: "\(resultFile(of: step).path): \(problem.reason)")
    } catch let ExperimentError.damagedResult(file, reason) {
      return .disbelieved(reason: "\(file): \(reason)")
    } catch {
      return .disbelieved(reason: "\(error)")
    }
  }

  /// The steps whose results can't be believed.
  public func disbelieved(
    _ steps: [Step], of experiment: ResolvedExperiment,
    open: @escaping @Sendable (URL) throws -> any CheckpointSource
  ) -> [DisbelievedResult] {
    steps.compactMap { step in
      guard case .disbelieved(let reason) = standing(of: step, in: experiment, open: open) else {
        return nil
      }
      return DisbelievedResult(step: step, reason: reason)
    }
  }

  /// Puts a step's result aside, so that the step is run again. It stays in the step's folder, for
  /// whoever wants to see what it said.
  /// - Throws: `FileError` if it can't be renamed.
  public func setAside(_ step: Step) throws {
    let file = resultFile(of: step)
    var aside = folder(of: step).appendingPathComponent("result-not-believed.json")
    var status = stat()
    if lstat(aside.path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
      // What was put aside before was a folder, which nothing else can take the place of.
      aside = folder(of: step)
        .appendingPathComponent("result-not-believed-\(UUID().uuidString).json")
    }
    // Another worker may have been faster.
    guard rename(file.path, aside.path) != 0, errno != ENOENT else { return }
    throw FileError.failed(
      operation: "put aside", file: file.path, reason: String(cString: strerror(errno)))
  }

  /// Keeps a step's result, and what it took.
  func keep(
    _ result: [String: JSONValue], of step: Step, seconds: Double, threads: Int
  ) throws {
    let whole = result.merging([
      "key": .string(step.key), "machine": .string(MachineDescription.current),
      "name": .string(step.name),
      "program": .string(LCWVersion.program),
      "seconds": JSONValue(seconds), "threads": .integer(threads), "worker": .string(Claim.owner),
    ]) { $1 }
    try OwnFolder.write(JSONValue.object(whole).prettyText + "\n", to: resultFile(of: step))
    try? FileManager.default.removeItem(at: state(of: step))
    let place = folder(of: step)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []
    for name in names where name.hasPrefix(ResultFolder.failurePrefix) {
      try? FileManager.default.removeItem(at: place.appendingPathComponent(name))
    }
  }

  /// Why a step could not be done in a run, if it was tried and could not.
  public func failure(of step: Step, in run: String) -> StepFailure? {
    guard let text = try? String(contentsOf: failureFile(of: step, in: run), encoding: .utf8),
      text.hasPrefix(run + "\n")
    else { return nil }
    return StepFailure(step: step.name, reason: String(text.dropFirst(run.count + 1)))
  }

  /// Keeps why a step could not be done, so that no other worker of the run tries it too.
  func keep(_ failure: StepFailure, of step: Step, in run: String) throws {
    try OwnFolder.write("\(run)\n\(failure.reason)", to: failureFile(of: step, in: run))
  }
}
