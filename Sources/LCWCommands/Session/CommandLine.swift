// SPDX-License-Identifier: Apache-2.0

/// The command line as it was given, quoted for a shell, for the record in a report.
func commandLineText(_ arguments: [String] = CommandLine.arguments) -> String {
  let words = ["lcw"] + arguments.dropFirst()
  return shellCommand(words)
}

/// Words as a command for a POSIX shell.
func shellCommand(_ words: [String]) -> String {
  words.map(\.shellQuoted).joined(separator: " ")
}

extension String {
  /// The text as one word of a POSIX shell.
  var shellQuoted: String {
    let plain = allSatisfy {
      $0.isASCII && ($0.isLetter || $0.isNumber || "-_./:=,+@%".contains($0))
    }
    if plain, !isEmpty { return self }
    return "'" + split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
      + "'"
  }
}
