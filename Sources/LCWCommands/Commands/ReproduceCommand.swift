// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import LCWCore
import LCWExperiments
import LCWFiles
import LCWNetworks
import LCWReport

/// `lcw reproduce`
struct ReproduceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reproduce",
    abstract: "Runs an experiment, from training to tables and figures.",
    discussion: """
      An experiment is one of those that come with the program (--list), or a JSON file that names \
      data set, architecture, training, pairs and methods. The result of each step is kept in the \
      output folder. Run the command again to continue after an interruption, or with more \
      methods, networks or pairs: nothing is computed twice. Several commands may work on one \
      folder at the same time. The figures are identical for the same --threads.
      """ + CommandExamples.text(of: "reproduce"))

  @Argument(help: "The name of an experiment, or a file.", completion: .experiments)
  var experiment: String?

  @Flag(help: "List the experiments that come with the program.")
  var list = false

  @OptionGroup var changes: ExperimentOptions

  @Option(
    name: .shortAndLong,
    help: "The folder of results. The default is the experiment's name and its scale.",
    completion: .directory)
  var output: String?

  @Option(help: "How many steps to run at the same time; they share the threads.")
  var jobs: Int = 1

  @Flag(help: "Show the steps with estimates of time and space, and run nothing.")
  var dryRun = false

  @Option(help: "Write the steps as job arrays for a cluster instead of running them: slurm.")
  var emit: Cluster?

  @Option(help: "Run only this step and those it needs; give its name or key.")
  var step: String?

  @Flag(help: "Only write tables and figures from the results that exist.")
  var collect = false

  @Option(
    help: ArgumentHelp(
      "Also write the experiment's section of a Markdown file, with figures in a folder beside it.",
      discussion: "Other experiments' sections and other text in the file are kept.",
      valueName: "file"), completion: .file(extensions: ["md"]))
  var record: String?

  @Flag(help: "Run steps, but write no tables and figures.")
  var worker = false

  @Option(help: .private)
  var parent: ExperimentRun.ParentRun?

  @Flag(help: "Show no progress.")
  var quiet = false

  @OptionGroup var compute: ComputeOptions

  /// The clusters that job arrays can be written for.
  enum Cluster: String, ExpressibleByArgument, CaseIterable {
    case slurm
  }

  func validate() throws {
    if experiment == nil, !list {
      throw ValidationError(
        "Name an experiment" + (changes.moreMethods.isEmpty ? "" : " before --methods")
          + ", or see what there is with --list.")
    }
    if !(1...1024).contains(jobs) { throw ValidationError("--jobs takes a number from 1 to 1024.") }
    let modes = [dryRun, emit != nil, step != nil, collect, worker].count { $0 }
    if modes > 1 {
      throw ValidationError("--dry-run, --emit, --step, --collect and --worker conflict.")
    }
    if emit != nil, jobs > 1 {
      throw ValidationError("--jobs conflicts with --emit: the cluster schedules the steps.")
    }
    if let record, !record.hasSuffix(".md") {
      throw ValidationError("--record takes a file that ends in .md.")
    }
    if record != nil, dryRun || emit != nil || step != nil || worker {
      throw ValidationError(
        "--record conflicts with --dry-run, --emit, --step and --worker, which write no results; "
          + "give it with --collect.")
    }
  }

  func run() throws {
    guard !list, let experiment else { return try printList() }
    try output.map(OutputCheck.checkName)
    let session = try Session(compute)
    let description = try inFile(experiment) { try ExperimentDescription(json(experiment)) }
    let described = try inFile(experiment) { try description.experiment(at: changes.scale) }
    // What options bring in is no fault of the file.
    let changed = try changes.applied(to: described)
    let resolve = {
      try ResolvedExperiment(
        changed, of: description, at: changes.scale, registry: session.registry)
    }
    let plan = changes.bringsInMethodsOrFiles ? try resolve() : try inFile(experiment, resolve)
    let run = ExperimentRun(
      experiment: plan, session: session,
      folder: URL(fileURLWithPath: output ?? plan.scaledName), isQuiet: quiet, parent: parent)
    try checkRecord(of: plan, resultsIn: run.folder)
    let workerCommand = try workerCommand(folder: run.folder)
    if dryRun {
      try StandardOutput.text(try run.planText())
    } else if emit != nil {
      try run.emitSlurm(command: workerCommand)
    } else if let step {
      try run.finish(step: step)
    } else if worker {
      do { try run.finish() } catch ExperimentError.failed where parent != nil {
        // The parent tells it, once for all of its workers.
        throw ExitCode.failure
      } catch is Interruption where parent != nil {
        throw ExitCode(130)
      }
    } else if collect {
      try run.collect(command: recordedCommand, record: record)
    } else {
      try finishAndCollect(run, workerCommand)
    }
  }

  /// Does the steps and writes what they found; what there is also if some have failed.
  private func finishAndCollect(_ run: ExperimentRun, _ workerCommand: [String]) throws {
    do {
      if jobs > 1 {
        try run.finish(jobs: jobs, command: workerCommand)
      } else {
        try run.finish()
      }
    } catch ExperimentError.failed(let failures, let blocked) {
      do { try run.collect(command: recordedCommand, record: record) } catch ExperimentError
        .unfinished
      {}
      throw ExperimentError.failed(failures, blocked: blocked)
    }
    try run.collect(command: recordedCommand, record: record)
  }

  /// What is wrong with the record's file is told before the work.
  private func checkRecord(of plan: ResolvedExperiment, resultsIn folder: URL) throws {
    guard let record else { return }
    try OutputCheck.check(record)
    let figures = Findings.figureFolder(
      of: URL(fileURLWithPath: record), named: plan.scaledName)
    for place in [figures, figures.deletingLastPathComponent()]
    where place.standardizedFileURL.path == folder.standardizedFileURL.path {
      throw SessionError.wrongUse(
        "\(place.path) would hold the record's figures and the results; name another --output")
    }
  }

  private func printList() throws {
    var table = Table(columns: [.init("experiment"), .init("title"), .init("scales")])
    for (name, bytes) in ExperimentDescription.included.sorted(by: { $0.key < $1.key }) {
      let description = try ExperimentDescription(JSONValue(parsing: bytes))
      table.append([
        .text(name), .text(description.whole.title),
        .text(description.scaleNames.joined(separator: ", ")),
      ])
    }
    try StandardOutput.text(table.text)
  }

  /// What work throws, with the experiment's file where there is one.
  private func inFile<Result>(_ name: String, _ work: () throws -> Result) throws -> Result {
    do { return try work() } catch let error as FileError { throw error } catch let error
      as any DescribedError
    {
      if ExperimentDescription.included[name] != nil { throw error }
      if case .unknownExperiment? = error as? ExperimentError { throw error }
      throw ExperimentError.file(name, reason: error.advice, category: error.category)
    }
  }

  private func json(_ name: String) throws -> JSONValue {
    if let bytes = ExperimentDescription.included[name] { return try JSONValue(parsing: bytes) }
    guard !name.lowercased().hasSuffix(".toml") else {
      throw ExperimentError.file(
        name, reason: "experiments are JSON; write its fields as a JSON object", category: .usage)
    }
    guard FileManager.default.fileExists(atPath: name) else {
      throw ExperimentError.unknownExperiment(
        name, known: ExperimentDescription.included.keys.sorted())
    }
    return try JSONValue(
      parsing: try InputFile.contents(of: URL(fileURLWithPath: name), limit: 1 << 24))
  }

  /// The words of a command that does this experiment's steps in the same folder.
  private func workerCommand(folder: URL) throws -> [String] {
    // A cluster's nodes have neither this folder nor, perhaps, this environment.
    var words = [ExperimentRun.program] + (try plugins).flatMap { ["--plugin", $0.path] }
    words += ["reproduce", absolute(experiment ?? ""), "--scale", changes.scale]
    words += changes.words { URL(fileURLWithPath: $0).path }
    words += ["--output", folder.path, "--quiet"]
    if let data = compute.data ?? ProcessInfo.processInfo.environment["LCW_DATA"], !data.isEmpty {
      words += ["--data", URL(fileURLWithPath: data).path]
    }
    return words + ["--threads", "\(threadsOfAStep)"]
  }

  /// The shared objects with plugins that this command has opened.
  private var plugins: [URL] {
    get throws {
      try PluginObject.files(
        arguments: CommandLine.arguments, environment: ProcessInfo.processInfo.environment)
    }
  }

  /// The threads that each step has when several are done at the same time.
  private var threadsOfAStep: Int {
    max(1, (compute.threads ?? ExperimentRun.processors) / jobs)
  }

  /// The command for the record, without places of this machine.
  /// - Parameter threads: Those that the steps had, where their results tell.
  private func recordedCommand(threads: Set<Int>) -> String {
    let objects = ((try? plugins) ?? []).flatMap { ["--plugin", $0.lastPathComponent] }
    func named(_ file: String) -> String {
      file.hasPrefix("/") ? URL(fileURLWithPath: file).lastPathComponent : file
    }
    var words = ["lcw"] + objects + ["reproduce", named(experiment ?? "")]
    if changes.scale != ExperimentDescription.fullScale { words += ["--scale", changes.scale] }
    words += changes.words(named)
    // The last bits of figures depend on the threads of a step, not on how many steps there are at a
    // time.
    if let known = threads.first, threads.count == 1 {
      words += ["--threads", "\(known)"]
    } else if threads.isEmpty, jobs > 1 || compute.threads != nil {
      words += ["--threads", "\(threadsOfAStep)"]
    }
    return shellCommand(words)
  }

  private func absolute(_ name: String) -> String {
    ExperimentDescription.included[name] == nil ? URL(fileURLWithPath: name).path : name
  }
}
