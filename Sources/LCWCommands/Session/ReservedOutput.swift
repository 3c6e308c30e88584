// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import Synchronization

/// A file that a command is to write, checked and taken when its work begins: no other process that
/// asks gets it as long as this value lives.
///
/// Unless what is there may be replaced, writing replaces nothing but what this value wrote before,
/// however late another file turned up.
final class ReservedOutput: Sendable {
  /// The file as the user names it; `-` is standard output.
  let path: String
  /// The format; nothing where bytes are written as they are.
  private let format: (any CheckpointFormat)?
  private let lease: FileLease?
  private let replaceable: Mutex<Replaceable>

  /// What of the name the next writing may replace.
  private enum Replaceable {
    case anything, nothing
    /// What this value wrote, as it was then.
    case own(FileIdentity)
  }

  /// Takes a file, or standard output.
  /// - Throws: `FileError.inUse` if another process is at work on it.
  init(_ path: String, format: (any CheckpointFormat)?, isReplacing: Bool) throws {
    self.path = path
    self.format = format
    replaceable = Mutex(isReplacing ? .anything : .nothing)
    lease = path == Self.standardOutput ? nil : try FileLease(for: URL(fileURLWithPath: path))
  }

  /// How a user names standard output.
  static let standardOutput = "-"

  private var isStandardOutput: Bool { path == Self.standardOutput }

  /// Writes a checkpoint in the format.
  func write(_ checkpoint: any CheckpointSource) throws {
    try checkpoint.requireReadable()
    guard let format else { throw SessionError.wrongUse("\(path) takes bytes, not a checkpoint") }
    try publish { file in
      try checkpoint.whileWanted(writing: path) { try format.write($0, to: file) }
    }
  }

  /// Writes bytes as they are.
  func write(_ bytes: [UInt8]) throws {
    try publish { try AtomicFile.write(bytes, to: $0) }
  }

  /// Says what was written; on standard error, where standard output is what was written.
  func say(_ line: String) throws {
    if isStandardOutput { Console.printError(line) } else { try StandardOutput.line(line) }
  }

  private func publish(_ write: (URL) throws -> Void) throws {
    guard !isStandardOutput else { return try stream(write) }
    let file = URL(fileURLWithPath: path)
    let replaceable = replaceable.withLock { $0 }
    if case .anything = replaceable { return try write(file) }
    let temporary = AtomicFile.temporaryURL(beside: try AtomicFile.target(of: file))
    defer { unlink(temporary.path) }
    try naming(file.path, insteadOf: temporary.path) { try write(temporary) }
    // Looked at when the file lies whole, not before: writing may take long. What is written keeps its
    // identity under its name, which another file may have a moment later.
    let written = FileIdentity(of: temporary)
    let isReplaced =
      if case .own(let identity) = replaceable {
        try AtomicFile.replace(file, ifItIs: identity, by: temporary)
      } else { false }
    if try !isReplaced && !isPublished(temporary, as: file) {
      throw SessionError.outputTurnedUp(file: path, kept: try keep(temporary))
    }
    if let written { self.replaceable.withLock { $0 = .own(written) } }
  }

  /// Gives a result whose name was taken meanwhile another, since it may have taken hours: `a-2.lcw`
  /// for `a.lcw`, or with the first larger number that is free.
  private func keep(_ temporary: URL, number: Int = 2) throws -> String {
    let file = URL(fileURLWithPath: path)
    let stem = file.deletingPathExtension().lastPathComponent
    let ending = file.pathExtension.isEmpty ? "" : ".\(file.pathExtension)"
    let other = file.deletingLastPathComponent()
      .appendingPathComponent("\(stem)-\(number)\(ending)")
    if try isPublished(temporary, as: other) { return other.path }
    return try keep(temporary, number: number + 1)
  }

  /// Gives a file its name, unless there is one of that name.
  private func isPublished(_ temporary: URL, as file: URL) throws -> Bool {
    do {
      try AtomicFile.publish(temporary, as: file, existing: .kept)
      return true
    } catch {
      guard case .exists = error else { throw error }
      return false
    }
  }

  /// Writes to standard output by way of a file, since formats write at positions.
  private func stream(_ write: (URL) throws -> Void) throws {
    let ending = format.flatMap { type(of: $0).fileExtensions.first } ?? "raw"
    let folder = FileManager.default.temporaryDirectory
    let temporary = AtomicFile.temporaryURL(
      beside: folder.appendingPathComponent("lcw-output.\(ending)"))
    defer { unlink(temporary.path) }
    try naming("a temporary file in \(folder.path)", insteadOf: temporary.path) {
      try write(temporary)
    }
    let file = try InputFile(temporary)
    for start in stride(from: 0, to: file.size, by: 1 << 20) {
      try StandardOutput.write(try file.bytes(in: start..<min(start + 1 << 20, file.size)))
    }
  }

  /// Does work on a file with a temporary name; errors name the file that was meant.
  private func naming(
    _ name: String, insteadOf temporary: String, _ work: () throws -> Void
  ) throws {
    do { try work() } catch let error as any DescribedError
      where error.description.contains(temporary)
    {
      throw RenamedError(
        category: error.category,
        description: error.description.replacingOccurrences(of: temporary, with: name))
    }
  }
}

/// An error about a temporary file, told of the file that was meant.
private struct RenamedError: DescribedError {
  var category: ErrorCategory
  var description: String
}
