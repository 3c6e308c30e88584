// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import LCWCore
import LCWNumerics
import LCWReport

/// `lcw inspect`
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Shows what a file of weights or a data set holds.",
    discussion: """
      Tensors are read only if you name one or give --stats. For a named tensor you see its \
      statistics and a histogram; for a data set, such as mnist or table:train=x.csv, \
      its shape, classes, counts, moments and digest. A file of the same name takes \
      precedence.

      --groups shows the network's nodes and its groups of units, that is, units that must be \
      permuted together. For each group it shows which nodes write it, which apply per-unit \
      parameters to it, which read it, and whether it may be permuted. Instead of a file you can \
      give an architecture, such as mlp:hidden=50, with a --dataset for the samples' shape and the \
      classes.
      """ + CommandExamples.text(of: "inspect"))

  @Argument(
    help: """
      The file, in any known format; or a data set; or with --groups an architecture. - is \
      standard input.
      """,
    completion: .filesAndDatasets)
  var file: String

  @Argument(help: "The tensor to show.", completion: .tensors)
  var tensor: String?

  @Flag(help: "Show statistics of every tensor.")
  var stats = false

  @Flag(help: "Show the network's groups of units instead of its tensors.")
  var groups = false

  @Flag(name: .customLong("json"), help: "Print JSON, as --format json does.")
  var printsJSON = false

  @Option(help: "Output format.")
  var format: InspectionFormat = .table

  @OptionGroup var foreign: ForeignOptions
  @OptionGroup var reading: ReadingOptions
  @OptionGroup var compute: ComputeOptions

  private var json: Bool { printsJSON || format == .json }

  func run() throws {
    let session = try Session(compute, reading)
    if groups {
      guard tensor == nil, !stats else {
        throw SessionError.wrongUse(
          "--groups shows no tensors; leave out the tensor's name and --stats")
      }
      let inspection = GroupInspection(try network(in: session))
      try StandardOutput.text(json ? inspection.json.prettyText : inspection.text)
      return
    }
    guard foreign.architecture == nil, foreign.dataset == nil else {
      throw SessionError.wrongUse(
        "--architecture and --dataset need --groups, which is not given")
    }
    if let reference = try reference(to: .dataset, in: session.registry) {
      if let tensor {
        throw SessionError.wrongUse(
          "\(reference.name) is a data set, which has no tensors; leave out ‘\(tensor.asOneLine)’")
      }
      let inspection = try DatasetInspection(reference, session.data(reference), session.locations)
      try StandardOutput.text(json ? inspection.json.prettyText : inspection.text)
      return
    }
    try refuseMisspelling(in: session.registry)
    let source = try session.open(file)
    if let tensor {
      let inspection = try session.inFile(file) { try TensorInspection(of: tensor, in: source) }
      try StandardOutput.text(
        json ? JSONValue.object(inspection.json).prettyText : inspection.text)
    } else {
      let inspections =
        stats
        ? try session.inFile(file) {
          try source.entries.map { try TensorInspection(of: $0, in: source) }
        } : nil
      try StandardOutput.text(
        json ? text(json: source, inspections) : text(table: source, inspections))
    }
  }

  /// Where there is no such file, the data set that may be meant.
  private func refuseMisspelling(in registry: PluginRegistry) throws {
    let names = registry.plugins(of: .dataset).map { $0.name }
    let name = String(file.prefix { $0 != ":" })
    guard file != "-", !file.contains("/"), !name.contains("."),
      !FileManager.default.fileExists(atPath: file),
      let near = nearestName(to: name, among: names)
    else { return }
    throw SessionError.inFile(
      file, problem: "there is no such file; did you mean the data set ‘\(near)’?",
      category: .missingFile)
  }

  /// The network of the file, or of the architecture that stands in its place.
  private func network(in session: Session) throws -> Network {
    if let reference = try reference(to: .architecture, in: session.registry) {
      guard let dataset = foreign.dataset else {
        throw SessionError.wrongUse(
          "\(reference.name) is an architecture; name a data set, whose samples it takes, with --dataset"
        )
      }
      guard foreign.architecture == nil else {
        throw SessionError.wrongUse(
          "\(reference.name) is an architecture; leave out --architecture")
      }
      let data = try session.data(try session.datasetReference(dataset))
      return try session.registry.architecture(reference)
        .network(inputShape: data.sampleShape, classes: data.classes)
    }
    let source = try session.open(file)
    guard source.metadata["architecture"] == nil || foreign.architecture != nil else {
      return try session.inFile(file) { try source.network(from: session.registry) }
    }
    return try session.bind(
      source, path: file, architecture: foreign.architecture, dataset: foreign.dataset
    ).network
  }

  /// The plugin of a kind that is meant, if there is no file of its name.
  /// - Throws: `PluginError` for options that are no list of options.
  private func reference(
    to kind: PluginKind, in registry: PluginRegistry
  ) throws -> PluginReference? {
    guard file != "-", !FileManager.default.fileExists(atPath: file),
      let name = file.split(separator: ":", maxSplits: 1).first.map(String.init),
      registry.plugins(of: kind).contains(where: { $0.name == name })
    else { return nil }
    return try PluginReference(file)
  }

  /// The tensors of a path, and the characters of a value, that people read.
  private static let (mostTensors, mostCharacters) = (60, 300)

  private func shortened(_ text: String) -> String {
    guard text.count > Self.mostCharacters else { return text }
    return
      "\(text.prefix(Self.mostCharacters)) … (\(text.count) characters; --format json shows all)"
  }

  private func text(json source: any CheckpointSource, _ inspections: [TensorInspection]?) -> String
  {
    let unreadable = source.unreadable.map { tensor in
      JSONValue.object([
        "name": .string(tensor.name), "dtype": .string(tensor.type),
        "shape": .array(tensor.shape.dimensions.map(JSONValue.integer)),
        "stored": .integer(tensor.storedBytes), "readable": false,
      ])
    }
    var description: [String: JSONValue] = [
      "kind": .string(source.kind.rawValue),
      "metadata": .object(source.metadata),
      "tensors": .array(
        source.entries.indices.map { index in
          let entry = source.entries[index]
          let description: [String: JSONValue] = [
            "name": .string(entry.name), "dtype": .string(entry.elementType.rawValue),
            "shape": .array(entry.shape.dimensions.map(JSONValue.integer)),
            "bytes": .integer(entry.rawBytes), "stored": .integer(entry.storedBytes),
          ]
          return .object(description.merging(inspections?[index].json ?? [:]) { old, _ in old })
        } + unreadable),
    ]
    if !source.notes.isEmpty {
      description["notes"] = .array(source.notes.map(JSONValue.string))
    }
    if let hasChecksums = source.hasChecksums { description["checksums"] = .bool(hasChecksums) }
    return JSONValue.object(description).prettyText
  }

  private func text(table source: any CheckpointSource, _ inspections: [TensorInspection]?)
    -> String
  {
    var lines = ["\(file): \(source.kind.rawValue)".asOneLine]
    for (key, value) in source.metadata.sorted(by: { $0.key < $1.key }) {
      lines.append(
        "  \(key.asOneLine): \(shortened((value.string ?? value.compactText).asOneLine))")
    }
    var columns: [Table.Column] = [
      .init("tensor"), .init("shape"), .init("type"),
      .init("bytes", alignment: .number), .init("stored", alignment: .number),
      .init("ratio", alignment: .number),
    ]
    if inspections != nil {
      columns += TensorInspection.columns.map { .init($0, alignment: .number) }
    }
    var table = Table(columns: columns)
    // A path of many stages has thousands, one for each parameter that moves in a stage.
    let shown = source.kind == .path ? Self.mostTensors : source.entries.count
    for (index, entry) in source.entries.enumerated().prefix(shown) {
      table.append(
        [
          .text(entry.name.asOneLine), .text("\(entry.shape)"), .text(entry.elementType.rawValue),
          .integer(entry.rawBytes), .integer(entry.storedBytes),
          entry.rawBytes > 0
            ? .number(Double(entry.storedBytes) / Double(entry.rawBytes), decimals: 3) : .empty,
        ] + (inspections?[index].cells ?? []))
    }
    for tensor in source.unreadable {
      table.append(
        [
          .text(tensor.name.asOneLine), .text("\(tensor.shape)"), .text(tensor.type.asOneLine),
          .empty, .integer(tensor.storedBytes), .empty,
        ] + (inspections == nil ? [] : TensorInspection.columns.map { _ in .empty }))
    }
    let raw = source.entries.reduce(0) { $0 + $1.rawBytes }
    let stored = source.entries.reduce(0) { $0 + $1.storedBytes }
    if source.entries.count > shown {
      table.notes.append(
        "the first \(shown) of \(source.entries.count) tensors; --format json lists all of them")
    }
    lines += [
      "", table.text, "", "\(source.entries.count) tensors, \(raw) bytes, stored in \(stored)",
    ]
    if !source.unreadable.isEmpty {
      let count = source.unreadable.count
      lines.append("\(count) more \(count == 1 ? "is" : "are") of a type that can't be read")
    }
    if source.hasChecksums == false { lines.append("the elements have no checksums") }
    lines += source.notes.map { "note: \($0)".asOneLine }
    return lines.joined(separator: "\n")
  }
}

/// How an inspection is printed.
enum InspectionFormat: String, ExpressibleByArgument, CaseIterable {
  case table, json
}
