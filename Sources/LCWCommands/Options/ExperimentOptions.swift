// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LCWCore
import LCWExperiments
import LCWNetworks

/// The options that put something in the place of what an experiment's description says.
struct ExperimentOptions: ParsableArguments {
  @Option(
    help: "The scale: paper for full size, or another that the experiment defines.",
    completion: .scales)
  var scale: String = ExperimentDescription.fullScale

  @Option(
    name: .shortAndLong, help: "A method to use instead of the experiment's; may be repeated.",
    completion: .methods)
  var method: [String] = []

  @Option(
    name: .customLong("methods"), parsing: .upToNextOption,
    help: "Like --method, several at once: --methods linear arc ot+wa.", completion: .methods)
  var moreMethods: [String] = []

  @Option(
    help: "A method to add to the experiment's, such as one of your own; may be repeated.",
    completion: .methods)
  var addMethod: [String] = []

  @Option(help: "The number of networks, instead of the experiment's.")
  var networks: Int?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Join the networks in these files instead of training some: nets/*.safetensors.",
      discussion: "Files of other programs must fit the experiment's architecture.",
      valueName: "files"), completion: .file())
  var from: [String] = []

  @Option(help: "The number of pairs, instead of the experiment's.")
  var pairs: Int?

  @Option(help: "Number of training epochs, instead of the experiment's.")
  var epochs: Int?

  func validate() throws {
    for (name, value) in [("pairs", pairs), ("epochs", epochs)] {
      if let value, value < 1 { throw ValidationError("--\(name) takes a positive number.") }
    }
    if !from.isEmpty, networks != nil || epochs != nil {
      throw ValidationError(
        "--from conflicts with --networks and --epochs: the files are trained networks."
      )
    }
    if let networks, !(2...1000).contains(networks) {
      throw ValidationError("--networks takes a number from 2 to 1000.")
    }
  }

  /// An option that was given: what it changes, and its words on a command line.
  private struct Change {
    var words: [String]
    var apply: (inout Experiment) throws -> Void
  }

  /// What the options change, in the order in which it is done: methods are added behind those that
  /// were put in the place of others.
  /// - Parameter place: How a file is called in the words.
  private func changes(_ place: (String) -> String = { $0 }) -> [Change] {
    var changes: [Change] = []
    func change(_ words: [String], _ apply: @escaping (inout Experiment) throws -> Void) {
      if !words.isEmpty { changes.append(Change(words: words, apply: apply)) }
    }
    func change<Value>(
      _ name: String, _ value: Value?, _ apply: @escaping (inout Experiment, Value) -> Void
    ) {
      if let value { change(["--\(name)", "\(value)"]) { apply(&$0, value) } }
    }
    let methods = method + moreMethods
    change(methods.flatMap { ["--method", $0] }) {
      $0.methods = try MethodExpression.distinct(methods)
    }
    let added = addMethod
    change(added.flatMap { ["--add-method", $0] }) {
      $0.methods = try MethodExpression.distinct($0.methods.map(\.description) + added)
    }
    change("networks", networks) { $0.networks = .trained($1) }
    change("pairs", pairs) { $0.pairLimit = $1 }
    change("epochs", epochs) { $0.training.epochs = $1 }
    let files = from
    change(files.isEmpty ? [] : ["--from"] + files.map(place)) { $0.networks = .files(files) }
    return changes
  }

  /// Whether methods or files come from the options: what is wrong with them is no fault of the
  /// description.
  var bringsInMethodsOrFiles: Bool { !(method + moreMethods + addMethod + from).isEmpty }

  /// An experiment with what the options put in its place.
  /// - Throws: ``ExperimentError`` if a field does not agree with others, and what a method throws that
  ///   can't be read.
  func applied(to experiment: Experiment) throws -> Experiment {
    let changed = try changes().reduce(into: experiment) { try $1.apply(&$0) }
    try changed.check()
    return changed
  }

  /// The words of a command line that give these options again, but for the scale.
  /// - Parameter place: How a file is called in them.
  func words(_ place: (String) -> String) -> [String] { changes(place).flatMap(\.words) }
}
