// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import LCWCore
import LCWExperiments
import LCWFiles
import LCWNumerics
import LCWReport

/// An experiment in a folder: planned, done, handed to a cluster, or gathered.
struct ExperimentRun {
  let experiment: ResolvedExperiment
  let session: Session
  let folder: URL
  let isQuiet: Bool
  /// The experiment's steps, made once: each has a digest.
  private let steps: [Step]
  /// The run whose processes share what has failed.
  private let run: String
  private let parent: ParentRun?

  /// - Parameter parent: The run of the process that started this one, if one did.
  init(
    experiment: ResolvedExperiment, session: Session, folder: URL, isQuiet: Bool,
    parent: ParentRun? = nil
  ) {
    self.experiment = experiment
    steps = experiment.steps
    self.session = session
    self.folder = folder
    self.isQuiet = isQuiet
    run = parent?.run ?? UUID().uuidString
    self.parent = parent
  }

  /// The process that started this one, and its run: `4711:5C0B…`.
  struct ParentRun: ExpressibleByArgument {
    var process: Int32
    var run: String

    init?(argument: String) {
      let parts = argument.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, let process = Int32(parts[0]) else { return nil }
      self.process = process
      run = String(parts[1])
    }
  }

  /// This program's file, to start more of it.
  static let program =
    URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path

  /// The processors there are.
  static var processors: Int { ProcessInfo.processInfo.activeProcessorCount }

  private func runner() throws -> StepRunner {
    let data = try session.data(given: "\(experiment.dataset)", recorded: nil).samples
    return try StepRunner(
      experiment, registry: session.registry, data: data, workers: session.workers,
      open: { [session] in try session.open($0.path) },
      openNetwork: { [session, experiment] in
        try session.network(
          in: $0.path, architecture: "\(experiment.architecture)",
          dataset: "\(experiment.dataset)")
      },
      write: { [session] in try session.write($0, to: $1.path) })
  }

  /// What an interruption leaves.
  private var outcome: String {
    "finished steps are kept in \(folder.path); run the same command to continue"
  }

  /// Does work that the user may end.
  private func interruptible(_ work: (InterruptionWatch) throws -> Void) throws {
    let watch = InterruptionWatch(parent: parent?.process)
    do { try withExtendedLifetime(watch) { try work(watch) } } catch is Interruption {
      throw Interruption(description: outcome)
    }
  }

  /// Does all steps.
  func finish() throws {
    let results = try ResultFolder(folder)
    try interruptible { watch in
      try setAsideDisbelieved(in: results, watch)
      guard steps.contains(where: { !results.isDone($0) }) else { return }
      try worker(results, watch).finish(steps)
    }
  }

  /// Does a step and what it needs.
  /// - Parameter text: The step's key, or its name; a pair's dash may be a hyphen.
  func finish(step text: String) throws {
    let named = { (step: Step) in
      step.key == text || step.name == text || step.name.replacing("–", with: "-") == text
    }
    guard let step = steps.first(where: named) else { throw ExperimentError.unknownStep(text) }
    let results = try ResultFolder(folder)
    try interruptible { watch in
      try setAsideDisbelieved(in: results, watch)
      guard !results.isDone(step) else { return }
      try worker(results, watch).finish(step, of: steps)
    }
  }

  /// Puts results aside that can't be believed, and says so: their steps are done anew. A process that
  /// another one started finds that done.
  private func setAsideDisbelieved(in results: ResultFolder, _ watch: InterruptionWatch) throws {
    guard parent == nil else { return }
    let found = try watch.leavingAtOnce(outcome) {
      results.disbelieved(steps, of: experiment, open: { [session] in try session.open($0.path) })
    }
    for result in found {
      try results.setAside(result.step)
      Console.printError("\(result.description), and is run again".asOneLine)
    }
  }

