// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNetworks
import LCWNumerics
import LCWPaths

/// Training one network from a plan to a file.
struct TrainingRun {
  let session: Session
  let architecture: PluginReference
  let dataset: PluginReference
  /// The epochs and rates, and the seed, which differs between runs on the same data.
  var plan: TrainingPlan
  private let network: Network
  private let data: EvaluationData

  init(
    session: Session, architecture: PluginReference, dataset: PluginReference, plan: TrainingPlan
  ) throws {
    self.session = session
    self.dataset = dataset
    self.plan = plan
    let plugin = try session.data(dataset)
    let family = try session.registry.architecture(architecture)
    self.architecture = family.selfContained(architecture)
    network = try family.network(inputShape: plugin.sampleShape, classes: plugin.classes)
    data = try session.data(given: "\(dataset)", recorded: nil).samples
  }

  /// What to do with a file that is there already.
  enum ExistingFile {
    case resume, replace, refuse
  }

  /// What a run came to.
  struct Outcome {
    var train: Metrics
    var test: Metrics
    /// Whether the file had it already, and is as it was.
    var wasComplete = false
  }

  /// Trains, writes the checkpoint, and returns the final metrics. A file that is complete stays as
  /// it is if the run is to go on from it.
  /// - Throws: ``Interruption`` once a checkpoint is written from which the run can go on.
  func train(
    output: String, saveEvery: Int = 0, existing: ExistingFile = .refuse, isQuiet: Bool = false
  ) throws -> Outcome {
    let isThere = FileManager.default.fileExists(atPath: output)
    let file = try session.reserve(
      output, inputs: session.files(ofDataset: "\(dataset)"),
      existing: isThere || existing == .replace ? .replacedIfAlike : .refused)
    var trainer = try Trainer(network, plan: plan)
    if isThere {
      switch existing {
      case .refuse: throw SessionError.trainedAlready(file: output)
      case .replace: break
      case .resume:
        if let outcome = try completed(output) { return outcome }
        try trainer.resume(from: try session.open(output), origin: origin)
      }
    }
    try runEpochs(of: &trainer, output: file, saveEvery: saveEvery, isQuiet: isQuiet)
    let left =
      "\(output) holds all \(plan.epochs) epochs, but not its accuracy yet; run lcw train with the same "
      + "options and --resume to measure it"
    let runner = try Runner(network)
    let (train, test) = try InterruptionWatch().leavingAtOnce(left) {
      (
        try runner.evaluate(trainer.weights, on: data.train, workers: session.workers),
        try runner.evaluate(trainer.weights, on: data.test, workers: session.workers)
      )
    }
    do { try save(trainer, to: file, metrics: (train, test)) } catch is Interruption {
      throw Interruption(description: left)
    }
    return Outcome(train: train, test: test)
  }

  /// The figures of a file that holds the network that this run would come to, trained and measured;
  /// nothing if there is none, or it is not finished. With how many threads it was trained does not
  /// matter.
  /// - Throws: ``TrainingError/otherRun(field:expected:found:)`` if it is another run's.
  private func completed(_ output: String) throws -> Outcome? {
    var trainer = try Trainer(network, plan: plan)
    let source = try session.open(output)
    try trainer.resume(from: source, origin: origin.filter { $0.key != "threads" }, finished: true)
    guard trainer.isFinished, let figures = source.metadata["metrics"]?.object else { return nil }
    func metrics(_ part: String) -> Metrics? {
      guard let loss = figures["\(part)_loss"]?.double,
        let accuracy = figures["\(part)_accuracy"]?.double
      else { return nil }
      return Metrics(crossEntropy: loss, accuracy: accuracy)
    }
    guard let train = metrics("train"), let test = metrics("test") else { return nil }
    return Outcome(train: train, test: test, wasComplete: true)
  }

  private func runEpochs(
    of trainer: inout Trainer, output: ReservedOutput, saveEvery: Int, isQuiet: Bool
  ) throws {
    let watch = InterruptionWatch()
    var line = ProgressLine(isQuiet: isQuiet)
    let start = ContinuousClock.now
    let firstEpoch = trainer.epoch
    while !trainer.isFinished {
      do {
        try trainer.runEpoch(on: data.train, workers: session.workers) { progress in
          guard !watch.isInterrupted else { throw Interruption(description: "") }
          line.update(text(of: progress, since: start, firstEpoch: firstEpoch))
        }
      } catch is Interruption {
        line.clear()
        try stop(trainer, firstEpoch: firstEpoch, output: output)
      }
      line.print(summary(of: trainer, since: start, firstEpoch: firstEpoch))
      // The last epoch is saved before it is measured, so that measuring can be interrupted too.
      let isDue = saveEvery > 0 && trainer.epoch % saveEvery == 0
      guard isDue || trainer.isFinished else { continue }
      do { try save(trainer, to: output) } catch is Interruption {
        try stop(trainer, firstEpoch: firstEpoch, output: output)
      }
    }
  }

