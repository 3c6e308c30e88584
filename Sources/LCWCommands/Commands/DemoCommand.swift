// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import LCWCore
import LCWFiles
import LCWNetworks
import LCWPaths

/// `lcw demo`
struct DemoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: """
      Trains two networks on the embedded digits and connects them by every method that needs no \
      fitted model.
      """,
    discussion: """
      Everything is written into one folder: the two networks, the path of each method, and a \
      report to open in a browser.
      """ + CommandExamples.text(of: "demo"))

  @Option(
    name: .shortAndLong, help: "The folder to write to; it is created if it does not exist.",
    completion: .directory)
  var output = "demo"

  @Option(help: "Number of hidden units.")
  var hidden = 30

  @Option(help: "Number of epochs.")
  var epochs = 30

  @Flag(help: "Show no progress.")
  var quiet = false

  @OptionGroup var compute: ComputeOptions

  func validate() throws {
    if hidden < 1 { throw ValidationError("--hidden takes a positive number.") }
    if epochs < 1 { throw ValidationError("--epochs takes a positive number.") }
  }

  func run() throws {
    let session = try Session(compute)
    let methods = try methods(session)
    try takeFolder(for: ["a", "b"] + methods.map { "\($0)" })
    let networks = try [1, 2].map { seed in try train(seed: seed, session) }
    let (dataset, data) = try session.data(given: nil, recorded: networks[0].dataset)
    var study = ConnectionStudy(command: commandLineText(), seedNote: nil)
    study.samples = try session.preparation(of: dataset)
    study.network = "\(networks[0].weights.network)"
    let joining = PathJoining(
      session: session, samples: data.train, seed: 0, isQuiet: quiet)
    for method in methods {
      let (path, seconds) = try joining.path(
        networks[0], networks[1], by: method, files: ("\(output)/a.lcw", "\(output)/b.lcw"))
      let archive = try joining.archive(
        path, method: method, networks[0], networks[1],
        dataset: networks[0].dataset)
      try session.write(archive.checkpoint, to: "\(output)/\(method).lcw")
      study.entries.append(
        try ConnectionStudy.Entry(
          name: "\(method)", path: path, traits: session.registry.connection(method).traits,
          evaluator: joining.evaluator(.structured, for: "\(method)"), data: data,
          options: EvaluationOptions.parse([]), connectSeconds: seconds))
    }
    try StandardOutput.text(study.shortText)
    try study.writeReport(to: "\(output)/report.html")
    try StandardOutput.text(closing)
  }

  /// Every method by itself and with every modifier that moves layer by layer, if it can, but for those
  /// that join by a model, which two networks are too few to fit.
  private func methods(_ session: Session) throws -> [MethodExpression] {
    let modifiers = session.registry.plugins(of: .modifier).filter {
      $0 is any ConnectionModifier.Type
    }
    let methods = session.registry.plugins(of: .method)
    return methods.filter { !($0 is any LearnableMethod.Type) }.flatMap { method in
      let reference = PluginReference(name: method.name)
      let modified = modifiers.filter { _ in method is any LayerwiseMethod.Type }.map {
        MethodExpression(reference, modifier: PluginReference(name: $0.name))
      }
      return [MethodExpression(reference)] + modified
    }
  }

  private func train(seed: UInt64, _ session: Session) throws -> TrainedNetwork {
    let file = "\(output)/\(seed == 1 ? "a" : "b").lcw"
    let run = try TrainingRun(
      session: session, architecture: try PluginReference("mlp:hidden=\(hidden)"),
      dataset: try PluginReference("digits"),
      plan: TrainingPlan(epochs: epochs, batch: 32, rate: 0.05, seed: seed))
    let metrics = try run.train(
      output: file, existing: .replace, isQuiet: quiet || !Console.isTerminal)
    try StandardOutput.line(
      "trained \(file): \(String(metrics.train.accuracy * 100, decimals: 2)) % on the training digits, "
        + "\(String(metrics.test.accuracy * 100, decimals: 2)) % on the test digits")
    return try session.network(in: file)
  }

  /// Makes the folder, or takes that of an earlier demo, which its marker tells; weights in any other
  /// folder are somebody's.
  private func takeFolder(for names: [String]) throws {
    try OutputCheck.checkName(output)
    let folder = URL(fileURLWithPath: output)
    let marker = folder.appendingPathComponent(".lcw-demo")
    let manager = FileManager.default
    if !manager.fileExists(atPath: marker.path) {
      for file in names.map({ "\($0).lcw" }) + ["report.html"]
      where manager.fileExists(atPath: folder.appendingPathComponent(file).path) {
        throw SessionError.wrongUse(
          "\(output)/\(file) already exists and was not made by a demo; name another folder")
      }
    }
    try Folder.make(folder)
    for file in names.map({ "\($0).lcw" }) + ["report.html"] {
      // What is written is the demo's own; a link would lead it elsewhere.
      let place = folder.appendingPathComponent(file).path
      if (try? manager.destinationOfSymbolicLink(atPath: place)) != nil { unlink(place) }
    }
    try AtomicFile.write(
      Array("A folder of lcw demo, which may write it anew.\n".utf8), to: marker, links: .replaced)
  }

  private var closing: String {
    let program = CommandLine.arguments[0]
    return """

      The report is \(output)/report.html. What to try next:
        \(program) plugins
          lists methods, architectures, data sets and formats with their options
        \(program) inspect \(output)/a.lcw
          shows what a file holds
        \(program) export \(output)/arc.lcw --at middle -o middle.lcw
          writes the middle of a path
        \(program) train --architecture mlp:hidden=2000 --dataset mnist --seed 1 -o a.lcw
          trains on MNIST, once its four files are in ./data/mnist
      """
  }
}