  private func worker(_ results: ResultFolder, _ watch: InterruptionWatch) throws -> Worker {
    let flag = watch.flag
    let outcome = outcome
    let line = SharedProgressLine(isQuiet: isQuiet, name: experiment.name)
    var runner = try watch.leavingAtOnce(outcome) { try self.runner() }
    runner.progress = { progress in
      guard !flag.isSet else { throw Interruption(description: outcome) }
      line.show(progress)
    }
    let printed = ProgressLine(isQuiet: isQuiet)
    runner.notice = { printed.print($0) }
    return Worker(
      runner, in: results, run: run,
      reports: Worker.Reports(
        done: { step, done, all, seconds in
          printed.print("[\(done)/\(all)] \(step.name)  \(String(seconds, decimals: 1)) s")
        }, failed: { printed.print("failed: \($0.step): \($0.reason)") },
        waiting: { printed.print($0) }),
      wait: {
        guard !flag.isSet else { throw Interruption(description: outcome) }
      })
  }

  /// Does all steps by several processes of this program.
  func finish(jobs: Int, command: [String]) throws {
    let results = try ResultFolder(folder)
    try interruptible { watch in
      try setAsideDisbelieved(in: results, watch)
      guard steps.contains(where: { !results.isDone($0) }) else { return }
      // What is wrong with the data or a plugin is told once, not by each process.
      _ = try watch.leavingAtOnce(outcome) { try runner() }
      let processes = try (0..<jobs).map { _ in
        let process = Process()
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments =
          Array(command.dropFirst()) + ["--worker", "--parent", "\(getpid()):\(run)"]
        try process.run()
        return process
      }
      follow(processes, in: results, watch)
      try watch.check(outcome)
      let left = results.left(of: steps, in: run)
      guard left.failures.isEmpty else {
        throw ExperimentError.failed(left.failures, blocked: left.blocked)
      }
      guard left.open.isEmpty else { throw ExperimentError.workers(folder: folder.path) }
    }
  }

  /// Tells what processes have done until they have ended, and ends them if the user asks to.
  private func follow(
    _ processes: [Process], in results: ResultFolder, _ watch: InterruptionWatch
  ) {
    let printed = ProgressLine(isQuiet: isQuiet)
    var known = Set(steps.filter(results.isDone).map(\.key))
    var failed: Set<StepFailure> = []
    var isEnding = false
    var lastWord = ContinuousClock.now
    while processes.contains(where: \.isRunning) {
      for step in steps where !known.contains(step.key) && results.isDone(step) {
        known.insert(step.key)
        lastWord = .now
        // Workers say nothing themselves.
        let result = (try? results.result(of: step))??.object
        let reason = result?["begun_anew"]?.string
        printed.print(
          ("[\(known.count)/\(steps.count)] \(step.name)"
            + (reason.map { "  (restarted, because of its state: \($0))" } ?? "")).asOneLine)
        for warning in result?["warnings"]?.array?.compactMap(\.string) ?? [] {
          printed.print("\(step.name): warning: \(warning)".asOneLine)
        }
      }
      let left = results.left(of: steps, in: run)
      for failure in left.failures where failed.insert(failure).inserted {
        printed.print("failed: \(failure.step): \(failure.reason)".asOneLine)
      }
      if .now - lastWord > .seconds(60) {
        lastWord = .now
        sayWhoIsWaitedFor(results.claimed(left.open), besides: processes, printed)
      }
      // Once: a process that is asked twice leaves at once, and its claims behind.
      if !isEnding, watch.isInterrupted {
        isEnding = true
        for process in processes where process.isRunning { process.terminate() }
      }
      Thread.sleep(forTimeInterval: 0.2)
    }
  }

  /// Says who else has claimed steps, for workers say nothing themselves.
  private func sayWhoIsWaitedFor(
    _ claimed: [(step: Step, holder: ClaimHolder)], besides processes: [Process],
    _ printed: ProgressLine
  ) {
    let own = Set(processes.map(\.processIdentifier))
    let others = claimed.filter { claim in !(claim.holder.process.map(own.contains) ?? false) }
    guard let first = others.first else { return }
    printed.print(
      "\(first.step.name) is \(first.holder.description)"
        + (others.count > 1 ? ", and \(others.count - 1) more by others too" : ""))
  }

