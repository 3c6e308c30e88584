// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LCWCore
import LCWNumerics

/// `lcw convert`
struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert", abstract: "Converts a checkpoint from one format to another.",
    discussion: """
      The input's format is told from its content, the output's from its name; - is standard \
      input. With --architecture the tensors become the parameters of a network: they are matched \
      by name, else by order and shape, and what was matched is printed. They keep their types; \
      the metadata of a network of lcw's own are kept.
      """)

  @Argument(help: "The file to read.")
  var input: String

  @Argument(help: "The file to write.")
  var output: String

  @Option(
    name: .customLong("format"),
    help: ArgumentHelp(
      "The output's format and its options, such as lcw:effort=best,sha256=true.",
      valueName: "format"))
  var outputFormat: String?

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
  }

  func run() throws {
    let session = try Session(compute, reading)
    try session.checkOutput(output, inputs: [input], as: outputFormat)
    let opened = try session.open(input)
    let overflows = OverflowCount()
    let source = try view.view(of: opened, overflow: overflows.add)
    if foreign.architecture == nil {
      try session.write(source, to: output, as: outputFormat)
      print("\(output): \(source.entries.count) tensors")
    } else {
      let own = opened.namesNetwork ? source.metadata : ["program": .string(LCWVersion.program)]
      try bind(source, metadata: own, session)
    }
    if let type = view.dtype, let message = overflows.message(type: type.rawValue) {
      Console.printError(message)
    }
  }

  /// Writes the tensors that are a network's parameters, under the parameters' names and as they
  /// are.
  private func bind(
    _ source: any CheckpointSource, metadata: [String: JSONValue], _ session: Session
  ) throws {
    try source.requireReadable()
    let bound = try session.bind(
      source, path: input, architecture: foreign.architecture, dataset: foreign.dataset)
    let description = Checkpoint.description(
      of: bound.network, architecture: bound.architecture, dataset: bound.dataset)
    let parameters = try CheckpointView(
      of: source, binding: bound.binding, to: bound.network,
      metadata: metadata.merging(description) { $1 })
    try session.write(parameters, to: output, as: outputFormat)
    print("\(output): \(bound.architecture), matched \(bound.binding.rule.rawValue)")
    for (parameter, name) in zip(bound.network.parameters, bound.binding.names) {
      print("  \(parameter.name) \(parameter.shape) from \(name.asOneLine)")
    }
  }
}
