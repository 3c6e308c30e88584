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

  init(_ options: ComputeOptions) throws {
    try self.init(data: options.data, threads: options.threads)
  }

  init(data: String? = nil, threads: Int? = nil) throws {
    registry = try PluginRegistry.linked()
    locations = DataLocations(given: data, environment: ProcessInfo.processInfo.environment)
    workers = threads.map(Workers.init) ?? .available
  }

  // MARK: Files

  /// Opens a file of weights in whatever format it is; `-` is standard input.
  func open(_ path: String) throws -> any CheckpointSource {
    let file = path == "-" ? try StandardInput.spooled() : URL(fileURLWithPath: path)
    // An open file stays readable once its name is gone.
    defer { if path == "-" { try? FileManager.default.removeItem(at: file) } }
    let start = try InputFile(file).prefix(4096)
    let formats = registry.plugins(of: .format).compactMap { $0 as? any CheckpointFormat.Type }
    guard let format = formats.first(where: { $0.recognises(start) }) else {
      throw CheckpointError.unknownFormat(file: path, known: formats.map { $0.name })
    }
    return try instance(of: format).open(file)
  }

  /// Writes a file in the format that its name's ending stands for.
  func write(_ checkpoint: any CheckpointSource, to path: String) throws {
    try instance(of: try writableFormat(for: path)).write(
      checkpoint, to: URL(fileURLWithPath: path))
  }

  /// Checks, before work begins, that its result can be written: the format is known and can be
  /// written, the folder is there, and the file is none of the inputs.
  func checkOutput(_ path: String, inputs: [String] = []) throws {
    _ = try writableFormat(for: path)
    try OutputCheck.check(path, inputs: inputs)
  }

  private func writableFormat(for path: String) throws -> any CheckpointFormat.Type {
    let formats = registry.plugins(of: .format).compactMap { $0 as? any CheckpointFormat.Type }
    let ending = URL(fileURLWithPath: path).pathExtension.lowercased()
    guard let format = formats.first(where: { $0.fileExtensions.contains(ending) }) else {
      let endings = formats.filter { $0.canWrite }.flatMap { $0.fileExtensions }
      throw CheckpointError.cannotWrite(
        format: path,
        reason:
          "the name's ending says no format that is known (\(endings.joined(separator: ", ")))"
      )
    }
    guard format.canWrite else {
      throw CheckpointError.cannotWrite(
        format: path, reason: "\(format.name) files can be read, not written")
    }
    return format
  }

  private func instance(of format: any CheckpointFormat.Type) throws -> any CheckpointFormat {
    try registry.format(PluginReference(name: format.name))
  }

  // MARK: Networks

  /// The network of a file. A foreign file, which names no architecture, needs one given, and a
  /// data set for the shape of the samples.
  func network(
    in path: String, architecture: String? = nil, dataset: String? = nil
  ) throws -> TrainedNetwork {
    let source = try open(path)
    if source.namesNetwork, architecture == nil {
      return try source.trainedNetwork(from: registry)
    }
    return try bind(source, path: path, architecture: architecture, dataset: dataset).network
  }

  /// A foreign checkpoint's tensors as a network of an architecture.
  func bind(
    _ source: any CheckpointSource, path: String, architecture: String?, dataset: String?
  ) throws -> (network: TrainedNetwork, binding: CheckpointBinding) {
    guard let architecture else {
      throw SessionError.needsArchitecture(file: path)
    }
    guard let dataset = try dataset ?? source.dataset().map({ "\($0)" }) else {
      throw SessionError.needsDataset(file: path)
    }
    let architectureReference = try PluginReference(architecture)
    let datasetReference = try PluginReference(dataset)
    let data = try registry.dataset(datasetReference)
    let network = try registry.architecture(architectureReference)
      .network(inputShape: data.sampleShape, classes: data.classes)
    let binding = try CheckpointBinding(of: source.entries, to: network)
    return (
      TrainedNetwork(
        architecture: architectureReference,
        weights: try binding.weights(of: network, from: source), dataset: datasetReference),
      binding
    )
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

/// What a command lacks.
enum SessionError: DescribedError, Hashable {
  case needsArchitecture(file: String)
  case needsDataset(file: String)
  case noDataset
  case wrongUse(String)
  case outputIsInput(file: String)
  case outputExists(file: String)
  case output

  var category: ErrorCategory {
    if case .output = self { .failure } else { .usage }
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
    case .outputExists(let file):
      "\(file) is there already; --resume goes on from it, --overwrite replaces it"
    case .output: "standard output is full or closed"
    }
  }
}

extension CheckpointSource {
  /// Whether the metadata name a network as this program does; that some field is called
  /// `architecture` is not enough.
  fileprivate var namesNetwork: Bool {
    ["architecture", "classes", "input"].allSatisfy { metadata[$0] != nil }
  }
}
