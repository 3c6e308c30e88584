// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

extension ConvertCommand {
  /// Writes a network under the names that its tensors have in another file.
  func rename(
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
    let named = try session.open(file)
    // As --rename and --transpose show that file, in the order in which it is.
    let renamed = try view.renamed(named)
    let shown: any CheckpointSource = transpose ? TransposedCheckpoint(of: renamed) : renamed
    let subject = try unfolded(source, for: shown, file: file, session)
    let network = subject.network
    let binding = try session.binding(
      of: shown, path: file, to: network, madeBy: subject.architecture, areTransposed: transpose)
    if let (first, second) = binding.modulesToldByTheFile(of: network) {
      throw SessionError.wrongUse(
        "‘\(first)’ and ‘\(second)’ of \(file) have the same shapes, and their names do not tell which "
          + "layer is which; repeat the --rename of its conversion, such as --rename \(second)="
          + (network.parameters.last?.layerName ?? "dense2"))
    }
    // By bytes: two names of a file may be equal as texts.
    let originals = Dictionary(
      zip(shown.entries, named.entries).map { (Array($0.name.utf8), $1.name) }
    ) { first, _ in first }
    let own = network.parameters.map(\.name)
    let entries = binding.names.map { originals[Array($0.utf8)] ?? $0 }
    let names = entries.map { named.originalNames[$0] ?? $0 }
    if !named.originalNames.isEmpty,
      let unnamed = entries.first(where: { named.originalNames[$0] == nil })
    {
      Console.printError(
        "warning: \(file) does not store ‘\(unnamed)’ unchanged; it gets lcw's name"
          .asOneLine)
    }
    let seen = try CheckpointView(
      of: subject.source, selecting: own, renaming: zip(own, names).map { (old: $0, new: $1) },
      elementType: view.dtype?.type, overflow: overflow)
    let counters = named.counters(besideTensors: names)
    try output.write(
      JoinedCheckpoint(
        transpose ? TransposedCheckpoint(of: seen) : seen, with: counters, of: named))
    try output.say(
      "\(output.path): the names of \(file), matched \(binding.rule.rawValue)"
        + (binding.program.map { ", as \($0) has them" } ?? "")
        + (transpose ? ", matrices transposed" : ""))
    if subject.isUnfolded {
      try output.say(
        "  \(network.runningAverages.count) batch normalisations add the folded bias and do nothing else"
      )
    }
    for (parameter, name) in zip(network.parameters, names) {
      try output.say("  \(parameter.name) \(parameter.shape) as \(name.asOneLine)")
    }
    for counter in counters {
      try output.say("  \(counter.name.asOneLine) as in \(file)")
    }
  }

  /// A network that gets other names.
  private struct Subject {
    var source: any CheckpointSource
    var network: Network
    var architecture: PluginReference
    var isUnfolded = false
  }

  /// The network of the input; where its batch normalisations were folded and the file has some, with these.
  private func unfolded(
    _ source: any CheckpointSource, for named: any CheckpointSource, file: String,
    _ session: Session
  ) throws -> Subject {
    let own = try session.naming(input) {
      Subject(
        source: source, network: try source.network(from: session.registry),
        architecture: try source.architecture())
    }
    let moments =
      named.entries.first { $0.name.hasSuffix("running_mean") }?.name
      ?? named.entries.first { $0.name.hasSuffix(".mean") && named.namesNetwork }?.name
    guard let moments, own.network.runningAverages.isEmpty else { return own }
    let place = "\(file) has batch normalisations (‘\(moments.asOneLine)’)"
    let given = foreign.architecture.flatMap { session.isSearched($0) ? nil : $0 }
    let recorded = try session.naming(input) { try FoldedOrigin(source.metadata)?.reference }
    guard let original = try given.map({ text throws in try PluginReference(text) }) ?? recorded
    else {
      throw SessionError.wrongUse(
        "\(place), and \(input) does not say that it was folded from such a network; name the network of "
          + "\(file) with --architecture, or leave out --names-of")
    }
    if given == nil {
      try session.naming(input) {
        try session.registry.refuseFiles(
          namedBy: original, of: .architecture, recordedAs: FoldedOrigin.field)
      }
    }
    let trained = try session.naming(input) {
      try source.trainedNetwork(from: session.registry)
    }
    let network = try session.registry.architecture(original)
      .network(inputShape: own.network.inputShape, classes: trained.classes)
    do {
      let weights = try trained.weights.unfolded(into: network)
      let checkpoint = Checkpoint(TrainedNetwork(architecture: original, weights: weights))
      return Subject(
        source: checkpoint, network: network, architecture: original, isUnfolded: true)
    } catch let error as UnfoldingError {
      throw SessionError.wrongUse("\(place), and \(input) can't get their keys: \(error)")
    }
  }
}

extension CheckpointSource {
  /// The single whole numbers that stand beside tensors in their modules, as PyTorch's
  /// `num_batches_tracked` do.
  fileprivate func counters(besideTensors names: [String]) -> [TensorEntry] {
    func module(_ name: String) -> [UInt8]? {
      let bytes = Array(name.utf8)
      return bytes.lastIndex(of: UInt8(ascii: ".")).map { Array(bytes[..<$0]) }
    }
    let modules = Set(names.compactMap(module))
    return entries.filter { entry in
      entry.elementType.isInteger && entry.shape.rank == 0
        && module(entry.name).map(modules.contains) == true
    }
  }
}
