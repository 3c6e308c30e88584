// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation

/// The scripts by which shells complete commands: the argument parser's, with what it lacks.
enum CompletionScript {
  /// The option that asks for a script.
  static let option = "--generate-completion-script"

  /// The script that a command line asks for, or nothing if it asks for something else, such as the script of
  /// a shell that is not known.
  static func text(askedForBy arguments: [String]) -> String? {
    let words = arguments.dropFirst()
    guard let first = words.first else { return nil }
    guard first == option || first.hasPrefix(option + "=") else { return nil }
    let name = first == option ? words.dropFirst().first : String(first.dropFirst(option.count + 1))
    guard
      let shell = name.flatMap({ $0.isEmpty ? nil : $0 }).map(CompletionShell.init(rawValue:))
        ?? CompletionShell.autodetected()
    else { return nil }
    return text(for: shell, program: URL(fileURLWithPath: arguments[0]).lastPathComponent)
  }

  /// The script for a shell.
  /// - Parameter program: The program's name, which is completed beside `lcw`: a host of one's own has another.
  static func text(for shell: CompletionShell, program: String) -> String {
    let script = LCWCommand.completionScript(for: shell)
    let names = (["lcw"] + (program == "lcw" ? [] : [program])).map(\.shellQuoted)
      .joined(separator: " ")
    let commands = LCWCommand.configuration.subcommands.compactMap { $0.configuration.commandName }
      .joined(separator: " ")
    func filled(_ template: [UInt8]) -> String {
      String(decoding: template, as: UTF8.self).replacingOccurrences(of: "{{names}}", with: names)
        .replacingOccurrences(of: "{{commands}}", with: commands)
    }
    switch shell {
    case .bash: return script + "\n" + filled(PackageResources.Bash_template)
    case .zsh:
      return
        script
        .replacingOccurrences(of: "#compdef lcw\n", with: "#compdef \(names)\n")
        // The last lines call the functions above, which are to be the mended ones.
        .replacingOccurrences(
          of: "\nif [[ \"${funcstack[1]}\" = _lcw ]]; then",
          with: "\n" + filled(PackageResources.Zsh_template)
            + "if [[ \"${funcstack[1]}\" = _lcw ]]; then"
        )
        .replacingOccurrences(of: "compdef _lcw lcw\n", with: "compdef _lcw \(names)\n")
        .split(separator: "\n", omittingEmptySubsequences: false).map(withJoinedValue)
        .joined(separator: "\n")
    default:
      // A program that is called by its path is the same program.
      let tokens = "set -l unparsed_tokens (__lcw_tokens -pc)\n"
      return
        script
        .replacingOccurrences(of: tokens, with: tokens + "    set unparsed_tokens[1] lcw\n")
        // The parser's own command offers none of the others.
        + "\ncomplete -c lcw -n '__fish_seen_subcommand_from help' -fka '\(commands)'"
        + (program == "lcw" ? "" : "\ncomplete -c \(program.shellQuoted) -w lcw")
    }
  }

  /// A line of a script for zsh; one that describes an option with a value lets it stand behind an equals sign
  /// too, as the program does.
  private static func withJoinedValue(_ line: Substring) -> String {
    // Brackets and colons of the help are behind backslashes.
    guard line.contains("]:") else { return String(line) }
    return String(
      line.replacing(#/(--[a-z\-]+)([,}\[])/#, maxReplacements: 1) { "\($0.1)=\($0.2)" })
  }

  /// The words of the command line that a shell asks completions for, if a command line is such a question:
  /// `lcw ---completion COMMAND … -- ARGUMENT INDEX POSITION WORD …`.
  static func line(askedAboutBy arguments: [String]) -> [String]? {
    guard arguments.dropFirst().first == "---completion",
      let mark = arguments.firstIndex(of: "--")
    else { return nil }
    return Array(arguments[mark...].dropFirst(4))
  }
}
