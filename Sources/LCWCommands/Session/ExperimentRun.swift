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
  let experiment: Experiment
  let session: Session
  let folder: URL
  let isQuiet: Bool
  /// The experiment's steps, made once: each has a digest.
  private let steps: [Step]
  /// The run whose processes share what has failed.
  private let run: String
  private let watch: InterruptionWatch

  /// - Parameter parent: The run of the process that started this one, if one did.
  init(
    experiment: Experiment, session: Session, folder: URL, isQuiet: Bool, parent: ParentRun? = nil
  ) {
    self.experiment = experiment
    steps = experiment.steps
    self.session = session
    self.folder = folder
    self.isQuiet = isQuiet
    run = parent?.run ?? UUID().uuidString
    watch = InterruptionWatch(parent: parent?.process)
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
      write: { [session] in try session.write($0, to: $1.path) })
  }

  /// Does all steps.
  func finish() throws {
    let results = try ResultFolder(folder)
    guard steps.contains(where: { !results.isDone($0) }) else { return }
    try worker(results).finish(steps)
  }

  /// Does a step and what it needs.
  /// - Parameter text: The step's key, or its name; a pair's dash may be a hyphen.
  func finish(step text: String) throws {
    let named = { (step: Step) in
      step.key == text || step.name == text || step.name.replacing("–", with: "-") == text
    }
    guard let step = steps.first(where: named) else { throw ExperimentError.unknownStep(text) }
    let results = try ResultFolder(folder)
    guard !results.isDone(step) else { return }
    try worker(results).finish(step, of: steps)
  }

  private func worker(_ results: ResultFolder) throws -> Worker {
    let flag = watch.flag
    let outcome = "what is done is kept in \(folder.path); the same command goes on"
    let line = SharedProgressLine(isQuiet: isQuiet, name: experiment.name)
    var runner = try runner()
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
          printed.print("[\(done)/\(all)] \(step.name)  \(fixed(seconds, 1)) s")
        }, failed: { printed.print("failed: \($0.step): \($0.reason)") }),
      wait: {
        guard !flag.isSet else { throw Interruption(description: outcome) }
      })
  }

  /// Does all steps by several processes of this program.
  func finish(jobs: Int, command: [String]) throws {
    let results = try ResultFolder(folder)
    guard steps.contains(where: { !results.isDone($0) }) else { return }
    // What is wrong with the data or a plugin is told once, not by each process.
    _ = try runner()
    let processes = try (0..<jobs).map { _ in
      let process = Process()
      process.executableURL = URL(fileURLWithPath: command[0])
      process.arguments =
        Array(command.dropFirst()) + ["--worker", "--parent", "\(getpid()):\(run)"]
      try process.run()
      return process
    }
    let printed = ProgressLine(isQuiet: isQuiet)
    var known = Set(steps.filter(results.isDone).map(\.key))
    var failed: Set<StepFailure> = []
    var isEnding = false
    while processes.contains(where: \.isRunning) {
      for step in steps where !known.contains(step.key) && results.isDone(step) {
        known.insert(step.key)
        // Workers say nothing themselves.
        let result = (try? results.result(of: step))??.object
        let reason = result?["begun_anew"]?.string
        printed.print(
          "[\(known.count)/\(steps.count)] \(step.name)"
            + (reason.map { "  (begun anew, because of its state: \($0))" } ?? ""))
        for warning in result?["warnings"]?.array?.compactMap(\.string) ?? [] {
          printed.print("\(step.name): warning: \(warning)")
        }
      }
      for failure in results.left(of: steps, in: run).failures
      where failed.insert(failure).inserted {
        printed.print("failed: \(failure.step): \(failure.reason)")
      }
      // Once: a process that is asked twice leaves at once, and its claims behind.
      if !isEnding, watch.isInterrupted {
        isEnding = true
        for process in processes where process.isRunning { process.terminate() }
      }
      Thread.sleep(forTimeInterval: 0.2)
    }
    guard !watch.isInterrupted else {
      throw Interruption(
        description: "what is done is kept in \(folder.path); the same command goes on")
    }
    let left = results.left(of: steps, in: run)
    guard left.failures.isEmpty else {
      throw ExperimentError.failed(left.failures, blocked: left.blocked)
    }
    guard left.open.isEmpty else { throw ExperimentError.workers(folder: folder.path) }
  }

  // MARK: Plan, cluster, results

  /// The steps, with what each will take.
  func planText() throws -> String {
    let results = try ResultFolder(folder, isMade: false)
    let runner = try runner()
    let speed = StepRunner.measuredSpeed(workers: session.workers)
    var table = Table(columns: [
      .init("step"), .init("level", alignment: .number), .init("done"),
      .init("seconds", alignment: .number), .init("MB", alignment: .number), .init("key"),
    ])
    var (seconds, bytes) = (0.0, 0)
    for step in steps {
      let estimate = try runner.estimate(step, speed: speed)
      let isDone = results.isDone(step)
      if !isDone {
        seconds += estimate.seconds
        bytes += estimate.bytes
      }
      table.append([
        .text(step.name), .integer(step.level), .text(isDone ? "yes" : "no"),
        .significant(estimate.seconds, digits: 2),
        .significant(Double(estimate.bytes) / 1e6, digits: 2), .text(step.key),
      ])
    }
    let open = steps.count { !results.isDone($0) }
    return table.text
      + "\n\n\(open) of \(steps.count) steps are to be done: some "
      + "\(Duration.seconds(seconds).shortText) at \(fixed(speed / 1e9, 0)) GFLOP/s in "
      + "\(session.workers.count) thread(s), and \(fixed(Double(bytes) / 1e6, 1)) MB in "
      + "\(folder.path)"
  }

  /// Writes job arrays for the steps that are to be done.
  func emitSlurm(command: [String]) throws {
    // What is wrong with the data or a plugin is told here, not by each task.
    _ = try runner()
    let results = try ResultFolder(folder)
    let open = steps.filter { !results.isDone($0) }
    let place = folder.appendingPathComponent("slurm")
    try SlurmArrays(
      steps: open, command: command, threads: session.workers.count,
      workingFolder: FileManager.default.currentDirectoryPath
    )
    .write(to: place)
    try StandardOutput.line(
      "\(place.path)/submit.sh: \(open.count) step(s) in "
        + "\(Set(open.map(\.level)).count) array(s); when they are done, run the same command with "
        + "--collect in the place of --emit")
  }

  /// Writes tables and figures, and prints the main table.
  /// - Parameter command: The command for the record, for the threads that the steps had.
  func collect(command: (Set<Int>) -> String, record: String?) throws {
    let findings = try Findings(of: experiment, in: try ResultFolder(folder, isMade: false))
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
