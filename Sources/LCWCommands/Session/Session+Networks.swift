// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWNetworks
import LCWNumerics
import LCWPaths

extension Session {
  /// The network of a file. A foreign file, which names no network, needs an architecture given, and
  /// a data set for the shape of the samples; one that names its own keeps it.
  ///
  /// - Throws: An error that names the file, where it holds no network or one that nothing can be
  ///   computed with.
  func network(
    in path: String, architecture: String? = nil, dataset: String? = nil
  ) throws -> TrainedNetwork {
    try network(of: try open(path), path: path, architecture: architecture, dataset: dataset)
  }

  /// The network of an opened file, as ``network(in:architecture:dataset:)``.
  func network(
    of source: any CheckpointSource, path: String, architecture: String? = nil,
    dataset: String? = nil
  ) throws -> TrainedNetwork {
    if let own = try ownNetwork(of: source, path: path, architecture: architecture) {
      try requireUsable(own.weights, in: path) { own.weights.network.parameters[$0].name }
      return own
    }
    let bound = try bind(source, path: path, architecture: architecture, dataset: dataset)
    if isSearched(architecture) {
      Console.printError("note: \(path): the tensors fit \(bound.architecture)".asOneLine)
    }
    let weights = try inFile(path) { try bound.binding.weights(of: bound.network, from: source) }
    try requireUsable(weights, in: path) { bound.binding.names[$0] }
    return TrainedNetwork(
      architecture: bound.architecture, weights: weights, dataset: bound.dataset)
  }

  /// The network that a file names; nothing if it names none.
  /// - Parameter architecture: One given for files that name none, which stands in where the file's
  ///   own is of a plugin that is not here.
  private func ownNetwork(
    of source: any CheckpointSource, path: String, architecture: String?
  ) throws -> TrainedNetwork? {
    guard source.namesNetwork else { return nil }
    let network: TrainedNetwork
    do {
      network = try source.trainedNetwork(from: registry)
    } catch let error as PluginError where error.namesNoPlugin && architecture != nil {
      return nil
    } catch CheckpointError.namesFile where architecture != nil {
      return nil
    } catch let error as CheckpointError {
      guard case .namesFile = error else { return try naming(path) { throw error } }
      throw SessionError.inFile(
        path, problem: "\(error); if you know the file, name it with --architecture")
    } catch {
      return try inFile(path) { try naming(path) { throw error } }
    }
    if let (done, all) = network.interruptedTraining {
      Console.printError(
        "warning: \(path) holds \(done) of \(all) epochs of its training; "
          + "lcw train --resume continues it")
    }
    if let architecture, !isSearched(architecture), try !isMade(network, by: architecture) {
      Console.printError(
        "warning: \(path) names its own network, \(network.architecture); \(architecture) is for files "
          + "that name none".asOneLine)
    }
    return network
  }

  /// Whether an architecture makes a network's chain of layers.
  private func isMade(_ network: TrainedNetwork, by architecture: String) throws -> Bool {
    let own = network.weights.network
    let given = try registry.architecture(try PluginReference(architecture))
    return (try? given.network(inputShape: own.inputShape, classes: network.classes)) == own
  }

  private func requireUsable(
    _ weights: Weights, in path: String, named name: (Int) -> String
  ) throws {
    guard let fault = weights.fault else { return }
    throw SessionError.inFile(path, problem: fault.description(naming: name(fault.index)))
  }

  /// Which of a checkpoint's tensors are the parameters of which network; no tensor is read.
  ///
  /// - Parameter areTransposed: Whether the source is a transposed one.
  func bind(
    _ source: any CheckpointSource, path: String, architecture: String?, dataset: String?,
    areTransposed: Bool = false
  ) throws -> BoundNetwork {
    guard let architecture else {
      throw SessionError.needsArchitecture(file: path)
    }
    let datasetReference =
      try dataset.map(datasetReference)
      ?? source.dataset().map { try unopened($0, in: path) }
    if isSearched(architecture) {
      return try searched(
        source, path: path, dataset: datasetReference, areTransposed: areTransposed)
    }
    guard let datasetReference else { throw SessionError.needsDataset(file: path) }
    let architectureReference = try PluginReference(architecture)
    let data = try self.data(datasetReference)
    let family = try registry.architecture(architectureReference)
    let network = try family.network(inputShape: data.sampleShape, classes: data.classes)
    return BoundNetwork(
      architecture: family.selfContained(architectureReference), dataset: datasetReference,
      network: network,
      binding: try self.binding(
        of: source, path: path, to: network, madeBy: architectureReference,
        areTransposed: areTransposed))
  }

  /// Which of a checkpoint's tensors are the parameters of a network; the error names the file and says
  /// how to help.
  /// - Parameter reference: The network's architecture, which may know what other programs call its modules.
  func binding(
    of source: any CheckpointSource, path: String, to network: Network,
    madeBy reference: PluginReference?, areTransposed: Bool = false
  ) throws -> CheckpointBinding {
    let family = try reference.map { Swift.type(of: try registry.architecture($0)) }
    let table = try family.map { try NameTable($0.nameTable) } ?? NameTable()
    return try inFile(path) {
      do {
        return try CheckpointBinding(
          of: source.entries, to: network, areTransposed: areTransposed, table: table)
      } catch CheckpointError.binding(let reason, let parameters, let tensors) {
        throw CheckpointError.binding(
          reason: turnedHint(source.entries, network, areTransposed: areTransposed)
            ?? reason + "; lcw convert can keep some of the tensors, as with --select 'model.*', "
            + "and rename modules to the parameters' names, as with --rename hidden=dense2",
          parameters: parameters, tensors: tensors)
      }
    }
  }

