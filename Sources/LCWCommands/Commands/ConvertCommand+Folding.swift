// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

extension ConvertCommand {
  /// Writes the network without batch normalisations that computes the same.
  func fold(
    _ source: any CheckpointSource, to output: ReservedOutput, _ session: Session
  ) throws {
    var trained = try session.network(
      of: source, path: input, architecture: foreign.architecture, dataset: foreign.dataset)
    let network = trained.weights.network
    let count = network.runningAverages.count
    guard count > 0 else {
      throw SessionError.wrongUse("\(input) has no batch normalisation to fold: \(network)")
    }
    let folded = try trained.weights.foldingBatchNorm()
    let family = try session.registry.architecture(trained.architecture)
    guard let reference = family.folded(trained.architecture, to: folded.network),
      try session.registry.architecture(reference)
        .network(inputShape: network.inputShape, classes: trained.classes) == folded.network
    else {
      throw SessionError.wrongUse(
        "\(trained.architecture) has no form without batch normalisation: \(folded.network)")
    }
    if source.namesNetwork, let given = foreign.dataset {
      let dataset = try session.datasetReference(given)
      try session.require(dataset, fits: network, in: input)
      trained.record = try session.record(trained.record, madeFor: dataset)
      trained.dataset = dataset
    } else if let dataset = trained.dataset, foreign.architecture != nil {
      // A network of lcw's own has its record, and its data set need not be here.
      trained.record.merge(try session.record(ofSamples: dataset)) { $1 }
    }
    var record = trained.record
    record[FoldedOrigin.field] = FoldedOrigin(reference: trained.architecture).json
    // It tells of the network before, and training can't go on from this one.
    if let training = record.removeValue(forKey: "training") {
      record["folded-training"] = training
    }
    var result = TrainedNetwork(
      architecture: reference, weights: folded, dataset: trained.dataset, record: record)
    var found: NetworkCheck?
    if foreign.architecture != nil || foreign.dataset != nil {
      let check = try check(result, recorded: RecordedAccuracy(of: source), session)
      result.record = check.recorded(in: record)
      found = check
    }
    try output.write(Checkpoint(result))
    try output.say("\(output.path): \(reference), \(count.counted("batch normalisation")) folded")
    try found?.say(to: output)
  }

  /// Writes a network that its file names, with the data set that it is for.
  func adopt(
    _ source: any CheckpointSource, dataset text: String, to output: ReservedOutput,
    _ session: Session
  ) throws {
    guard source.namesNetwork else {
      throw SessionError.needsArchitecture(file: input)
    }
    try source.requireReadable()
    let dataset = try session.datasetReference(text)
    let network = try session.naming(input) { try source.network(from: session.registry) }
    try session.require(dataset, fits: network, in: input)
    let recorded = RecordedAccuracy(of: source)
    let metadata = try session.record(source.metadata, madeFor: dataset)
    let trained = try session.naming(input) { try source.trainedNetwork(from: session.registry) }
    let check = try check(
      TrainedNetwork(
        architecture: trained.architecture, weights: trained.weights, dataset: dataset),
      recorded: recorded, session)
    try output.write(JoinedCheckpoint(source, saying: check.recorded(in: metadata)))
    try output.say(
      "\(output.path): \(source.entries.count) tensors of the network that \(input) names")
    try check.say(to: output)
  }
}

/// Which network a folded one came from, as its file records it.
struct FoldedOrigin {
  /// The field of the metadata.
  static let field = "folded"
  private static let words = "batch normalisation of "

  /// The architecture with batch normalisations.
  let reference: PluginReference

  init(reference: PluginReference) { self.reference = reference }

  /// What metadata say; nothing if that is nothing.
  init?(_ metadata: [String: JSONValue]) throws {
    guard let text = metadata[Self.field]?.string, text.hasPrefix(Self.words) else { return nil }
    reference = try PluginReference(String(text.dropFirst(Self.words.count)))
  }

  var json: JSONValue { .string(Self.words + "\(reference)") }
}

extension Session {
  /// What a file of a network says of the samples that it takes, beside the data set's name.
  func record(ofSamples dataset: PluginReference) throws -> [String: JSONValue] {
    var record: [String: JSONValue] = [
      "preprocessing": .string(try preparation(of: dataset).preprocessing)
    ]
    if let names = try data(dataset).classNames {
      record[Session.classNamesField] = .array(names.map(JSONValue.string))
    }
    return record
  }

  /// The metadata of a network once it is said to be for a data set. Figures that were measured on samples
  /// of another one are not this one's.
  func record(
    _ metadata: [String: JSONValue], madeFor dataset: PluginReference
  ) throws -> [String: JSONValue] {
    var record = metadata
    let own = try self.record(ofSamples: dataset)
    let isOther =
      record["dataset"].map { $0.string != "\(dataset)" } == true
      && record["preprocessing"] != own["preprocessing"]
    if isOther, let metrics = record.removeValue(forKey: "metrics") {
      record["metrics-before"] = metrics
    }
    record["dataset"] = .string("\(dataset)")
    return record.merging(own) { $1 }
  }

  /// Requires a network that a file names to take a data set's samples and to tell its classes.
  func require(_ dataset: PluginReference, fits network: Network, in file: String) throws {
    let data = try self.data(dataset)
    guard network.inputShape == data.sampleShape else {
      throw SessionError.wrongUse(
        "\(file) has a network for samples \(network.inputShape), and \(dataset) has samples "
          + "\(data.sampleShape); name the data set that it is for")
    }
    guard network.outputShape.count == data.classes else {
      throw SessionError.wrongUse(
        "\(file) has a network with \(network.outputShape.count) outputs, and \(dataset) has "
          + "\(data.classes) classes; name the data set that it is for")
    }
  }
}
