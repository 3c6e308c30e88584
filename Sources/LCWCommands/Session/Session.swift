// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWNetworks
import LCWNumerics
import LCWPaths

/// What a command works with: the plugins, the data's places, the threads.
struct Session {
  let registry: PluginRegistry
  let locations: DataLocations
  let workers: Workers
  /// The threads that were asked for.
  private let threads: Int?
  /// The options for reading files, by the format's name.
  private let inputFormats: [String: PluginReference]
  private let input = StandardInput()
  private let opened = OpenedData()

  init(_ options: ComputeOptions, _ reading: ReadingOptions? = nil) throws {
    try self.init(
      data: options.data, threads: options.threads, inputFormats: reading?.inputFormat ?? [])
  }

  init(_ reading: ReadingOptions) throws {
    try self.init(data: nil, threads: nil, inputFormats: reading.inputFormat)
  }

  private init(data: String?, threads: Int?, inputFormats texts: [String]) throws {
    registry = try PluginRegistry.linked()
    self.threads = threads
    var inputFormats: [String: PluginReference] = [:]
    for text in texts {
      let reference = try PluginReference(text)
      _ = try registry.format(reference)
      guard inputFormats.updateValue(reference, forKey: reference.name) == nil else {
        throw SessionError.wrongUse("--input-format names \(reference.name) twice")
      }
    }
    self.inputFormats = inputFormats
    locations = DataLocations(given: data, environment: ProcessInfo.processInfo.environment)
    workers = threads.map(Workers.init) ?? .available
  }

  // MARK: Files

  /// Opens a file of weights in whatever format it is; `-` is standard input.
  func open(_ path: String) throws -> any CheckpointSource {
    path == "-" ? try input.withFile(open) : try open(URL(fileURLWithPath: path))
  }

  /// Opens a file of weights, whatever its name.
  func open(_ file: URL) throws -> any CheckpointSource {
    let input = try InputFile(file)
    let start = try input.prefix(4096)
    let formats = registry.plugins(of: .format).compactMap { $0 as? any CheckpointFormat.Type }
    guard
      let format = formats.first(where: { $0.recognises(start) })
        ?? formats.first(where: { $0.recognises(contentsOf: file) })
    else {
      throw CheckpointError.unknownFormat(file: input.path, known: formats.map { $0.name })
    }
    return try instance(of: format, options: inputFormats[format.name]).open(file)
  }

  /// Writes a file of the program's own, in a folder of results or of a demo, in the format that its
  /// name's ending stands for. A link there is replaced, not followed.
  func write(_ checkpoint: any CheckpointSource, to path: String) throws {
    try checkpoint.requireReadable()
    if (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) != nil { unlink(path) }
    let format = try outputFormat(for: path, given: nil)
    try checkpoint.whileWanted(writing: path) {
      try format.write($0, to: URL(fileURLWithPath: path))
    }
  }

  /// Takes a file, before work begins, for its result, in the format that is given or else in that
  /// which its name's ending stands for. It can be written: the format can be and can hold the
  /// result's kind, the folder is there, the file is none of the inputs, and no other process is at
  /// work on it.
  ///
  /// - Parameters:
  ///   - isStreamable: Whether it may be standard output, written as `-`.
  ///   - existing: What may be replaced.
  func reserve(
    _ path: String, holding kind: CheckpointKind = .checkpoint, inputs: [String] = [],
    as format: String? = nil, isStreamable: Bool = false, existing: ExistingOutput
  ) throws -> ReservedOutput {
    if path == ReservedOutput.standardOutput {
      try OutputCheck.checkStandardOutput(isStreamable: isStreamable, format: format)
    }
    let instance = try outputFormat(for: path, given: format)
    let format = type(of: instance)
    guard format.canHold(kind) else {
      throw CheckpointError.cannotWrite(
        format: path,
        reason: "\(format.name) files hold a network's weights, not a \(kind.rawValue); "
          + "give the file a name that ends in .lcw")
    }
    if path != ReservedOutput.standardOutput { try OutputCheck.check(path, inputs: inputs) }
    let output = try ReservedOutput(path, format: instance, isReplacing: existing != .refused)
    guard path != ReservedOutput.standardOutput, FileManager.default.fileExists(atPath: path),
      existing != .replaced
    else { return output }
    guard existing == .replacedIfAlike else { throw SessionError.outputExists(file: path) }
    // A file that can't be opened is no archive that could be lost.
    if let found = try? open(path).kind, found != kind {
      throw SessionError.otherKind(file: path, kind: found.rawValue)
    }
    return output
  }

