// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWExperiments
import LCWNetworks
import LCWNumerics
import LCWPaths
import LCWReport
import Synchronization

/// Takes an input for an experiment's description, the result of a step, or the state of a computation,
/// and does with it what the commands do. It ends the process if something happens that must not; what
/// crashes, hangs or takes too much memory, libFuzzer itself notices.
struct RunHarness: Sendable {
  static let shared = RunHarness()

  private let registry: PluginRegistry
  private let format: any CheckpointFormat
  private let data: EvaluationData
  private let place: URL
  /// An experiment with steps of every kind, all of which are done.
  private let experiment: ResolvedExperiment
  private let folder: ResultFolder
  private let steps: [Step]
  /// States of computations that were interrupted.
  private let states: [Learning]
  private let networks: [Weights]

  /// A method that learns for long, and a state that it kept.
  private struct Learning: Sendable {
    var method: MethodExpression
    var isFit: Bool
    var state: Checkpoint
  }

  private init() {
    do {
      registry = try PluginRegistry.linked()
      format = try registry.format(PluginReference("lcw"))
      let digits = try registry.dataset(PluginReference("digits"))
      let samples = try digits.samples(.test, in: DataLocations(folders: [])).prefix(24)
      data = EvaluationData(train: samples, test: samples)
      place = FileManager.default.temporaryDirectory
        .appendingPathComponent("lcw-fuzz-runs-\(getpid())")
      let text = """
        {"name": "x", "dataset": "digits", "architecture": "mlp:hidden=3", "training": {"epochs": 1},
         "networks": 2, "points": 3, "samples": 12, "heads": [1], "middles": ["arc"],
         "planes": ["arc"], "methods": ["arc", "garipov:epochs=1", "flow:model=@nu"],
         "fits": [{"name": "nu", "method": "flow:epochs=1,layers=1", "networks": [7, 8]}]}
        """
      let description = try ExperimentDescription(JSONValue(parsing: Array(text.utf8)))
      experiment = try ResolvedExperiment(
        description.whole, of: description, registry: registry)
      folder = try ResultFolder(place)
      steps = experiment.steps
      let network = try registry.architecture(PluginReference("mlp:hidden=3"))
        .network(inputShape: digits.sampleShape, classes: digits.classes)
      networks = try (1...3).map { try Weights(randomFor: network, seed: UInt64($0)) }
      var states: [Learning] = []
      for (method, isFit) in [
        ("garipov:epochs=9", false), ("flow:epochs=9,layers=1", true),
        ("bijection:epochs=9,layers=1,steps=2", true),
      ] {
        let expression = try MethodExpression(method)
        let store = MemoryStore(nil, keeps: 2)
        try? RunHarness.learn(expression, isFit, registry, samples, networks, store)
        guard let state = store.kept else { RunHarness.stop("\(method) keeps no state") }
        states.append(Learning(method: expression, isFit: isFit, state: state))
      }
      self.states = states
      try Worker(
        try runner(of: experiment), in: folder, run: "seed",
        reports: Worker.Reports(
          done: { _, _, _, _ in }, failed: { RunHarness.stop("a step fails: \($0)") }), wait: {}
      ).finish(steps)
    } catch {
      RunHarness.stop("can't start: \(error)")
    }
  }

  /// Descriptions that come with the program, and the result and the state of each kind.
  func writeSeeds(to folder: URL) {
    func write(_ kind: Int, _ bytes: [UInt8], _ name: String) {
      FileManager.default.createFile(
        atPath: folder.appendingPathComponent(name).path, contents: Data([UInt8(kind)] + bytes))
    }
    for (name, bytes) in Experiment.included { write(0, bytes, name) }
    for (index, step) in steps.enumerated() {
      guard let result = try? self.folder.result(of: step) else { continue }
      write(1 + index, Array(result.compactText.utf8), step.folderName)
    }
    for (index, learning) in states.enumerated() {
      write(
        100 + index, Array(JSONValue.object(learning.state.metadata).compactText.utf8),
        "state-\(index)")
    }
  }

  /// Uses the bytes behind the first one, which says what they are.
  func examine(_ bytes: [UInt8]) {
    guard let kind = bytes.first else { return }
    let text = Array(bytes.dropFirst())
    do {
      switch Int(kind) {
      case 0: try describe(text)
      case let number where number <= steps.count: try believe(text, as: steps[number - 1])
      case let number where number >= 100: try resume(text, states[(number - 100) % states.count])
      default: return
      }
    } catch let error as any DescribedError {
      check(error.description)
    } catch is Enough {
      return
    } catch {
      RunHarness.stop("an error of another kind: \(error)")
    }
  }

