// SPDX-License-Identifier: Apache-2.0
public import Foundation

/// A file format for named tensors.
public protocol CheckpointFormat: Plugin {
  /// The usual endings of file names, without the dot; the first is the one to write.
  static var fileExtensions: [String] { get }
  /// Whether files of the format can be written.
  static var canWrite: Bool { get }
  /// What to write in the place of a file that can't be written, in words that follow a semicolon; nothing
  /// if the format has no advice.
  /// - Parameter file: The name of the file that was to be written.
  static func insteadOfWriting(_ file: String) -> String?
  /// Whether files of the format can hold a kind of checkpoint.
  static func canHold(_ kind: CheckpointKind) -> Bool

  /// Whether a file that starts with these bytes (all of it, or at least 4096) is of the format.
  static func recognises(_ start: [UInt8]) -> Bool

  /// Whether a file whose first bytes do not say it is of the format all the same.
  static func recognises(contentsOf file: URL) -> Bool

  /// Opens a file: what it holds is read and checked, the tensors when they are asked for.
  /// - Throws: An error that names the file and what is wrong with it.
  func open(_ file: URL) throws -> any CheckpointSource

  /// Writes a file: to a temporary name, synced, and renamed.
  ///
  /// The name may be a hidden one in the folder of the file that is meant, with the same ending:
  /// callers who must not replace what turned up meanwhile give the file its own name afterwards.
  ///
  /// A format has to hold single precision. Another type of element that it can't hold it refuses,
  /// in every shape; it never writes what it can't read back.
  /// - Throws: ``CheckpointError/cannotWrite(format:reason:)`` for what the format can't hold, and no
  ///   other error for that.
  func write(_ checkpoint: any CheckpointSource, to file: URL) throws
}

extension CheckpointFormat {
  /// Formats can be read only, unless they say otherwise.
  public static var canWrite: Bool { false }

  /// No advice.
  public static func insteadOfWriting(_ file: String) -> String? { nil }

  /// A network's weights, and nothing that needs more than named tensors.
  public static func canHold(_ kind: CheckpointKind) -> Bool { kind == .checkpoint }

  /// Not beyond what the first bytes say.
  public static func recognises(contentsOf file: URL) -> Bool { false }

  /// Refuses.
  public func write(_ checkpoint: any CheckpointSource, to file: URL) throws {
    throw CheckpointError.cannotWrite(
      format: Self.name, reason: "the format can be read, not written")
  }
}
