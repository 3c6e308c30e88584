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
      by name, else by order and shape, and what was matched is printed.
      """)

  @Argument(help: "The file to read.")
  var input: String

  @Argument(help: "The file to write.")
  var output: String

  @OptionGroup var view: ViewOptions

  @OptionGroup var foreign: ForeignOptions

  @OptionGroup var compute: ComputeOptions

  func run() throws {
    let session = try Session(compute)
    try session.checkOutput(output, inputs: [input])
    let source = try view.view(of: try session.open(input))
    guard foreign.architecture != nil else {
      try session.write(source, to: output)
      print("\(output): \(source.entries.count) tensors")
      return
    }
    try bind(source, session)
  }

  private func bind(_ source: any CheckpointSource, _ session: Session) throws {
    let (network, binding) = try session.bind(
      source, path: input, architecture: foreign.architecture, dataset: foreign.dataset)
    var converted = network
    converted.record = ["program": .string(LCWVersion.program)]
    var checkpoint = Checkpoint(converted)
    if let type = view.dtype {
      for index in checkpoint.tensors.indices {
        checkpoint.tensors[index].tensor = checkpoint.tensors[index].tensor.converted(to: type.type)
      }
    }
    try session.write(checkpoint, to: output)
    print("\(output): \(network.architecture), matched \(binding.rule.rawValue)")
    for (parameter, name) in zip(network.weights.network.parameters, binding.names) {
      print("  \(parameter.name) \(parameter.shape) from \(name)")
    }
  }
}
