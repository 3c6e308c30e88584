// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles

extension Session {
  /// The files of weights that a folder may have beside others, if it has no index.
  private static let usualFiles = ["model.safetensors", "pytorch_model.bin"]

  /// Opens a file of weights, the index of a checkpoint in several files, or a folder that holds one
  /// of these.
  func openCheckpoint(_ file: URL) throws -> any CheckpointSource {
    var isFolder: ObjCBool = false
    guard file.isFileURL, FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder),
      isFolder.boolValue
    else { return try openFile(file, mayBeIndex: true) }
    if let index = try ShardIndex.find(in: file) { return try openFile(index, mayBeIndex: true) }
    let found = Self.usualFiles.map(file.appendingPathComponent).filter {
      FileManager.default.fileExists(atPath: $0.path)
    }
    guard let single = found.first, found.count == 1 else {
      throw CheckpointError.otherContent(
        file: file.path,
        ForeignContent(
          what: found.isEmpty
            ? "is a folder without an index of a checkpoint's files, such as model.safetensors.index.json"
            : "is a folder with several files of weights",
          advice: "name a file of weights in it"))
    }
    return try openFile(single, mayBeIndex: false)
  }

  /// Opens one file in whatever format it is, and no other that it names.
  func open(_ file: URL) throws -> any CheckpointSource {
    try openFile(file, mayBeIndex: false)
  }

  /// Opens a file in whatever format it is.
  private func openFile(_ file: URL, mayBeIndex: Bool) throws -> any CheckpointSource {
    let input = try InputFile(file)
    let start = try input.prefix(4096)
    let formats = registry.plugins(of: .format).compactMap { $0 as? any CheckpointFormat.Type }
    if let format = formats.first(where: { $0.recognises(start) })
      ?? formats.first(where: { $0.recognises(contentsOf: file) })
    {
      return try readingFormat(format).open(file)
    }
    if mayBeIndex, ShardIndex.recognises(start), let index = try ShardIndex(file) {
      return try ShardedCheckpoint(index) { try openFile($0, mayBeIndex: false) }
    }
    let end = try input.bytes(in: max(0, input.size - 64)..<input.size)
    if let content = ForeignContent(start: start, end: end, size: input.size) {
      // A data set that opens this file is not asked whether it can.
      throw CheckpointError.otherContent(
        file: input.path, mayBeIndex ? naming(content, asDataIn: input) : content)
    }
    throw CheckpointError.unknownFormat(file: input.path, known: formats.map { $0.name })
  }

  /// What to do about text, which may be samples: with the data sets named that can read it.
  private func naming(_ content: ForeignContent, asDataIn file: InputFile) -> ForeignContent {
    // Options can't have commas, and reading a large table would take long.
    guard content.what.hasPrefix("is text"), file.size < 50_000_000, !file.path.contains(","),
      FileManager.default.fileExists(atPath: file.path)
    else { return content }
    guard let reader = dataReaders(of: file.path).first(where: { (try? data($0)) != nil }) else {
      return content
    }
    return ForeignContent(
      what: content.what,
      advice:
        "name it as a data set, such as \("\(reader)".shellQuoted), or name the file of weights")
  }

  /// The files that are read where a path is: itself, and those of an index.
  func filesRead(at path: String) -> [String] {
    let file = URL(fileURLWithPath: path)
    var isFolder: ObjCBool = false
    guard path != "-", FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      return [path]
    }
    let index = isFolder.boolValue ? (try? ShardIndex.find(in: file)) ?? nil : file
    guard let index, let start = try? InputFile(index).prefix(64), ShardIndex.recognises(start),
      let shards = (try? ShardIndex(index))??.shards
    else {
      return [path] + Self.usualFiles.map { file.appendingPathComponent($0).path }
    }
    let folder = index.deletingLastPathComponent()
    return [path, index.path] + shards.map { folder.appendingPathComponent($0).path }
  }
}
