// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LCWCore
import LCWNumerics

/// `lcw convert`
struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert", abstract: "Converts a checkpoint from one format to another.",
    discussion: """
      The input's format is told from its content, the output's from its name. - is standard \
      input; as the output it is standard output, for which --format names the format, and what was \
      done is then said on standard error. With --architecture the tensors become the parameters of a \
      network: they are matched by name, else by order and shape, and what was matched is printed. So \
      is how the data set's samples are prepared, which the output records, and the network's \
      accuracy and loss on the test samples if their files are there, to be compared with figures of \
      one's own; how samples are normalised the data set's options say. They keep their types; \
      the metadata of a network of lcw's own are kept. With --fold-batchnorm batch normalisations \
      become part of the layers beside them, as connecting networks needs it; the weights are then \
      written in single precision. With --names-of a network's tensors get the names that they \
      have in another file, such as the PyTorch checkpoint one began with, as lcw inspect shows \
      them there; what was said by --rename when that file was converted is said again.
      """)

  @Argument(help: "The file to read.", completion: .file())
  var input: String

  @Argument(
    help: "The file to write; - is standard output, with --format.", completion: .file())
  var output: String

  @Option(
    name: .customLong("format"),
    help: ArgumentHelp(
      "The output's format and its options, such as lcw:effort=best,sha256=true.",
      valueName: "format"), completion: .references(to: .format))
  var outputFormat: String?

  @Flag(
    help: "Fold batch normalisations into their neighbours: the same outputs in evaluation.")
  var foldBatchnorm = false

  @Option(
    help: ArgumentHelp(
      "Give the parameters of the network the names that they have in this file.",
      valueName: "file"), completion: .file())
  var namesOf: String?

  @Flag(
    name: .customLong("no-check"),
    help: "Do not measure the network on the data set's test samples.")
  var skipsCheck = false

  @Flag(
    help: "Turn all matrices, for weights that are [inputs, outputs]; with --architecture.")
  var transpose = false

  @OptionGroup var overwriting: OverwriteOption

  @OptionGroup var view: ViewOptions

  @OptionGroup var foreign: ForeignOptions

  @OptionGroup var reading: ReadingOptions

  @OptionGroup var compute: ComputeOptions

  func validate() throws {
    if foreign.architecture == nil, foreign.dataset != nil || compute.data != nil {
      throw ValidationError(
        "--dataset and --data say what samples an architecture takes; name one with --architecture."
      )
    }
    if transpose, foreign.architecture == nil {
      throw ValidationError(
        "--transpose turns a network's weights; name the network with --architecture.")
    }
    if namesOf != nil,
      foldBatchnorm || foreign.architecture != nil || !view.select.isEmpty
    {
      throw ValidationError(
        "--names-of renames all of a network's tensors; leave out --architecture, "
          + "--fold-batchnorm and --select.")
    }
    if foldBatchnorm, view.dtype != nil {
      throw ValidationError(
        "--fold-batchnorm writes single precision; convert its output with --dtype.")
    }
  }

  func run() throws {
    try StandardInput.check([input] + [namesOf].compactMap(\.self))
    let session = try Session(compute, reading)
    let file = try session.reserve(
      output,
      inputs: [input] + [namesOf].compactMap(\.self) + session.files(ofDataset: foreign.dataset),
      as: outputFormat, isStreamable: true,
      existing: overwriting.overwrite ? .replaced : .refused)
    let opened = try openInput(session)
    let overflows = OverflowCount()
    let source =
      namesOf == nil ? try view.view(of: opened, overflow: overflows.add) : opened
    if let namesOf {
      try rename(opened, after: namesOf, overflow: overflows.add, to: file, session)
    } else if foldBatchnorm {
      try fold(source, to: file, session)
    } else if foreign.architecture == nil {
      try file.write(source)
      try file.say("\(output): \(source.entries.count) tensors")
    } else {
      let own = opened.namesNetwork ? source.metadata : ["program": .string(LCWVersion.program)]
      try bind(source, metadata: own, to: file, session)
    }
    if let type = view.dtype, let message = overflows.message(type: type.rawValue) {
      Console.printError(message)
    }
  }

  /// The input, its matrices turned if that is asked for; what is left out of it is said.
  private func openInput(_ session: Session) throws -> any CheckpointSource {
    let source = try session.open(input)
    for note in source.notes { Console.printError("note: \(input): \(note)".asOneLine) }
    guard transpose else { return source }
    if source.entries.contains(where: { $0.elementType.isFloatingPoint && $0.shape.rank > 2 }) {
      throw SessionError.wrongUse(
        "\(input) has tensors of more than two dimensions; --transpose turns matrices only, and "
          + "convolutions that are [height, width, inputs, outputs] also flatten in another order")
    }
    return TransposedCheckpoint(of: source)
  }

  /// Writes a network under the names that its parameters have in another file.
  private func rename(
    _ source: any CheckpointSource, after file: String,
    overflow: @escaping @Sendable (String, Int) -> Void, to output: ReservedOutput,
    _ session: Session
  ) throws {
    guard source.kind == .checkpoint else {
      throw SessionError.wrongUse(
        "\(input) holds a \(source.kind.rawValue), not a network; lcw export writes a point of a path"
      )
    }
    guard source.namesNetwork else { throw SessionError.needsArchitecture(file: input) }
    try source.requireReadable()
    let network = try session.naming(input) { try source.network(from: session.registry) }
    let named = try session.open(file)
    // As --rename shows that file, in the order in which it is.
    let shown = try view.renamed(named)
    if let problem = foldedProblem(source, network, shown, file: file) {
      throw SessionError.wrongUse(problem)
    }
    let binding = try session.binding(of: shown, path: file, to: network)
    if let (first, second) = binding.modulesToldByTheFile(of: network) {
      throw SessionError.wrongUse(
        "‘\(first)’ and ‘\(second)’ of \(file) have the same shapes, and their names do not tell which "
          + "layer is which; say it as when the file was converted, as with --rename \(second)="
          + (network.parameters.last?.layerName ?? "dense2"))
    }
    // By bytes: two names of a file may be equal as texts.
    let originals = Dictionary(
      zip(shown.entries, named.entries).map { (Array($0.name.utf8), $1.name) }
    ) { first, _ in first }
    let own = network.parameters.map(\.name)
    let names = binding.names.map { originals[Array($0.utf8)] ?? $0 }
    let renamed = try CheckpointView(
      of: source, selecting: own, renaming: zip(own, names).map { (old: $0, new: $1) },
      elementType: view.dtype?.type, overflow: overflow)
    try output.write(renamed)
    try output.say("\(output.path): the names of \(file), matched \(binding.rule.rawValue)")
    for (parameter, name) in zip(network.parameters, names) {
      try output.say("  \(parameter.name) \(parameter.shape) as \(name.asOneLine)")
    }
  }

  /// Why a network can't get the names of a file that has batch normalisations where it has none:
  /// nothing if that is not so.
  private func foldedProblem(
    _ source: any CheckpointSource, _ network: Network, _ named: any CheckpointSource, file: String
  ) -> String? {
    let moments =
      named.entries.first { $0.name.hasSuffix("running_mean") }?.name
      ?? named.entries.first { $0.name.hasSuffix(".mean") && named.namesNetwork }?.name
    guard let moments, network.runningAverages.isEmpty else { return nil }
    let how =
      source.metadata["folded"] == nil
      ? "has none"
      : "has none any more: they were folded into the layers beside, whose weights now hold them too"
    return
      "\(file) has batch normalisations (‘\(moments)’), and the network of \(input) \(how); leave out "
      + "--names-of, or name a file of a network without them"
  }

  /// Writes the network without batch normalisations that computes the same.
  private func fold(
    _ source: any CheckpointSource, to output: ReservedOutput, _ session: Session
  ) throws {
    let trained = try session.network(
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
    var record = trained.record
    // A network of lcw's own has its record, and its data set need not be here.
    if let dataset = trained.dataset, foreign.architecture != nil {
      record["preprocessing"] = .string(try session.preparation(of: dataset).preprocessing)
    }
    record["folded"] = .string("batch normalisation of \(trained.architecture)")
    // It tells of the network before, and training can't go on from this one.
    if let training = record.removeValue(forKey: "training") {
      record["folded-training"] = training
    }
    let result = TrainedNetwork(
      architecture: reference, weights: folded, dataset: trained.dataset, record: record)
    try output.write(Checkpoint(result))
    try output.say("\(output.path): \(reference), \(count) batch normalisation(s) folded")
    if foreign.architecture != nil {
      try sayCheck(of: result, recorded: RecordedAccuracy(of: source), to: output, session)
    }
  }

  /// Writes the tensors that are a network's parameters, under the parameters' names and as they
  /// are.
  private func bind(
    _ source: any CheckpointSource, metadata: [String: JSONValue], to output: ReservedOutput,
    _ session: Session
  ) throws {
    try source.requireReadable()
    let bound = try session.bind(
      source, path: input, architecture: foreign.architecture, dataset: foreign.dataset,
      areTransposed: transpose)
    let description = Checkpoint.description(
      of: bound.network, architecture: bound.architecture, dataset: bound.dataset)
    let recorded = RecordedAccuracy(of: source)
    var metadata = metadata.merging(description) { $1 }
    metadata["preprocessing"] = .string(try session.preparation(of: bound.dataset).preprocessing)
    if let names = try session.data(bound.dataset).classNames {
      metadata[Session.classNamesField] = .array(names.map(JSONValue.string))
    }
    if let recorded, metadata["metrics"] == nil { metadata["accuracy"] = JSONValue(recorded.value) }
    let parameters = try CheckpointView(
      of: source, binding: bound.binding, to: bound.network, metadata: metadata)
    try output.write(parameters)
    try output.say(
      "\(output.path): \(bound.architecture), matched \(bound.binding.rule.rawValue)"
        + (transpose ? ", matrices turned" : ""))
    for (parameter, name) in zip(bound.network.parameters, bound.binding.names) {
      try output.say("  \(parameter.name) \(parameter.shape) from \(name.asOneLine)")
    }
    try sayLayersOfEqualShapes(bound, to: output)
    let weights = try bound.binding.weights(of: bound.network, from: source)
    try sayCheck(
      of: TrainedNetwork(
        architecture: bound.architecture, weights: weights, dataset: bound.dataset),
      recorded: recorded, to: output, session)
  }
}