  /// Takes a file, before work begins, for bytes as they are.
  func reserveBytes(
    _ path: String, inputs: [String], existing: ExistingOutput
  ) throws -> ReservedOutput {
    if path == ReservedOutput.standardOutput {
      try OutputCheck.checkStandardOutput(isStreamable: true, format: "raw")
    } else {
      try OutputCheck.check(path, inputs: inputs)
    }
    let output = try ReservedOutput(path, format: nil, isReplacing: existing != .refused)
    if existing == .refused, path != ReservedOutput.standardOutput,
      FileManager.default.fileExists(atPath: path)
    {
      throw SessionError.outputExists(file: path)
    }
    return output
  }

  private func outputFormat(
    for path: String, given: String?
  ) throws -> any CheckpointFormat {
    let reference = try given.map { text throws in try PluginReference(text) }
    return try instance(of: writableFormat(for: path, given: reference), options: reference)
  }

  private func writableFormat(
    for path: String, given: PluginReference?
  ) throws -> any CheckpointFormat.Type {
    let formats = registry.plugins(of: .format).compactMap { $0 as? any CheckpointFormat.Type }
    let ending = URL(fileURLWithPath: path).pathExtension.lowercased()
    // A reference to an unknown format says so.
    if let given { _ = try registry.format(given) }
    let isWanted: (any CheckpointFormat.Type) -> Bool = { format in
      given.map { format.name == $0.name } ?? format.fileExtensions.contains(ending)
    }
    guard let format = formats.first(where: isWanted) else {
      let endings = formats.filter { $0.canWrite }.flatMap { $0.fileExtensions }
      throw CheckpointError.cannotWrite(
        format: path,
        reason:
          "the name's ending says no format that is known (\(endings.joined(separator: ", "))); "
          + "name the format with --format where a command has that"
      )
    }
    guard format.canWrite else {
      throw CheckpointError.cannotWrite(
        format: path,
        reason: "\(format.name) files can be read, not written"
          + (format.insteadOfWriting(path).map { "; \($0)" } ?? ""))
    }
    return format
  }

  private func instance(
    of format: any CheckpointFormat.Type, options given: PluginReference?
  ) throws -> any CheckpointFormat {
    var options = given?.options ?? [:]
    if let threads, options["threads"] == nil,
      format.options.contains(where: { $0.key == "threads" })
    {
      options["threads"] = "\(threads)"
    }
    return try registry.format(PluginReference(name: format.name, options: options))
  }

