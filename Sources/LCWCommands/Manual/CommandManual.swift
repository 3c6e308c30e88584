// SPDX-License-Identifier: Apache-2.0
import LCWCore

/// The commands as the argument parser describes them.
struct CommandManual {
  /// A command: its words, what it does, and what it takes.
  struct Command {
    let words: String
    let abstract: String
    let discussion: String
    let arguments: [Argument]
    let subcommands: [Command]

    /// The command and those below it.
    var all: [Command] { [self] + subcommands.flatMap(\.all) }
  }

  /// An argument, an option or a flag.
  struct Argument {
    /// As it is written: `-o, --output <output>`.
    let usage: String
    let help: String
  }

  let root: Command

  /// The commands of the parser's description of them.
  /// - Throws: ``JSONError``.
  init(parsing description: String) throws {
    let json = try JSONValue(parsing: Array(description.utf8))
    root = Command(json["command"] ?? .object([:]), below: [])
  }
}

extension CommandManual.Command {
  fileprivate init(_ json: JSONValue, below: [String]) {
    let path = below + [json.text("commandName")]
    words = path.joined(separator: " ")
    abstract = json.text("abstract")
    discussion = json.text("discussion")
    arguments = json.shown("arguments").map(CommandManual.Argument.init)
    // The parser's own.
    subcommands = json.shown("subcommands").filter { $0.text("commandName") != "help" }
      .map { CommandManual.Command($0, below: path) }
  }
}

extension CommandManual.Argument {
  fileprivate init(_ json: JSONValue) {
    let value = json.text("valueName").isEmpty ? "value" : json.text("valueName")
    let repeats = json["isRepeating"]?.bool == true ? " ..." : ""
    let names = (json["names"]?.array ?? []).map { name in
      (name.text("kind") == "long" ? "--" : "-") + name.text("name")
    }
    // Short names first, as the parser's own help has them.
    let sorted = names.filter { !$0.hasPrefix("--") } + names.filter { $0.hasPrefix("--") }
    switch json.text("kind") {
    case "positional":
      usage = json["isOptional"]?.bool == true ? "[<\(value)>\(repeats)]" : "<\(value)>\(repeats)"
    case "flag": usage = sorted.joined(separator: ", ")
    default: usage = sorted.joined(separator: ", ") + " <\(value)>\(repeats)"
    }
    var notes: [String] = []
    if let values = json["allValues"]?.array?.compactMap(\.string), !values.isEmpty {
      notes.append("one of \(values.joined(separator: ", "))")
    }
    if !json.text("defaultValue").isEmpty { notes.append("default: \(json.text("defaultValue"))") }
    help = json.text("abstract") + (notes.isEmpty ? "" : " (\(notes.joined(separator: "; ")))")
  }
}

extension JSONValue {
  fileprivate subscript(key: String) -> JSONValue? { object?[key] }

  fileprivate func text(_ key: String) -> String { self[key]?.string ?? "" }

  fileprivate func shown(_ key: String) -> [JSONValue] {
    (self[key]?.array ?? []).filter { $0["shouldDisplay"]?.bool != false }
  }
}
