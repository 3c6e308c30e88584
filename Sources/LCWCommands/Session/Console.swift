// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import Synchronization

/// What the command says beside its results: to standard error.
enum Console {
  /// Prints a line to standard error. What it quotes, such as a file's name, can't break it or steer
  /// the terminal.
  static func printError(_ line: String) {
    write("\(line.asOneLine)\n")
  }

  /// Prints several lines to standard error, each as ``printError(_:)`` does.
  static func printErrors(_ text: String) {
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      printError(String(line))
    }
  }

  /// Writes to standard error. That it may be full or closed is no reason to stop working.
  static func write(_ text: String) {
    let bytes = Array(text.utf8)
    var start = 0
    while start < bytes.count {
      let written = bytes.withUnsafeBytes {
        systemWrite(2, $0.baseAddress.map { $0 + start }, bytes.count - start)
      }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { return }
      start += written
    }
  }

  /// Whether standard error is a terminal.
  static var isTerminal: Bool { isatty(2) == 1 }
}

// Inside the type here `write` is a method of its own.
private func systemWrite(_ descriptor: Int32, _ start: UnsafeRawPointer?, _ count: Int) -> Int {
  write(descriptor, start, count)
}

/// Progress: a line that changes on a terminal, a line of its own every few seconds elsewhere.
struct ProgressLine {
  private let isTerminal = Console.isTerminal
  private let isQuiet: Bool
  private var lastUpdate: ContinuousClock.Instant

  init(isQuiet: Bool) {
    self.isQuiet = isQuiet
    // Work that is over soon says nothing where lines stay.
    lastUpdate = isTerminal ? .now - Self.terminalInterval : .now
  }

  private static let terminalInterval = Duration.milliseconds(100)
  private static let plainInterval = Duration.seconds(10)

  /// Shows where things are: at most ten times a second on a terminal, every ten seconds elsewhere.
  mutating func update(_ text: @autoclosure () -> String) {
    guard !isQuiet else { return }
    let now = ContinuousClock.now
    guard now - lastUpdate >= (isTerminal ? Self.terminalInterval : Self.plainInterval) else {
      return
    }
    lastUpdate = now
    if isTerminal {
      Console.write("\r\u{1B}[K\(text().asOneLine)")
    } else {
      Console.printError(text())
    }
  }

  /// Shows something that stays.
  func print(_ line: String) {
    guard !isQuiet else { return }
    if isTerminal { Console.write("\r\u{1B}[K") }
    Console.printError(line)
  }

  /// Removes the changing line.
  func clear() {
    if isTerminal, !isQuiet { Console.write("\r\u{1B}[K") }
  }
}

/// A progress line for one computation that may report from any thread.
final class SharedProgressLine: Sendable {
  private let state: Mutex<(line: ProgressLine, remaining: RemainingTime)>
  private let name: String
  private let start = ContinuousClock.now

  init(isQuiet: Bool, name: String) {
    state = Mutex((ProgressLine(isQuiet: isQuiet), RemainingTime()))
    self.name = name
  }

  deinit { state.withLock { $0.line.clear() } }

  /// Shows what is done, and an estimate of the time that is left.
  func show(_ progress: ConnectionProgress) {
    let time = ContinuousClock.now - start
    state.withLock {
      let left = $0.remaining.left(afterShare: progress.share, at: time)
      let estimate = left.map { "  \($0.shortText) left" } ?? ""
      if progress.isMilestone {
        $0.line.print("\(name): \(progress.activity)\(estimate)")
      } else {
        $0.line.update("\(name): \(progress.activity)\(estimate)")
      }
    }
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
