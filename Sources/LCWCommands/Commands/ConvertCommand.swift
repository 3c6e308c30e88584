// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LCWCore
import LCWNumerics

/// `lcw convert`
struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert", abstract: "Converts a checkpoint from one format to another.",
    discussion: """
      The input's format follows from its content, the output's from its name. - is standard input \
      or standard output; standard output needs --format, and messages then go to standard error.

      With --architecture the tensors become the parameters of a network. They are matched by \
      name, or else by order and shape, and the command prints what it matched. --architecture \
      auto finds the architecture that the names and shapes fit; if several do, it lists them. A file that names \
      its network, as ONNX does, needs none. Tensors keep their types.

      --dataset says which samples the network takes. Its options say how they are normalised, which \
      the output records. The command prints accuracy and loss on the test samples, so you can \
      compare them with your own.

      --fold-batchnorm folds batch normalisation layers into their neighbours. Convert \
      networks this way before you connect them, unless you use +reset or +repair. The weights are written in single precision.

      --names-of gives the tensors the names that they have in another file, such as the PyTorch \
      checkpoint you started from. A folded network gets the keys of the file with batch \
      normalisation, and those layers then do nothing. Repeat the --rename and --transpose with \
      which you converted that file.
      """ + CommandExamples.text(of: "convert"))

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
    help: "Fold batch normalisation layers into their neighbours; evaluation is unchanged.")
  var foldBatchnorm = false

  @Option(
    help: ArgumentHelp(
      "Give the tensors of the network the names that they have in this file.",
      valueName: "file"), completion: .file())
  var namesOf: String?

  @Flag(
    name: .customLong("no-check"),
    help: "Do not measure the network on the data set's test samples.")
  var skipsCheck = false

  @Flag(
    help: "Transpose all matrices, for weights stored as [inputs, outputs].")
  var transpose = false

  @OptionGroup var overwriting: OverwriteOption

  @OptionGroup var view: ViewOptions

  @OptionGroup var foreign: ForeignOptions

  @OptionGroup var reading: ReadingOptions

  @OptionGroup var compute: ComputeOptions

  func validate() throws {
    if compute.data != nil, foreign.dataset == nil, foreign.architecture == nil {
      throw ValidationError(
        "--data says where a data set's files are; name the data set with --dataset.")
    }
    if transpose, foreign.architecture == nil, namesOf == nil {
      throw ValidationError(
        "--transpose transposes a network's weights; name the network with --architecture.")
    }
    if namesOf != nil, foldBatchnorm || foreign.dataset != nil || !view.select.isEmpty {
      throw ValidationError(
        "--names-of renames all of a network's tensors; leave out --dataset, --fold-batchnorm and "
          + "--select.")
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
    // What is looked for is there already.
    let isOwn = session.isSearched(foreign.architecture) && source.namesNetwork
    if let namesOf {
      try rename(opened, after: namesOf, overflow: overflows.add, to: file, session)
    } else if foldBatchnorm {
      try fold(source, to: file, session)
    } else if foreign.architecture != nil, !isOwn {
      let own = opened.namesNetwork ? source.metadata : ["program": .string(LCWVersion.program)]
      try bind(source, metadata: own, to: file, session)
    } else if let dataset = foreign.dataset {
      try adopt(source, dataset: dataset, to: file, session)
    } else {
      try file.write(source)
      try file.say("\(output): \(source.entries.count) tensors")
      if Console.isTerminal, !source.namesNetwork, source.kind == .checkpoint, view.select.isEmpty,
        source.entries.contains(where: \.elementType.isFloatingPoint)
      {
        Console.printError(
          "hint: \(output) is not bound to a network; to connect or evaluate these weights, convert them "
            + "with --architecture auto --dataset NAME")
      }
    }
    if let type = view.dtype, let message = overflows.message(type: type.rawValue) {
      Console.printError(message)
    }
  }

  /// The input, its matrices transposed if that is asked for; what is left out of it is said.
  private func openInput(_ session: Session) throws -> any CheckpointSource {
    let source = try session.open(input)
    for note in source.notes { Console.printError("note: \(input): \(note)".asOneLine) }
    guard transpose, namesOf == nil else { return source }
    if source.entries.contains(where: { $0.elementType.isFloatingPoint && $0.shape.rank > 2 }) {
      throw SessionError.wrongUse(
        "\(input) has tensors of more than two dimensions; --transpose handles only matrices, and "
          + "convolutions that are [height, width, inputs, outputs] also flatten in another order")
    }
    return TransposedCheckpoint(of: source)
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
    metadata.merge(try session.record(ofSamples: bound.dataset)) { $1 }
    if let recorded, metadata["metrics"] == nil { metadata["accuracy"] = JSONValue(recorded.value) }
    let weights = try bound.binding.weights(of: bound.network, from: source)
    let check = try check(
      TrainedNetwork(architecture: bound.architecture, weights: weights, dataset: bound.dataset),
      recorded: recorded, session)
    metadata = check.recorded(in: metadata)
    let parameters = try CheckpointView(
      of: source, binding: bound.binding, to: bound.network, metadata: metadata)
    try output.write(parameters)
    try output.say(
      "\(output.path): \(bound.architecture), matched \(bound.binding.rule.rawValue)"
        + (bound.binding.program.map { ", as \($0) has them" } ?? "")
        + (transpose ? ", matrices transposed" : ""))
    for (parameter, name) in zip(bound.network.parameters, bound.binding.names) {
      try output.say("  \(parameter.name) \(parameter.shape) from \(name.asOneLine)")
    }
    try sayLayersOfEqualShapes(bound, to: output)
    if session.isSearched(foreign.architecture) {
      try output.say(
        "  tensors do not show activations, strides and pooling; \(bound.architecture) sets them")
    }
    if let fault = weights.fault {
      Console.printError("warning: \(output.path): \(fault)".asOneLine)
    }
    try check.say(to: output)
  }
}
