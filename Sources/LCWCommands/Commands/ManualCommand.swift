// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LCWCore

/// `lcw manual`
struct ManualCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manual", abstract: "Prints the manual of all commands, from their own help.",
    discussion: """
      As Markdown or as a man page: lcw manual --format man > lcw.1, then man ./lcw.1. For shell \
      completion of commands, options, files and plugins, use the script that \
      lcw --generate-completion-script bash (or zsh, or fish) prints.
      """ + CommandExamples.text(of: "manual"))

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case markdown, man
  }

  @Option(help: "The format.")
  var format = Format.markdown

  func run() throws {
    let manual = try CommandManual(parsing: LCWCommand._dumpHelp())
    try StandardOutput.text(
      format == .markdown ? manual.markdown : manual.manPage, terminator: "")
  }
}
