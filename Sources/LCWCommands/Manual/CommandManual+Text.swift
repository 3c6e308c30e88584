// SPDX-License-Identifier: Apache-2.0
import LCWCore

extension CommandManual {
  /// Markdown: a section for each command.
  var markdown: String {
    var lines = [
      "# Commands", "",
      "Made by `lcw manual` from the commands' own help; a test holds the two against each other.",
      "Every command takes `--help`.", "",
    ]
    for command in root.all {
      lines += ["## \(command.words)", "", command.abstract, ""]
      if !command.discussion.isEmpty { lines += [command.discussion, ""] }
      let arguments = command.arguments.filter { !Self.isCommon($0) }
      lines += arguments.map { "- `\($0.usage)`: \($0.help)" }
      if !arguments.isEmpty { lines.append("") }
    }
    return lines.joined(separator: "\n")
  }

  /// A page for `man`.
  var manPage: String {
    var lines = [
      ".TH LCW 1 \"\" \"lcw \(LCWVersion.current)\" \"User Commands\"", ".SH NAME",
      "lcw \\- \(Self.roff(root.abstract))", ".SH SYNOPSIS", ".B lcw",
      "[\\-\\-plugin FILE ...] COMMAND [ARGUMENTS]", ".SH DESCRIPTION",
      Self.roff(root.discussion), ".SH OPTIONS",
    ]
    lines += Self.roff(root.arguments)
    lines.append(".SH COMMANDS")
    for command in root.all.dropFirst() {
      lines += [".SS \(Self.roff(command.words))", Self.roff(command.abstract)]
      if !command.discussion.isEmpty { lines += [".PP", Self.roff(command.discussion)] }
      lines += Self.roff(command.arguments)
    }
    lines += [".SH ENVIRONMENT"]
    for (name, help) in Self.environment { lines += [".TP", ".B \(name)", Self.roff(help)] }
    lines += [".SH EXIT STATUS"]
    for (status, help) in Self.statuses { lines += [".TP", ".B \(status)", Self.roff(help)] }
    return lines.joined(separator: "\n") + "\n"
  }

  private static let environment = [
    ("LCW_DATA", "The folder of data sets, where --data names none."),
    ("LCW_PLUGINS", "Folders of shared objects with plugins, with colons between; all are opened."),
  ]

  private static let statuses = [
    ("0", "It did what it should."), ("64", "The command was used wrongly."),
    ("65", "A file's content is wrong."), ("66", "A file is not there."),
    ("130", "It was interrupted; the message on standard error says how to resume."),
    (
      "141",
      "What reads standard output has gone, as head does when it has enough; nothing is said."
    ),
    ("1", "Something else went wrong; of lcw diff: the files differ."),
    ("2", "Of lcw diff alone: something else went wrong."),
  ]

  private static func isCommon(_ argument: Argument) -> Bool {
    argument.usage.hasSuffix("--help") || argument.usage.hasSuffix("--version")
  }

  /// The arguments, each with its help.
  private static func roff(_ arguments: [Argument]) -> [String] {
    arguments.filter { !isCommon($0) }.flatMap {
      [".TP", ".B \(roff($0.usage))", roff($0.help)]
    }
  }

  /// A text in which nothing is a request to the formatter.
  private static func roff(_ text: String) -> String {
    let escaped = text.reduce(into: "") { result, character in
      switch character {
      case "\\": result += "\\e"
      case "-": result += "\\-"
      default: result.append(character)
      }
    }
    return escaped.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.first == "." || $0.first == "'" ? "\\&\($0)" : String($0) }
      .joined(separator: "\n")
  }
}