  private func stop(_ trainer: Trainer, firstEpoch: Int, output: ReservedOutput) throws -> Never {
    guard trainer.epoch > firstEpoch else {
      throw Interruption(
        description:
          "no epoch was finished, and \(output.path) is unchanged; run the same command again")
    }
    try save(trainer, to: output)
    throw Interruption(
      description:
        "\(output.path) holds \(trainer.epoch) of \(plan.epochs) epochs; run lcw train with the "
        + "same options and --resume to continue")
  }

  /// What else a checkpoint must have been made with for this run to go on from it.
  private var origin: [String: JSONValue] {
    var origin: [String: JSONValue] = [
      "architecture": .string("\(architecture)"), "dataset": .string("\(dataset)"),
      "threads": .integer(session.workers.count),
    ]
    origin[Trainer.precisionField] = MatrixPrecision.nameOnTiles.map(JSONValue.string)
    return origin
  }

  private func save(
    _ trainer: Trainer, to output: ReservedOutput, metrics: (train: Metrics, test: Metrics)? = nil
  ) throws {
    let known = try session.data(dataset)
    var record: [String: JSONValue] = [
      "command": .string(command),
      "preprocessing": .string(known.preprocessing),
      "program": .string(LCWVersion.program),
      "threads": .integer(session.workers.count),
    ]
    record[Trainer.precisionField] = MatrixPrecision.nameOnTiles.map(JSONValue.string)
    if let names = known.classNames {
      record[Session.classNamesField] = .array(names.map(JSONValue.string))
    }
    if let metrics {
      record["metrics"] = .object([
        "test_accuracy": JSONValue(metrics.test.accuracy),
        "test_loss": JSONValue(metrics.test.crossEntropy),
        "train_accuracy": JSONValue(metrics.train.accuracy),
        "train_loss": JSONValue(metrics.train.crossEntropy),
      ])
    }
    try output.write(
      trainer.checkpoint(architecture: architecture, dataset: dataset, more: record))
  }

  // The command without the names of files, so that equal runs give equal archives.
  private var command: String {
    var words = plan.settings.filter(\.isWritten).map { "--\($0.name) \($0.text)" }
    // Where it has always been: equal runs of several versions have one record.
    words.insert("--seed \(plan.seed)", at: 1)
    return "lcw train --architecture \(architecture) --dataset \(dataset) "
      + words.joined(separator: " ")
  }

  private func text(
    of progress: Trainer.Progress, since start: ContinuousClock.Instant, firstEpoch: Int
  ) -> String {
    let (rate, left) = speed(
      samples: (progress.epoch - firstEpoch) * data.train.count + progress.samples,
      firstEpoch: firstEpoch, since: start)
    return "epoch \(progress.epoch + 1)/\(plan.epochs)  "
      + "\(progress.samples * 100 / data.train.count) %  "
      + "loss \(String(progress.metrics.crossEntropy, decimals: 4))  "
      + "accuracy \(String(progress.metrics.accuracy * 100, decimals: 2)) %  \(rate)/s  \(left) left"
  }

  private func summary(
    of trainer: Trainer, since start: ContinuousClock.Instant, firstEpoch: Int
  ) -> String {
    let (rate, left) = speed(
      samples: (trainer.epoch - firstEpoch) * data.train.count, firstEpoch: firstEpoch,
      since: start)
    let metrics = trainer.history.last ?? Metrics(crossEntropy: .nan, accuracy: .nan)
    return
      "epoch \(trainer.epoch)/\(plan.epochs)  loss \(String(metrics.crossEntropy, decimals: 4))  "
      + "accuracy \(String(metrics.accuracy * 100, decimals: 2)) %  \(rate)/s  \(left) left"
  }

  private func speed(
    samples: Int, firstEpoch: Int, since start: ContinuousClock.Instant
  ) -> (rate: Int, left: String) {
    let seconds = (ContinuousClock.now - start).seconds
    let rate = Double(samples) / max(seconds, 1e-9)
    let rest = Double(plan.epochs - firstEpoch) * Double(data.train.count) - Double(samples)
    return (Int(rate), Duration.seconds(rest / max(rate, 1e-9)).shortText)
  }
}
