// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import LCWCore
import LCWFiles
import LCWNetworks
import LCWNumerics

/// `lcw train`
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Trains a network and writes it as a checkpoint.",
    discussion: """
      The defaults are those of the paper: SGD with momentum 0.9, weight decay 1e-4, batches of \
      128, learning rate falling from 0.01 to 0.0001. --resume continues an interrupted run; with \
      the same number of threads the result is identical to that of an uninterrupted one. With \
      --count or --seeds the output is a folder with one file per seed, DATASET-SEED.lcw; finished \
      networks are skipped and interrupted ones resumed.
      """ + CommandExamples.text(of: "train"))

  @Option(
    help: "The architecture, such as mlp:hidden=2000.",
    completion: .references(to: .architecture))
  var architecture: String

  @Option(help: "The data set, such as mnist.", completion: .references(to: .dataset))
  var dataset: String

  @Option(
    name: .shortAndLong, help: "The file to write, or the folder for several networks.",
    completion: .file())
  var output: String

  @Option(help: "Number of networks to train, with consecutive seeds from --seed on.")
  var count: Int?

  @Option(help: "Train a network for each seed, such as 1...20.", transform: seedRange)
  var seeds: ClosedRange<UInt64>?

  @Option(help: "Number of epochs.")
  var epochs: Int = 30

  @Option(
    help: "The seed of the initial weights, the order of samples, and augmentation.",
    transform: seedNumber)
  var seed: UInt64?

  @Option(help: "Batch size.")
  var batch: Int = 128

  @Option(name: [.long, .customLong("lr")], help: "The learning rate.")
  var rate: Double = 0.01

  @Option(
    help: "Learning-rate schedule: paper, constant, cosine, step:epochs=20,factor=0.9.",
    completion: .list(["paper", "constant", "cosine", "step:epochs=20,factor=0.9"]))
  var schedule: String = "paper"

  @Option(
    help: "sgd:momentum=0.9,decay=0.0001 or adam:beta1=0.9,beta2=0.999,decay=0.",
    completion: .list([
      "sgd", "sgd:momentum=0.9,decay=0.0001", "adam", "adam:beta1=0.9,beta2=0.999,decay=0",
    ]))
  var optimiser: String = "sgd"

  @Option(
    help: ArgumentHelp(
      "Scale factor of the initial weights.",
      discussion: "2.45 keeps the size of signals through many dense layers with ReLU."))
  var gain: Double = 1

  @Option(help: "Write a checkpoint every N epochs; 0 writes only the last.")
  var saveEvery: Int = 5

  @Flag(help: "Resume from the checkpoint in the output file, if there is one.")
  var resume = false

  @Flag(help: "Replace an existing output file.")
  var overwrite = false

  @Flag(help: "Show no progress.")
  var quiet = false

  @OptionGroup var compute: ComputeOptions

  /// The seeds of several networks; nothing for one network.
  private var severalSeeds: ClosedRange<UInt64>? {
    if let seeds { return seeds }
    let first = seed ?? 1
    return count.map { first...first + UInt64($0 - 1) }
  }

  func validate() throws {
    if let count, !(1...10_000).contains(count) {
      throw ValidationError("--count takes a number from 1 to 10000.")
    }
    if let count, let seeds, seeds.count != count {
      throw ValidationError("--count gives \(count) networks, but --seeds \(seeds.count).")
    }
    if seeds != nil, seed != nil {
      throw ValidationError("--seed and --seeds conflict.")
    }
    if let count, let seed, seed > UInt64.max - UInt64(count) {
      throw ValidationError("there are fewer than \(count) seeds from \(seed) on.")
    }
    if !(1...10_000).contains(epochs) {
      throw ValidationError("--epochs takes a number from 1 to 10000.")
    }
    if !(1...1 << 30).contains(batch) {
      throw ValidationError("--batch takes a number from 1 to 1073741824.")
    }
    if resume, overwrite { throw ValidationError("--resume and --overwrite conflict.") }
    if saveEvery < 0 { throw ValidationError("--save-every takes 0 or a positive number.") }
    if !(rate > 0 && rate.isFinite) { throw ValidationError("--rate takes a positive number.") }
    if !(gain > 0 && gain <= 1000) {
      throw ValidationError("--gain takes a positive number up to 1000.")
    }
  }

  func run() throws {
    let session = try Session(compute)
    let plan = TrainingPlan(
      epochs: epochs, batch: batch, rate: rate, schedule: try Schedule(schedule),
      rule: try OptimiserRule(optimiser), gain: gain, seed: seed ?? 0)
    var run = try TrainingRun(
      session: session, architecture: try PluginReference(architecture),
      dataset: try session.datasetReference(dataset), plan: plan)
    guard let severalSeeds else {
      return try train(run, to: output, existing: resume ? .resume : .refuse)
    }
    let name = run.dataset.name
    try OutputCheck.checkName(output)
    try Folder.make(URL(fileURLWithPath: output))
    for seed in severalSeeds {
      run.plan.seed = seed
      try train(run, to: "\(output)/\(name)-\(seed).lcw", existing: .resume)
    }
  }

  private func train(
    _ run: TrainingRun, to file: String, existing: TrainingRun.ExistingFile
  ) throws {
    let metrics = try run.train(
      output: file, saveEvery: saveEvery, existing: overwrite ? .replace : existing,
      isQuiet: quiet)
    try StandardOutput.line(
      "\(file)\(metrics.wasComplete ? " is complete" : ""): train accuracy \(String(metrics.train.accuracy * 100, decimals: 2)) %, "
        + "loss \(String(metrics.train.crossEntropy, decimals: 5)); "
        + "test accuracy \(String(metrics.test.accuracy * 100, decimals: 2)) %, "
        + "loss \(String(metrics.test.crossEntropy, decimals: 5))")
  }
}

/// The seeds that a text such as `1...20` or `7` means.
private func seedRange(_ text: String) throws -> ClosedRange<UInt64> {
  let ends = text.components(separatedBy: "...").map { UInt64($0) }
  guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
    first <= last, last - first < 10_000
  else {
    throw ValidationError("--seeds takes numbers such as 1...20, not ‘\(text)’.")
  }
  return first...last
}