  // MARK: Networks

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
    } catch PluginError.unknownPlugin where architecture != nil {
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
          + "lcw train --resume goes on")
    }
    if let architecture, try !isMade(network, by: architecture) {
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
  func bind(
    _ source: any CheckpointSource, path: String, architecture: String?, dataset: String?
  ) throws -> BoundNetwork {
    guard let architecture else {
      throw SessionError.needsArchitecture(file: path)
    }
    guard
      let datasetReference = try dataset.map({ text throws in try PluginReference(text) })
        ?? source.dataset().map({ try unopened($0) })
    else {
      throw SessionError.needsDataset(file: path)
    }
    let architectureReference = try PluginReference(architecture)
    let data = try self.data(datasetReference)
    let family = try registry.architecture(architectureReference)
    let network = try family.network(inputShape: data.sampleShape, classes: data.classes)
    return BoundNetwork(
      architecture: family.selfContained(architectureReference), dataset: datasetReference,
      network: network, binding: try self.binding(of: source, path: path, to: network))
  }

  /// Which of a checkpoint's tensors are the parameters of a network; the error names the file and says
  /// how to help.
  func binding(
    of source: any CheckpointSource, path: String, to network: Network
  ) throws -> CheckpointBinding {
    try inFile(path) {
      do {
        return try CheckpointBinding(of: source.entries, to: network)
      } catch CheckpointError.binding(let reason, let parameters, let tensors) {
        throw CheckpointError.binding(
          reason: reason
            + "; lcw convert can keep some of the tensors, as with --select 'model.*', "
            + "and rename modules to the parameters' names, as with --rename hidden=dense2",
          parameters: parameters, tensors: tensors)
      }
    }
  }

  /// What work on a file's content gives; an error that does not name the file yet does then.
  func inFile<Result>(_ file: String, _ work: () throws -> Result) throws -> Result {
    do { return try work() } catch let error as any DescribedError {
      let namesFile =
        error is SessionError || error is FileError || error.description.hasPrefix(file)
        || error.description.contains(URL(fileURLWithPath: file).path)
      guard !namesFile else { throw error }
      throw SessionError.inFile(
        file == "-" ? "standard input" : file, problem: error.description, category: error.category)
    }
  }

  /// What work on a file gives. What is wrong with its content is told with the file's name; where it
  /// was made by a plugin that is not here, with how to name the plugin.
  func naming<Result>(_ file: String, _ work: () throws -> Result) throws -> Result {
    do { return try work() } catch let error as CheckpointError {
      throw SessionError.inFile(file, problem: error.description)
    } catch let error as NetworkError where error.category == .data {
      throw SessionError.inFile(file, problem: error.description)
    } catch let error as PluginError {
      guard case .unknownPlugin = error else { throw error }
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
        networks: "\(text(of: networks[0])) and \(text(of: other))")
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

  private func text(of network: TrainedNetwork) -> String {
    let chain = network.weights.network
    return "‘\(chain.inputShape) \(chain)’"
  }

  // MARK: Data

  /// What is known of a data set; the files that its options name are opened, once.
  func data(_ reference: PluginReference) throws -> any LabelledData {
    try opened.data(reference) {
      try registry.data(
        reference, in: DataContext(locations: locations, open: { try open($0) }))
    }
  }

  /// The files that a data set's options name, which are no outputs.
  func files(ofDataset text: String?) throws -> [String] {
    guard let text else { return [] }
    let context = DataContext(locations: locations)
    return try registry.files(namedByDataset: PluginReference(text)).flatMap {
      context.places(of: $0).map(\.path)
    }
  }

  /// A data set that a file of weights names, which may name no files of its own.
  func unopened(_ recorded: PluginReference) throws -> PluginReference {
    do {
      try registry.refuseFiles(namedBy: recorded, of: .dataset, recordedAs: "dataset")
      _ = try registry.dataset(recorded)
      return recorded
    } catch let error as CheckpointError {
      throw SessionError.recordedDataset("\(error); if you know it, name it with --dataset")
    } catch let error as PluginError {
      // Which data set is not here is told as for one that the user named.
      if case .unknownPlugin = error { throw error }
      throw SessionError.recordedDataset(
        CheckpointError.recorded(field: "dataset", problem: error.description).description)
    }
  }

  /// Both parts of a data set: the one given, or else the one recorded in a file of weights.
  /// - Parameter loaded: What was loaded before, with the same limit; it is not loaded again.
  func data(
    given: String?, recorded: PluginReference?, limit: Int? = nil,
    loaded: (reference: PluginReference, samples: EvaluationData)? = nil
  ) throws -> (reference: PluginReference, samples: EvaluationData) {
    guard
      let reference = try given.map({ text throws in try PluginReference(text) })
        ?? recorded.map({ try unopened($0) })
    else { throw SessionError.noDataset }
    if let loaded, loaded.reference == reference { return loaded }
    let dataset = try self.data(reference)
    func samples(_ split: DataSplit) throws -> SampleSet {
      let all = try dataset.samples(split, in: locations)
      return limit.map(all.prefix) ?? all
    }
    return (
      reference, EvaluationData(train: try samples(.train), test: try samples(.test))
    )
  }
}

/// What becomes of a file that is where an output should go.
enum ExistingOutput {
  /// It stays, and the command ends with an error.
  case refused
  /// It is replaced, unless it holds another kind of thing, such as a model that took hours to fit.
  case replacedIfAlike
  /// It is replaced, whatever it holds.
  case replaced
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
