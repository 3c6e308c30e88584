// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LCWCore
import LCWNumerics
import LCWReport

/// `lcw inspect`
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Shows what a file of weights holds.")

  @Argument(help: "The file, in any format that is known.")
  var file: String

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    let source = try Session().open(file)
    print(json ? text(json: source) : text(table: source))
  }

  private func text(json source: any CheckpointSource) -> String {
    JSONValue.object([
      "kind": .string(source.kind.rawValue),
      "metadata": .object(source.metadata),
      "tensors": .array(
        source.entries.map {
          .object([
            "name": .string($0.name), "dtype": .string($0.elementType.rawValue),
            "shape": .array($0.shape.dimensions.map(JSONValue.integer)),
            "bytes": .integer($0.rawBytes), "stored": .integer($0.storedBytes),
          ])
        }),
    ]).prettyText
  }

  private func text(table source: any CheckpointSource) -> String {
    var lines = ["\(file): \(source.kind.rawValue)"]
    for (key, value) in source.metadata.sorted(by: { $0.key < $1.key }) {
      lines.append("  \(key): \(value.string ?? value.compactText)")
    }
    var table = Table(columns: [
      .init("tensor"), .init("shape"), .init("type"),
      .init("bytes", alignment: .number), .init("stored", alignment: .number),
      .init("ratio", alignment: .number),
    ])
    for entry in source.entries {
      table.append([
        .text(entry.name), .text("\(entry.shape)"), .text(entry.elementType.rawValue),
        .integer(entry.rawBytes), .integer(entry.storedBytes),
        entry.rawBytes > 0
          ? .number(Double(entry.storedBytes) / Double(entry.rawBytes), decimals: 3) : .empty,
      ])
    }
    let raw = source.entries.reduce(0) { $0 + $1.rawBytes }
    let stored = source.entries.reduce(0) { $0 + $1.storedBytes }
    lines += [
      "", table.text, "", "\(source.entries.count) tensors, \(raw) bytes, stored in \(stored)",
    ]
    return lines.joined(separator: "\n")
  }
}