  // MARK: Plan, cluster, results

  /// The steps, with what each will take.
  func planText() throws -> String {
    let results = try ResultFolder(folder, isMade: false)
    let runner = try runner()
    let undone = sayDisbelieved(in: results)
    let speed = StepRunner.measuredSpeed(workers: session.workers)
    var table = Table(columns: [
      .init("step"), .init("level", alignment: .number), .init("done"),
      .init("seconds", alignment: .number), .init("MB", alignment: .number), .init("key"),
    ])
    var (seconds, bytes, open) = (0.0, 0, 0)
    for step in steps {
      let estimate = try runner.estimate(step, speed: speed)
      let isDone = results.isDone(step) && !undone.contains(step.key)
      if !isDone {
        open += 1
        seconds += estimate.seconds
        bytes += estimate.bytes
      }
      table.append([
        .text(step.name), .integer(step.level), .text(isDone ? "yes" : "no"),
        .significant(estimate.seconds, digits: 2),
        .significant(Double(estimate.bytes) / 1e6, digits: 2), .text(step.key),
      ])
    }
    return table.text
      + "\n\n\(open) of \(steps.count) steps remain: some "
      + "\(Duration.seconds(min(seconds, 1e15)).shortText) at \(String(speed / 1e9, decimals: 0)) GFLOP/s in "
      + "\(session.workers.count.counted("thread")), and \(String(Double(bytes) / 1e6, decimals: 1)) MB in "
      + "\(folder.path)"
  }

  /// Says which results can't be believed, and gives their steps' keys; nothing is changed.
  private func sayDisbelieved(in results: ResultFolder) -> Set<String> {
    let found = results.disbelieved(
      steps, of: experiment, open: { [session] in try session.open($0.path) })
    for result in found { Console.printError(result.description.asOneLine) }
    return Set(found.map(\.step.key))
  }

  /// Writes job arrays for the steps that are to be done.
  func emitSlurm(command: [String]) throws {
    // What is wrong with the data or a plugin is told here, not by each task.
    _ = try runner()
    let results = try ResultFolder(folder)
    let undone = sayDisbelieved(in: results)
    let open = steps.filter { !results.isDone($0) || undone.contains($0.key) }
    let place = folder.appendingPathComponent("slurm")
    try SlurmArrays(
      steps: open, command: command, threads: session.workers.count,
      workingFolder: FileManager.default.currentDirectoryPath
    )
    .write(to: place)
    try StandardOutput.line(
      "\(place.path)/submit.sh: \(open.count.counted("step")) in "
        + "\(Set(open.map(\.level)).count.counted("array")); when they are done, run the same command with "
        + "--collect instead of --emit")
  }

  /// Writes tables and figures, and prints the main table.
  /// - Parameter command: The command for the record, for the threads that the steps had.
  func collect(command: (Set<Int>) -> String, record: String?) throws {
    let findings = Findings(
      of: experiment, in: try ResultFolder(folder, isMade: false),
      open: { [session] in try session.open($0.path) })
    for result in findings.disbelieved { Console.printError(result.description.asOneLine) }
    guard !findings.isEmpty else {
      throw ExperimentError.unfinished(
        steps: findings.missing.map(\.name), folder: folder.path)
    }
    let command = command(findings.threads)
    let place = folder.appendingPathComponent("results")
    try findings.write(to: place, command: command)
    if let record { try findings.writeRecord(to: URL(fileURLWithPath: record), command: command) }
    for (_, table) in findings.tables where !table.rows.isEmpty {
      try StandardOutput.text(table.text + "\n")
      break
    }
    try StandardOutput.line("\(place.path): tables, figures and report.html")
    guard findings.missing.isEmpty else {
      throw ExperimentError.unfinished(
        steps: findings.missing.map(\.name), folder: folder.path)
    }
  }
}
