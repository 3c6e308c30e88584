// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWNetworks
import LCWNumerics
import LCWPaths

/// What a command works with: the plugins, the data's places, the threads.
struct Session {
  let registry: PluginRegistry
  let locations: DataLocations
  let workers: Workers
  /// The threads that were asked for.
  private let threads: Int?
  /// The options for reading files, by the format's name.
  private let inputFormats: [String: PluginReference]
  private let input = StandardInput()
  let opened = OpenedData()
  /// What evaluations of paths have computed that others may need.
  let keptProducts = KeptProducts()

  init(_ options: ComputeOptions, _ reading: ReadingOptions? = nil) throws {
    try self.init(
      data: options.data, threads: options.threads, inputFormats: reading?.inputFormat ?? [])
  }

  init(_ reading: ReadingOptions) throws {
    try self.init(data: nil, threads: nil, inputFormats: reading.inputFormat)
  }

  private init(data: String?, threads: Int?, inputFormats texts: [String]) throws {
    registry = try PluginRegistry.linked()
    self.threads = threads
    var inputFormats: [String: PluginReference] = [:]
    for text in texts {
      let reference = try PluginReference(text)
      _ = try registry.format(reference)
      guard inputFormats.updateValue(reference, forKey: reference.name) == nil else {
        throw SessionError.wrongUse("--input-format names \(reference.name) twice")
      }
    }
    self.inputFormats = inputFormats
    locations = DataLocations(given: data, environment: ProcessInfo.processInfo.environment)
    workers = threads.map(Workers.init) ?? .available
  }

  // MARK: Files

  /// Opens a file of weights in whatever format it is, an index of several, or a folder that has one;
  /// `-` is standard input.
  func open(_ path: String) throws -> any CheckpointSource {
    path == "-"
      ? try input.withFile(openCheckpoint) : try openCheckpoint(URL(fileURLWithPath: path))
  }

  /// A format as it is used for reading, with the options that were given for that.
  func readingFormat(_ format: any CheckpointFormat.Type) throws -> any CheckpointFormat {
    try instance(of: format, options: inputFormats[format.name])
  }

  /// Writes a file of the program's own, in a folder of results or of a demo, in the format that its
  /// name's ending stands for. A link there is replaced, not followed.
  func write(_ checkpoint: any CheckpointSource, to path: String) throws {
    try checkpoint.requireReadable()
    if (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) != nil { unlink(path) }
    let format = try outputFormat(for: path, given: nil)
    try checkpoint.whileWanted(writing: path) {
      try format.write($0, to: URL(fileURLWithPath: path))
    }
  }

  /// Takes a file, before work begins, for its result, in the format that is given or else in that
  /// which its name's ending stands for. It can be written: the format can be and can hold the
  /// result's kind, the folder is there, the file is none of the inputs, and no other process is at
  /// work on it.
  ///
  /// - Parameters:
  ///   - isStreamable: Whether it may be standard output, written as `-`.
  ///   - existing: What may be replaced.
  func reserve(
    _ path: String, holding kind: CheckpointKind = .checkpoint, inputs: [String] = [],
    as format: String? = nil, isStreamable: Bool = false, existing: ExistingOutput
  ) throws -> ReservedOutput {
    if path == ReservedOutput.standardOutput {
      try OutputCheck.checkStandardOutput(isStreamable: isStreamable, format: format)
    }
    let instance = try outputFormat(for: path, given: format)
    let format = type(of: instance)
    guard format.canHold(kind) else {
      throw CheckpointError.cannotWrite(
        format: path,
        reason: "\(format.name) files hold a network's weights, not a \(kind.rawValue); "
          + "give the file a name that ends in .lcw")
    }
    if path != ReservedOutput.standardOutput {
      try OutputCheck.check(path, inputs: inputs.flatMap(filesRead))
    }
    let output = try ReservedOutput(path, format: instance, isReplacing: existing != .refused)
    guard path != ReservedOutput.standardOutput, FileManager.default.fileExists(atPath: path),
      existing != .replaced
    else { return output }
    guard existing == .replacedIfAlike else { throw SessionError.outputExists(file: path) }
    // A file that can't be opened is no archive that could be lost.
    if let found = try? open(path).kind, found != kind {
      throw SessionError.otherKind(file: path, kind: found.rawValue)
    }
    return output
  }

  /// Takes a file, before work begins, for bytes as they are.
  func reserveBytes(
    _ path: String, inputs: [String], existing: ExistingOutput
  ) throws -> ReservedOutput {
    if path == ReservedOutput.standardOutput {
      try OutputCheck.checkStandardOutput(isStreamable: true, format: "raw")
    } else {
      try OutputCheck.check(path, inputs: inputs)
    }
    let output = try ReservedOutput(path, format: nil, isReplacing: existing != .refused)
    if existing == .refused, path != ReservedOutput.standardOutput,
      FileManager.default.fileExists(atPath: path)
    {
      throw SessionError.outputExists(file: path)
    }
    return output
  }

  private func outputFormat(
    for path: String, given: String?
  ) throws -> any CheckpointFormat {
    let reference = try given.map { text throws in try PluginReference(text) }
    return try instance(of: writableFormat(for: path, given: reference), options: reference)
  }

  private func writableFormat(
    for path: String, given: PluginReference?
  ) throws -> any CheckpointFormat.Type {
    let formats = registry.plugins(of: .format).compactMap { $0 as? any CheckpointFormat.Type }
    let ending = URL(fileURLWithPath: path).pathExtension.lowercased()
    // A reference to an unknown format says so.
    if let given { _ = try registry.format(given) }
    let isWanted: (any CheckpointFormat.Type) -> Bool = { format in
      given.map { format.name == $0.name } ?? format.fileExtensions.contains(ending)
    }
    guard let format = formats.first(where: isWanted) else {
      let endings = formats.filter { $0.canWrite }.flatMap { $0.fileExtensions }
      throw CheckpointError.cannotWrite(
        format: path,
        reason:
          "its extension is not that of a known format (\(endings.joined(separator: ", "))); "
          + "change it, or use --format if the command has it"
      )
    }
    guard format.canWrite else {
      throw CheckpointError.cannotWrite(
        format: path,
        reason: "\(format.name) files can be read, not written"
          + (format.insteadOfWriting(path).map { "; \($0)" } ?? ""))
    }
    return format
  }

  private func instance(
    of format: any CheckpointFormat.Type, options given: PluginReference?
  ) throws -> any CheckpointFormat {
    var options = given?.options ?? [:]
    if let threads, options["threads"] == nil,
      format.options.contains(where: { $0.key == "threads" })
    {
      options["threads"] = "\(threads)"
    }
    return try registry.format(PluginReference(name: format.name, options: options))
  }
}

/// What becomes of a file that is where an output should go.
enum ExistingOutput {
  /// It stays, and the command ends with an error.
  case refused
  /// It is replaced, unless it holds another kind of thing, such as a model that took hours to fit.
  case replacedIfAlike
  /// It is replaced, whatever it holds.
  case replaced
}
