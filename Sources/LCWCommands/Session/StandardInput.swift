// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWFiles
import Synchronization

/// Standard input as a file, since formats read at positions. It can be read once.
final class StandardInput: Sendable {
  private let isTaken = Atomic<Bool>(false)

  /// Calls `body` with a file that holds all of standard input; it is gone afterwards, but stays
  /// readable where it is open.
  /// - Throws: ``SessionError``, `FileError`, and what `body` throws.
  func withFile<Result>(_ body: (URL) throws -> Result) throws -> Result {
    guard StandardStreams.hasInput else { throw SessionError.inputClosed }
    guard !isTaken.exchange(true, ordering: .relaxed) else { throw SessionError.inputTaken }
    return try TemporaryFile.withCopy(
      of: STDIN_FILENO, named: "standard input", in: FileManager.default.temporaryDirectory, body)
  }

  /// Makes sure that no more than one of several inputs is standard input.
  /// - Throws: ``SessionError/inputTaken``.
  static func check(_ paths: [String]) throws {
    if paths.count(where: { $0 == "-" }) > 1 { throw SessionError.inputTaken }
  }
}
