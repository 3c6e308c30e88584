// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What the command says beside its results: to standard error.
enum Console {
  /// Prints a line to standard error.
  static func printError(_ line: String) {
    FileHandle.standardError.write(Data("\(line)\n".utf8))
  }

  /// Whether standard error is a terminal.
  static var isTerminal: Bool { isatty(2) == 1 }
}

/// Progress: a line that changes on a terminal, a plain line now and then elsewhere.
struct ProgressLine {
  private let isTerminal = Console.isTerminal
  private let isQuiet: Bool
  private var lastUpdate = ContinuousClock.now - .seconds(3600)

  init(isQuiet: Bool) {
    self.isQuiet = isQuiet
  }

  /// Shows where things are, at most ten times a second; only on a terminal.
  mutating func update(_ text: @autoclosure () -> String) {
    guard isTerminal, !isQuiet else { return }
    let now = ContinuousClock.now
    guard now - lastUpdate > .milliseconds(100) else { return }
    lastUpdate = now
    FileHandle.standardError.write(Data("\r\u{1B}[K\(text())".utf8))
  }

  /// Shows something that stays.
  func print(_ line: String) {
    guard !isQuiet else { return }
    if isTerminal { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
    Console.printError(line)
  }

  /// Removes the changing line.
  func clear() {
    if isTerminal, !isQuiet { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
  }
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }

  /// The duration as `42 s` or `3 min 05 s`.
  var shortText: String {
    let whole = Int(seconds.rounded())
    guard whole >= 100 else { return "\(whole) s" }
    guard whole >= 3600 else {
      return "\(whole / 60) min \(whole % 60 < 10 ? "0" : "")\(whole % 60) s"
    }
    return "\(whole / 3600) h \((whole % 3600) / 60) min"
  }
}

/// A number with a fixed count of decimals, whatever the locale.
func fixed(_ value: Double, _ decimals: Int) -> String {
  value.formatted(
    .number.precision(.fractionLength(decimals)).grouping(.never)
      .locale(Locale(identifier: "en_US_POSIX")))
}
