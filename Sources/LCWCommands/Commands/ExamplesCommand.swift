// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LCWCore

/// `lcw examples`
struct ExamplesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "examples", abstract: "Shows examples of all commands, or of one.",
    discussion: CommandExamples.text(of: "examples"))

  @Argument(help: "Only this command.")
  var command: String?

  func run() throws {
    let known = CommandExamples.all.map(\.command)
    if let command, !known.contains(command) {
      let near = nearestName(to: command, among: known).map { "; did you mean ‘\($0)’?" } ?? ""
      throw SessionError.wrongUse("there is no command ‘\(command)’\(near)")
    }
    let shown = CommandExamples.all.filter { command == nil || $0.command == command }
    try StandardOutput.text(shown.flatMap(\.lines).joined(separator: "\n"))
  }
}
