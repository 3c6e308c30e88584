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

  private func open(_ file: URL) throws -> any CheckpointSource {
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

  /// Writes a file in the format that is given, else in that which its name's ending stands for.
  func write(
    _ checkpoint: any CheckpointSource, to path: String, as format: String? = nil
  ) throws {
    try checkpoint.requireReadable()
    try outputFormat(for: path, given: format).write(checkpoint, to: URL(fileURLWithPath: path))
  }

  /// Checks, before work begins, that its result can be written: the format is known and can be
  /// written and can hold the result's kind, the folder is there, and the file is none of the
  /// inputs.
  ///
  /// - Parameter replacesOthers: Whether an archive of another kind, such as a model that took hours to
  ///   fit, may be replaced.
  func checkOutput(
    _ path: String, holding kind: CheckpointKind = .checkpoint, inputs: [String] = [],
    as format: String? = nil, replacesOthers: Bool = false
  ) throws {
    let format = type(of: try outputFormat(for: path, given: format))
    guard format.canHold(kind) else {
      throw CheckpointError.cannotWrite(
        format: path,
        reason: "\(format.name) files hold a network's weights, not a \(kind.rawValue); "
          + "give the file a name that ends in .lcw")
    }
    try OutputCheck.check(path, inputs: inputs)
    // A file that can't be opened is no archive that could be lost.
    if !replacesOthers, FileManager.default.fileExists(atPath: path),
      let found = try? open(path).kind, found != kind
    {
      throw SessionError.otherKind(file: path, kind: found.rawValue)
    }
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
        format: path, reason: "\(format.name) files can be read, not written")
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

  /// The network of a file. A foreign file, which names no architecture, needs one given, and a
  /// data set for the shape of the samples.
  func network(
    in path: String, architecture: String? = nil, dataset: String? = nil
  ) throws -> TrainedNetwork {
    try network(of: try open(path), path: path, architecture: architecture, dataset: dataset)
  }

  /// The network of an opened file.
  func network(
    of source: any CheckpointSource, path: String, architecture: String? = nil,
    dataset: String? = nil
  ) throws -> TrainedNetwork {
    if source.namesNetwork, architecture == nil {
      do {
        return try naming(path) { try source.trainedNetwork(from: registry) }
      } catch let error as CheckpointError {
        throw SessionError.inFile(path, problem: error.description)
      }
    }
    let bound = try bind(source, path: path, architecture: architecture, dataset: dataset)
    return TrainedNetwork(
      architecture: bound.architecture,
      weights: try bound.binding.weights(of: bound.network, from: source), dataset: bound.dataset)
  }

  /// Which of a checkpoint's tensors are the parameters of which network; no tensor is read.
  func bind(
    _ source: any CheckpointSource, path: String, architecture: String?, dataset: String?
  ) throws -> BoundNetwork {
    guard let architecture else {
      throw SessionError.needsArchitecture(file: path)
    }
    guard let dataset = try dataset ?? source.dataset().map({ "\($0)" }) else {
      throw SessionError.needsDataset(file: path)
    }
    let architectureReference = try PluginReference(architecture)
    let datasetReference = try PluginReference(dataset)
    let data = try registry.dataset(datasetReference)
    let family = try registry.architecture(architectureReference)
    let network = try family.network(inputShape: data.sampleShape, classes: data.classes)
    return BoundNetwork(
      architecture: family.selfContained(architectureReference), dataset: datasetReference,
      network: network,
      binding: try CheckpointBinding(of: source.entries, to: network))
  }

  /// What work on a file gives. Where the file was made by a plugin that is not here, the error names
  /// the file and how to name the plugin.
  func naming<Result>(_ file: String, _ work: () throws -> Result) throws -> Result {
    do { return try work() } catch let error as PluginError {
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
        networks: "‘\(networks[0].weights.network)’ and ‘\(other.weights.network)’")
    }
  }

  // MARK: Data

  /// Both parts of a data set: the one given, or else the one recorded.
  func data(
    given: String?, recorded: PluginReference?, limit: Int? = nil
  ) throws -> (reference: PluginReference, samples: EvaluationData) {
    guard let reference = try given.map({ text throws in try PluginReference(text) }) ?? recorded
    else { throw SessionError.noDataset }
    let dataset = try registry.dataset(reference)
    func samples(_ split: DataSplit) throws -> SampleSet {
      let all = try dataset.samples(split, in: locations)
      return limit.map(all.prefix) ?? all
    }
    return (
      reference, EvaluationData(train: try samples(.train), test: try samples(.test))
    )
  }
}

/// A network whose parameters were found among a checkpoint's tensors.
struct BoundNetwork {
  var architecture: PluginReference
  var dataset: PluginReference
  var network: Network
  var binding: CheckpointBinding
}

/// What a command lacks.
enum SessionError: DescribedError, Hashable {
  case needsArchitecture(file: String)
  case needsDataset(file: String)
  case noDataset
  case wrongUse(String)
  case outputIsInput(file: String)
  case otherKind(file: String, kind: String)
  case otherFile(String, madeWith: String)
  case differentNetworks(first: String, second: String, networks: String)
  case inFile(String, problem: String)
  case unknownPlugin(file: String, problem: String)
  case outputExists(file: String)
  case output
  case inputClosed
  case inputTaken

  var category: ErrorCategory {
    switch self {
    case .output: .failure
    case .inputClosed: .missingFile
    case .otherFile, .differentNetworks, .inFile: .data
    default: .usage
    }
  }

  var description: String {
    switch self {
    case .needsArchitecture(let file):
      "\(file) does not say what network it is; name it with --architecture mlp:hidden=2000"
    case .needsDataset(let file):
      "\(file) does not say what samples it takes; name them with --dataset mnist"
    case .noDataset:
      "the file does not say what data it belongs to; name them with --dataset"
    case .wrongUse(let reason): reason
    case .outputIsInput(let file):
      "\(file) is read and would be written; name another file for the output"
    case .otherKind(let file, let kind):
      "\(file) is there and holds a \(kind), which would be lost; name another file, or remove it first"
    case .otherFile(let file, let archive):
      "\(file) is not the file that the path in \(archive) was made with; put that one in its place, "
        + "or make the path anew"
    case .differentNetworks(let first, let second, let networks):
      "\(first) and \(second) hold networks that differ: \(networks)"
    case .inFile(let file, let problem): "\(file): \(problem)"
    case .unknownPlugin(let file, let problem):
      "\(file): \(problem); if a shared object has it, name that with --plugin FILE before the command, "
        + "or its folder in \(PluginObject.foldersVariable)"
    case .outputExists(let file):
      "\(file) is there already; --resume goes on from it, --overwrite replaces it"
    case .inputClosed: "standard input is closed; give it a file, as in lcw verify - < FILE"
    case .inputTaken: "standard input can be read only once, but - is named twice"
    case .output: "standard output is full or closed"
    }
  }
}

extension CheckpointSource {
  /// Whether the metadata name a network as this program does; that some field is called
  /// `architecture` is not enough.
  var namesNetwork: Bool {
    ["architecture", "classes", "input"].allSatisfy { metadata[$0] != nil }
  }
}