  /// What to do where tensors fit a network once matrices are turned, or not turned.
  private func turnedHint(
    _ entries: [TensorEntry], _ network: Network, areTransposed: Bool
  ) -> String? {
    let turned = entries.map(\.transposed)
    let binding = try? CheckpointBinding(of: turned, to: network, areTransposed: !areTransposed)
    guard turned != entries, binding != nil else { return nil }
    return areTransposed
      ? "every matrix fits as it is; leave out --transpose"
      : "every weight fits once it is transposed, so they are [inputs, outputs], as Keras and JAX "
        + "have them; lcw convert --transpose transposes all matrices, square ones too"
  }

  /// What work on a file's content gives; an error that does not name the file yet does then.
  func inFile<Result>(_ file: String, _ work: () throws -> Result) throws -> Result {
    do { return try work() } catch let error as any DescribedError {
      let namesFile =
        error is SessionError || error is FileError || error.description.hasPrefix(file)
        || error.description.contains(URL(fileURLWithPath: file).path)
      guard !namesFile else { throw error }
      throw SessionError.inFile(
        file == "-" ? "standard input" : file, problem: error.advice, category: error.category)
    }
  }

  /// What work on a file gives. What is wrong with its content is told with the file's name; where it
  /// was made by a plugin that is not here, with how to name the plugin.
  func naming<Result>(_ file: String, _ work: () throws -> Result) throws -> Result {
    do { return try work() } catch let error as CheckpointError {
      throw SessionError.inFile(file, problem: error.advice)
    } catch let error as NetworkError where error.category == .data {
      throw SessionError.inFile(file, problem: error.advice)
    } catch let error as PluginError {
      guard error.namesNoPlugin else { throw error }
      throw SessionError.unknownPlugin(file: file, problem: error.description)
    }
  }

  /// Requires networks to have one chain of layers.
  /// - Throws: ``SessionError`` that names the first two files that differ.
  func requireOneNetwork(_ networks: [TrainedNetwork], files: [String]) throws {
    for (file, other) in zip(files, networks)
    where other.weights.network != networks[0].weights.network {
      throw SessionError.differentNetworks(
        first: files[0], second: file,
        difference: difference((files[0], networks[0]), (file, other)))
    }
  }

  /// Requires both parts of a data set to be what a file's network takes.
  /// - Throws: An error that names the file.
  func require(_ data: EvaluationData, fit network: TrainedNetwork, in file: String) throws {
    try inFile(file) {
      try data.train.check(fits: network.weights.network)
      try data.test.check(fits: network.weights.network)
    }
  }

  /// What tells two networks apart, or how to give them the same names if these alone differ.
  private func difference(
    _ first: (file: String, network: TrainedNetwork),
    _ second: (file: String, network: TrainedNetwork)
  ) -> String {
    let (a, b) = (first.network.weights.network, second.network.weights.network)
    func said(_ own: some CustomStringConvertible, _ other: some CustomStringConvertible) -> String
    {
      "\(first.file.asOneLine) has ‘\(own)’ where \(second.file.asOneLine) has ‘\(other)’"
    }
    guard a.inputShape == b.inputShape else {
      return "one takes samples of \(a.inputShape), the other of \(b.inputShape)"
    }
    if a.isEqualButForNames(to: b) {
      return "only the names of their layers differ; to give the second the names of the first: "
        + "lcw convert \(second.file.shellQuoted) NEW.lcw --architecture "
        + "\("\(first.network.architecture)".shellQuoted)"
        + (second.network.dataset.map { " --dataset \("\($0)".shellQuoted)" } ?? "")
    }
    let places = zip(a.nodes.indices, b.nodes.indices).map(\.0)
    if let place = places.first(where: { a.describe(node: $0) != b.describe(node: $0) }) {
      return said(a.describe(node: place), b.describe(node: place))
    }
    guard a.nodes.count == b.nodes.count else {
      return "one has \(a.nodes.count) operations, the other \(b.nodes.count)"
    }
    let wired = places.first { a.nodes[$0].inputs != b.nodes[$0].inputs }
    return wired.map { "\(a.nodes[$0].name) reads other layers in one than in the other" }
      ?? "\(a) and \(b)"
  }
}

/// A network whose parameters were found among a checkpoint's tensors.
struct BoundNetwork {
  var architecture: PluginReference
  var dataset: PluginReference
  var network: Network
  var binding: CheckpointBinding
}

extension TrainedNetwork {
  /// The epochs that are done and those that were to be done, of a training that was interrupted.
  fileprivate var interruptedTraining: (done: Int, all: Int)? {
    let training = record["training"]?.object
    guard let done = training?["completed"]?.integer, let all = training?["epochs"]?.integer,
      done < all
    else { return nil }
    return (done, all)
  }
}

extension CheckpointSource {
  /// Whether the metadata name a network as this program does; that some field is called
  /// `architecture` is not enough.
  var namesNetwork: Bool {
    ["architecture", "classes", "input"].allSatisfy { metadata[$0] != nil }
  }
}
