// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import LCWCore
import LCWNetworks
import LCWNumerics

/// `lcw train`
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Trains a network and writes it as a checkpoint.",
    discussion: """
      The defaults are those of the paper: SGD with momentum 0.9, weight decay 1e-4, batches of \
      128, a rate of 0.01 that falls to a hundredth. A run that was interrupted goes on with \
      --resume, with as many threads, to the same bits as one that was not.
      """)

  @Option(help: "The architecture, such as mlp:hidden=2000.")
  var architecture: String

  @Option(help: "The data set, such as mnist.")
  var dataset: String

  @Option(name: .shortAndLong, help: "The file to write.")
  var output: String

  @Option(help: "The passes over the training samples.")
  var epochs: Int = 30

  @Option(help: "The seed of the initial weights, the order of samples, and augmentation.")
  var seed: UInt64 = 0

  @Option(help: "The samples of a step.")
  var batch: Int = 128

  @Option(help: "The learning rate.")
  var rate: Double = 0.01

  @Option(help: "How the rate changes: paper, constant, cosine, step:epochs=20,factor=0.9.")
  var schedule: String = "paper"

  @Option(help: "sgd:momentum=0.9,decay=0.0001 or adam:beta1=0.9,beta2=0.999,decay=0.")
  var optimiser: String = "sgd"

  @Option(help: "Write a checkpoint after every so many epochs; 0 for the last only.")
  var saveEvery: Int = 5

  @Flag(help: "Go on from the checkpoint in the output file, if it is there.")
  var resume = false

  @Flag(help: "Replace the output file, if it is there.")
  var overwrite = false

  @Flag(help: "Show no progress.")
  var quiet = false

  @OptionGroup var compute: ComputeOptions

  func validate() throws {
    if !(1...10_000).contains(epochs) {
      throw ValidationError("--epochs takes a number from 1 to 10000.")
    }
    if !(1...1 << 30).contains(batch) {
      throw ValidationError("--batch takes a number from 1 to 1073741824.")
    }
    if resume, overwrite { throw ValidationError("--resume and --overwrite exclude each other.") }
    if saveEvery < 0 { throw ValidationError("--save-every takes 0 or a positive number.") }
    if !(rate > 0 && rate.isFinite) { throw ValidationError("--rate takes a positive number.") }
  }

  func run() throws {
    let session = try Session(compute)
    let plan = TrainingPlan(
      epochs: epochs, batch: batch, rate: rate, schedule: try Schedule(schedule),
      rule: try OptimiserRule(optimiser), seed: seed)
    let run = try TrainingRun(
      session: session, architecture: try PluginReference(architecture),
      dataset: try PluginReference(dataset), plan: plan)
    let metrics = try run.train(
      output: output, saveEvery: saveEvery,
      existing: resume ? .resume : overwrite ? .replace : .refuse, isQuiet: quiet)
    print(
      "\(output): train accuracy \(fixed(metrics.train.accuracy * 100, 2)) %, "
        + "loss \(fixed(metrics.train.crossEntropy, 5)); "
        + "test accuracy \(fixed(metrics.test.accuracy * 100, 2)) %, "
        + "loss \(fixed(metrics.test.crossEntropy, 5))")
  }
}
