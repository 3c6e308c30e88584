// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import LCWCore
import LCWFiles
import LCWNetworks
import LCWPaths

/// `lcw ensemble`
struct EnsembleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ensemble",
    abstract: "Builds an ensemble of networks that share their first layers.",
    discussion: """
      All members use the first network's layers up to the head. Least squares adjusts the first \
      layer of every other head to these shared layers. The ensemble averages the heads' class \
      probabilities. A head of all layers gives the independent ensemble. The command prints the \
      accuracy for each number of networks, next to that of the independent ensemble. --head may \
      be repeated.
      """ + CommandExamples.text(of: "ensemble"))

  @Argument(help: "The networks; the first gives the backbone.", completion: .file())
  var networks: [String]

  @Option(help: "Number of weight layers in the head, from 1 to all; may be repeated.")
  var head: [Int] = [1]

  @Option(
    name: .shortAndLong, help: "The archive to write; only with one head.", completion: .file())
  var output: String?

  @Option(help: "Write a report with the figure, one HTML file.", completion: .file())
  var report: String?

  @Option(help: "Output format.")
  var format: OutputFormat = .table

  @Option(help: "Measure on only the first N training and N test samples.")
  var samples: Int?

  @Flag(help: "Show no progress.")
  var quiet = false

  @OptionGroup var overwriting: OverwriteOption
  @OptionGroup var adjustment: AdjustmentArguments
  @OptionGroup var foreign: ForeignOptions
  @OptionGroup var reading: ReadingOptions
  @OptionGroup var compute: ComputeOptions

  func validate() throws {
    if networks.count < 2 { throw ValidationError("Name two networks or more.") }
    if output != nil, head.count > 1 {
      throw ValidationError("--output takes the ensemble of one head; you gave \(head.count).")
    }
    if let samples, samples < 1 {
      throw ValidationError("--samples takes a positive number.")
    }
  }

  func run() throws {
    try StandardInput.check(networks)
    let session = try Session(compute, reading)
    let file = try output.map {
      try session.reserve(
        $0, holding: .ensemble, inputs: networks + session.files(ofDataset: foreign.dataset),
        existing: overwriting.overwrite ? .replacedIfAlike : .refused)
    }
    try OutputCheck.checkReport(report)
    let loaded = try networks.map {
      try session.network(in: $0, architecture: foreign.architecture, dataset: foreign.dataset)
    }
    try session.requireOneNetwork(loaded, files: networks)
    let weights = loaded.map(\.weights)
    let all = weights[0].network.weightedLayers.count
    // A head that can't be is told before anything is computed.
    for head in head where head < 1 || head > all {
      throw EnsembleError.noSuchHead(head, weightedLayers: all)
    }
    session.warnOfOtherData(loaded, files: networks, given: foreign.dataset)
    let data = try session.data(
      given: foreign.dataset, recorded: loaded[0].dataset, in: networks[0])
    try session.require(data.samples, fit: loaded[0], in: networks[0])
    let evaluated = EvaluationData(
      train: samples.map(data.samples.train.prefix) ?? data.samples.train,
      test: samples.map(data.samples.test.prefix) ?? data.samples.test)
    var study = EnsembleStudy(
      command: commandLineText(),
      samples: try session.preparation(
        of: data.reference, measuring: data.samples, limit: samples))
    var heads: [Int] = []
    for head in head + [all] where !heads.contains(head) { heads.append(head) }
    let progress = ProgressLine(isQuiet: quiet)
    for (index, head) in heads.enumerated() {
      progress.print(
        "ensemble \(index + 1)/\(heads.count): a head of \(head.counted("layer")) of \(all)")
      let ensemble = try Ensemble(
        of: weights, head: head, samples: data.samples.train, options: adjustment.options,
        workers: session.workers)
      let train = try ensemble.evaluate(on: evaluated.train, workers: session.workers)
      let test = try ensemble.evaluate(on: evaluated.test, workers: session.workers)
      // The figures are of one member, of two and so on: the first that is no number is one's making.
      for (name, metrics) in zip(networks, zip(train, test)) {
        try SessionError.requireFinite(metrics.0, metrics.1, of: name)
      }
      study.entries.append(EnsembleStudy.Entry(ensemble: ensemble, train: train, test: test))
      if let file, head == self.head[0] {
        let archive = EnsembleArchive(
          ensemble: ensemble, architecture: loaded[0].architecture, dataset: data.reference,
          record: ["program": .string(LCWVersion.program)])
        try file.write(archive.checkpoint)
      }
    }
    try StandardOutput.text(study.text(as: format), terminator: format.terminator)
    if let report { try study.writeReport(to: report) }
  }
}
