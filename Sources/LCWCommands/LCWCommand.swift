// SPDX-License-Identifier: Apache-2.0
public import ArgumentParser
import Foundation
import LCWCore
import LCWNumerics

/// The command `lcw`: its subcommands, and the one place that turns errors into text.
///
/// A host of one's own links this library and the plugins it wants, and is one line:
///
/// ```swift
/// LCWCommand.runAsProgram()
/// ```
public struct LCWCommand: ParsableCommand {
  /// The subcommands.
  public static let configuration = CommandConfiguration(
    commandName: "lcw",
    abstract: "Joins independently trained neural networks by paths of low loss.",
    discussion: """
      Start with `lcw demo`: it trains two networks, connects them and writes a report. \
      `lcw plugins` lists methods, architectures, data sets and formats. `lcw examples` shows \
      examples of every command. `lcw doctor` checks this machine.
      """,
    version: LCWVersion.current,
    subcommands: [
      PluginsCommand.self, TrainCommand.self, FitCommand.self, ConnectCommand.self,
      CompareCommand.self, EvaluateCommand.self, EnsembleCommand.self, MergeCommand.self,
      PlaneCommand.self, LandscapeCommand.self, ReproduceCommand.self,
      ExportCommand.self, ConvertCommand.self, InspectCommand.self,
      VerifyCommand.self, DiffCommand.self, ExtractCommand.self, DemoCommand.self,
      PluginCommand.self, DoctorCommand.self, ExamplesCommand.self, ManualCommand.self,
    ])

  @Option(
    help: """
      A shared object with plugins, before the command; may be repeated. Those in the folders \
      of LCW_PLUGINS are loaded too.
      """, completion: .file(extensions: ["so"]))
  var plugin: [String] = []

  /// A root command; it does nothing but list the others.
  public init() {}

  /// Checks that words behind `lcw` are a command line, without running it.
  /// - Throws: What is wrong with them.
  public static func check(_ words: [String]) throws {
    _ = try parseAsRoot(words.joiningNegativeNumbers)
  }

  /// Parses the process's arguments, runs the command, and ends the process: with 0, or after one
  /// line `error: …` with 64 for wrong usage, 65 for bad data, 66 for a missing file, 130 for an
  /// interruption, 1 otherwise (2 of `lcw diff`, which says by 1 that files differ); and with 141,
  /// without a line, if the reader of standard output is gone.
  public static func runAsProgram() -> Never {
    StandardStreams.prepare()
    let slowness = Machine.prepareProgram()
    if let slowness { Console.printError("warning: \(slowness)") }
    StopSignals.shared.begin(command: commandName(in: CommandLine.arguments))
    // A shell that asks what may stand on the line gets words or nothing.
    let isCompleting = CompletionScript.line(askedAboutBy: CommandLine.arguments) != nil
    do {
      if let script = CompletionScript.text(askedForBy: CommandLine.arguments) {
        try StandardOutput.text(script)
        try StandardOutput.finish()
        Foundation.exit(0)
      }
      try checkCommand(CommandLine.arguments)
      try checkPrecision(CommandLine.arguments)
      // Before the arguments are parsed: commands look at the plugins while they check theirs.
      try PluginObject.openAll(
        arguments: CommandLine.arguments, environment: ProcessInfo.processInfo.environment)
      var command = try parseAsRoot(
        Array(CommandLine.arguments.dropFirst()).joiningNegativeNumbers)
      try command.run()
      try StandardOutput.finish()
      Foundation.exit(0)
    } catch {
      if isCompleting, !exitCode(for: error).isSuccess { Foundation.exit(1) }
      Foundation.exit(report(error))
    }
  }

  /// `lcw` and the command's own name, as messages call what is being done.
  private static func commandName(in arguments: [String]) -> String {
    let names = configuration.subcommands.compactMap { $0.configuration.commandName }
    let own = arguments.dropFirst().first { names.contains($0) }
    return (["lcw"] + [own].compactMap(\.self)).joined(separator: " ")
  }

  /// Refuses a command that there is none of, behind `help` too; the parser has no suggestions.
  private static func checkCommand(_ arguments: [String]) throws {
    let words = PluginObject.namedFiles(arguments).rest
    let names = configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]
    guard let word = words.first == "help" ? words.dropFirst().first : words.first,
      !word.hasPrefix("-"), !names.contains(word)
    else { return }
    let nearest = nearestName(to: word, among: names)
    throw SessionError.wrongUse(
      "there is no command ‘\(word)’"
        + (nearest.map { "; did you mean ‘\($0)’?" } ?? "; lcw --help lists them"))
  }

  /// Refuses a precision that there is none of; the doctor says so itself.
  private static func checkPrecision(_ arguments: [String]) throws {
    guard let unknown = MatrixPrecision.unknownValue,
      PluginObject.namedFiles(arguments).rest.first != DoctorCommand.name
    else { return }
    throw SessionError.wrongUse(
      "\(MatrixPrecision.variable)=\(unknown) in the environment is not known: set it to "
        + MatrixPrecision.allCases.map(\.rawValue).joined(separator: " or "))
  }

  /// The exit status where the system fails.
  private static var failureStatus: Int32 {
    let command = PluginObject.namedFiles(CommandLine.arguments).rest.first
    return command == DiffCommand.configuration.commandName
      ? DiffCommand.failureStatus : ErrorCategory.failure.rawValue
  }

  /// Prints an error for a person, and gives the exit status it means.
  private static func report(_ error: any Error) -> Int32 {
    switch error {
    case OutputError.readerLeft: return OutputError.readerLeftStatus
    case let interruption as Interruption:
      Console.printError("interrupted: \(interruption)")
      return 130
    case let described as any DescribedError:
      Console.printError("error: \(described.advice)")
      return described.category == .failure ? failureStatus : described.category.rawValue
    case let underlying where exitCode(for: underlying) == .failure && !(underlying is ExitCode):
      Console.printError("error: \(underlying)")
      return failureStatus
    default:
      let text = fullMessage(for: error)
      do {
        if exitCode(for: error).isSuccess {
          try StandardOutput.text(text)
        } else if !text.isEmpty {
          Console.printErrors(text.hasPrefix("Error: ") ? "e" + text.dropFirst() : text)
        }
        try StandardOutput.finish()
      } catch {
        return report(error)
      }
      return exitCode(for: error).rawValue
    }
  }
}
