// SPDX-License-Identifier: Apache-2.0
public import Foundation
public import LCWCore
public import LCWNumerics

/// The `.lcw` archive: a tar of a JSON manifest and of tensors compressed by byte planes.
///
/// `SPEC.md` in this folder says what each byte means. What is read is checked against all of it;
/// what is written is the same bytes for the same checkpoint, whatever the number of threads.
public struct LCWArchive: CheckpointFormat {
  /// `lcw`
  public static let name = "lcw"
  /// What it is.
  public static let summary = "lcw's own archive: lossless compression, checksums, any network"
  /// `lcw`
  public static let fileExtensions = ["lcw"]
  /// It can be written.
  public static let canWrite = true

  /// Every kind.
  public static func canHold(_ kind: CheckpointKind) -> Bool { true }

  private static let effortOption = PluginOption(
    "effort", default: Effort.fast, help: "compression effort when writing")
  private static let digestOption = PluginOption(
    "sha256", default: false, help: "whether to write a SHA-256 of each tensor")
  private static let threadsOption = PluginOption(
    "threads", default: 0, help: "threads to use, 0 for one per processor")
  private static let limitsOption = PluginOption(
    "limits", default: 1, help: "factor by which to raise the limits on sizes and counts")

  /// `effort`, `sha256`, `threads` and `limits`.
  public static let options: [any PluginOptionDescription] = [
    effortOption, digestOption, threadsOption, limitsOption,
  ]

  private let limits: Limits
  private let workers: Workers
  private let effort: Effort
  private let digests: Bool

  /// The format with the given options.
  /// - Throws: `PluginError.invalidOption` for a negative number of threads or a factor that is
  ///   not from 1 to 1024.
  public init(options: OptionValues) throws {
    let threads = try options.value(of: Self.threadsOption, in: 0...4096)
    self.init(
      limits: Limits().scaled(by: try options.value(of: Self.limitsOption, in: 1...1024)),
      workers: threads == 0 ? .available : Workers(threads), effort: options[Self.effortOption],
      digests: options[Self.digestOption])
  }

  /// The format.
  /// - Parameters:
  ///   - limits: What an archive may hold at most.
  ///   - workers: The threads to use.
  ///   - effort: How hard to try for a small file.
  ///   - digests: Whether to write a SHA-256 of each tensor; those in a file are always checked.
  public init(
    limits: Limits = Limits(), workers: Workers = .available, effort: Effort = .fast,
    digests: Bool = false
  ) {
    self.limits = limits
    self.workers = workers
    self.effort = effort
    self.digests = digests
  }

  /// Whether the bytes are a ustar header for `manifest.json`.
  public static func recognises(_ start: [UInt8]) -> Bool { TarContainer.recognises(start) }

  /// Opens an archive: reads and checks its manifest and all headers.
  /// - Throws: ``ArchiveError``, and `FileError` if the file can't be read.
  public func open(_ file: URL) throws -> any CheckpointSource {
    try ArchiveReader(file, limits: limits, workers: workers)
  }

  /// Writes an archive, a tensor at a time.
  /// - Throws: `CheckpointError.cannotWrite` for what the format can't hold, what the source
  ///   throws, and ``ArchiveError`` and `FileError` if the system fails.
  public func write(_ checkpoint: any CheckpointSource, to file: URL) throws {
    try checkpoint.requireReadable()
    try ArchiveWriter(limits: limits, workers: workers, effort: effort, digests: digests)
      .write(checkpoint, to: file)
  }
}

/// How hard to try for a small file.
public enum Effort: String, OptionChoice {
  /// The way of compressing each plane is chosen by a sample.
  case fast
  /// All ways are tried on every plane.
  case best
}

@section("lcw_plugins") @used
let lcwArchivePlugin: PluginRecord = { $0.add(LCWArchive.self) }