  // MARK: What the commands do

  private func describe(_ text: [UInt8]) throws {
    let description = try ExperimentDescription(JSONValue(parsing: text))
    let described = description.whole
    // Files that an experiment names are its user's to open.
    let references =
      [described.architecture]
      + (described.methods + described.middles
      + described.planes + described.fits.map(\.method)).map(\.method)
    guard references.allSatisfy({ $0.options["file"] == nil && $0.options["model"]?.first != "/" })
    else { return }
    let experiment = try ResolvedExperiment(described, of: description, registry: registry)
    _ = experiment.scaledDown
    let steps = experiment.steps
    let runner = try runner(of: experiment)
    for step in steps.prefix(200) { _ = try runner.estimate(step, speed: 1e9) }
    _ = Findings(of: experiment, in: try ResultFolder(place, isMade: false)).isEmpty
  }

  private func believe(_ text: [UInt8], as step: Step) throws {
    let file = folder.folder(of: step).appendingPathComponent("result.json")
    let kept = try Data(contentsOf: file)
    defer { try? kept.write(to: file) }
    var bytes = text
    // With the right key, or nothing of it would be looked at.
    if var fields = (try? JSONValue(parsing: text))?.object {
      fields["key"] = .string(step.key)
      bytes = Array(JSONValue.object(fields).compactText.utf8)
    }
    try Data(bytes).write(to: file)
    let open: @Sendable (URL) throws -> any CheckpointSource = { [format] in try format.open($0) }
    let findings = Findings(of: experiment, in: folder, open: open)
    for result in findings.disbelieved { check(result.description.asOneLine) }
    for figure in findings.figures { _ = figure.picture.svg }
    for (_, table) in findings.tables { _ = [table.csv, table.latex(label: "x"), table.text] }
    _ = findings.markdown(command: "lcw", figuresFrom: ".")
    _ = findings.report(command: "lcw").html
  }

  private func resume(_ text: [UInt8], _ learning: Learning) throws {
    guard let changes = try JSONValue(parsing: text).object else { return }
    var state = learning.state
    state.metadata = changes
    let file = place.appendingPathComponent("state.lcw")
    try format.write(state, to: file)
    let read = try Checkpoint(reading: try format.open(file))
    try RunHarness.learn(
      learning.method, learning.isFit, registry, data.train, networks, MemoryStore(read, keeps: 1))
  }

  private func runner(of experiment: ResolvedExperiment) throws -> StepRunner {
    try StepRunner(
      experiment, registry: registry, data: data, workers: .serial,
      open: { [format] in try format.open($0) }, write: { [format] in try format.write($0, to: $1) }
    )
  }

  private static func learn(
    _ method: MethodExpression, _ isFit: Bool, _ registry: PluginRegistry, _ samples: SampleSet,
    _ networks: [Weights], _ store: MemoryStore
  ) throws {
    let context = ConnectionContext(samples: samples, workers: .serial, store: store)
    if isFit {
      guard let learner = try registry.method(method.method) as? any LearnableMethod else {
        stop("\(method) learns nothing")
      }
      _ = try learner.fit(to: networks, heldOut: [], in: context)
    } else {
      _ = try registry.connection(method).path(from: networks[0], to: networks[1], in: context)
    }
  }

  // MARK: What must not happen

  private func check(_ description: String) {
    if description.utf8.count > 10_000 { RunHarness.stop("a long description") }
  }

  private static func stop(_ finding: String) -> Never {
    FileHandle.standardError.write(Data("FINDING: \(finding)\n".utf8))
    abort()
  }
}

/// The work has gone on for long enough to tell.
private struct Enough: Error {}

/// A state in memory; ends the work once enough states were kept.
private final class MemoryStore: ConnectionStore {
  private let given: Checkpoint?
  private let keeps: Int
  private let states = Mutex<[Checkpoint]>([])

  init(_ given: Checkpoint?, keeps: Int) {
    self.given = given
    self.keeps = keeps
  }

  var kept: Checkpoint? { states.withLock { $0.last } }

  func restore() throws -> Checkpoint? { given }

  func keep(_ state: Checkpoint) throws {
    let count = states.withLock { states in
      states.append(state)
      return states.count
    }
    if count >= keeps { throw Enough() }
  }

  func discard() {}
}
