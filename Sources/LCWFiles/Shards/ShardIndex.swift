// SPDX-License-Identifier: Apache-2.0
public import Foundation
public import LCWCore

/// The index of a checkpoint that lies in several files, as `model.safetensors.index.json`: which
/// file has which tensor.
///
/// What it says is checked before any file is opened: a file's name is one in the index's own
/// folder, and none leads out of that.
public struct ShardIndex: Sendable {
  /// The index.
  public let file: URL
  /// The files' names, in natural order.
  public let shards: [String]
  /// The tensors and the file of each, as numbers into ``shards``.
  public let tensors: [(name: String, shard: Int)]
  /// What the index says besides.
  public let metadata: [String: JSONValue]

  /// The most bytes of an index.
  public static let sizeLimit = 64 << 20
  /// The most files of a checkpoint.
  public static let shardLimit = 10_000
  /// The most tensors.
  public static let tensorLimit = 1 << 20

  /// The names that indices usually have, the first that is there is taken.
  private static let usualNames = ["model.safetensors.index.json", "pytorch_model.bin.index.json"]
  private static let nameEnding = ".index.json"

  /// The index in a folder: that of a usual name, or else the only file whose name ends in
  /// `.index.json`; nothing if there is none.
  /// - Throws: `CheckpointError.shards` if there are several of other names, and ``FileError``.
  public static func find(in folder: URL) throws -> URL? {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    } catch {
      throw FileError.failed(
        operation: "read", file: folder.path, reason: error.localizedDescription)
    }
    if let usual = usualNames.first(where: names.contains) {
      return folder.appendingPathComponent(usual)
    }
    let others = names.filter { $0.hasSuffix(nameEnding) }.sorted()
    guard others.count <= 1 else {
      throw CheckpointError.shards(
        index: folder.path,
        reason: "it has \(others.count) indices, such as \(others[0]) and \(others[1]); name one")
    }
    return others.first.map(folder.appendingPathComponent)
  }

  /// Whether bytes may be the start of an index: of JSON that is an object.
  public static func recognises(_ start: [UInt8]) -> Bool {
    start.first { ![0x20, 0x0A, 0x0D, 0x09].contains($0) } == UInt8(ascii: "{")
  }

  /// Reads an index; nothing if the file is JSON of something else.
  /// - Throws: `CheckpointError.shards` and ``FileError``.
  public init?(_ file: URL) throws {
    let input = try InputFile(file)
    func error(_ reason: String) -> CheckpointError {
      .shards(index: input.path, reason: reason)
    }
    guard input.size <= Self.sizeLimit else {
      throw FileError.tooLarge(file: input.path, limit: Self.sizeLimit)
    }
    let bytes = try input.bytes(in: 0..<input.size)
    let members: [JSONMember]
    do {
      members = try JSONValue.members(parsing: bytes)
    } catch let problem {
      guard bytes.firstRange(of: Array("\"weight_map\"".utf8)) != nil else { return nil }
      throw error("\(problem)")
    }
    guard let map = members.first(where: { $0.key == "weight_map" }) else { return nil }
    let places: [JSONMember]
    do {
      places = try JSONValue.members(parsing: Array(bytes[map.range]))
    } catch let problem {
      throw error("of its weight_map, \(problem)")
    }
    guard places.count <= Self.tensorLimit else {
      throw error("it lists more than \(Self.tensorLimit) tensors")
    }
    var named: [(name: String, file: String)] = []
    for place in places {
      guard let name = place.value.string else { throw error("‘\(place.key)’ has no file's name") }
      if let problem = Self.problem(withName: name, of: file) { throw error(problem) }
      named.append((place.key, name))
    }
    let unique = Dictionary(named.map { (Array($0.file.utf8), $0.file) }) { first, _ in first }
    shards = unique.values.sorted {
      $0.utf8.count != $1.utf8.count
        ? $0.utf8.count < $1.utf8.count : $0.utf8.lexicographicallyPrecedes($1.utf8)
    }
    guard shards.count <= Self.shardLimit else {
      throw error("it names \(shards.count) files, more than \(Self.shardLimit)")
    }
    let numbers = Dictionary(
      uniqueKeysWithValues: shards.enumerated().map { (Array($1.utf8), $0) })
    tensors = named.map { ($0.name, numbers[Array($0.file.utf8)] ?? 0) }
    metadata = members.first { $0.key == "metadata" }?.value.object ?? [:]
    self.file = file
  }

  /// Why a file's name is not accepted.
  private static func problem(withName name: String, of index: URL) -> String? {
    let shown = "‘\(String(name.prefix(100)).asOneLine)’"
    guard !name.isEmpty, name.utf8.count <= 255, name != ".", name != "..",
      !name.utf8.contains(where: { $0 < 0x20 || $0 == 0x2F || $0 == 0x5C || $0 == 0x7F })
    else { return "\(shown) is no file's name in its own folder" }
    return name == index.lastPathComponent || name.hasSuffix(nameEnding)
      ? "\(shown) is an index, not a file of weights" : nil
  }

  /// The files, of which each has to be there.
  ///
  /// A link may lead out of the folder only to where the index itself really lies, as in a cache of
  /// downloads whose files are all links to one place.
  /// - Throws: `CheckpointError.shards`.
  public func files() throws -> [URL] {
    let folder = file.deletingLastPathComponent().resolvingSymlinksInPath().path
    let ownFolder = file.resolvingSymlinksInPath().deletingLastPathComponent().path
    let named = shards.map { file.deletingLastPathComponent().appendingPathComponent($0) }
    let missing = zip(shards, named).filter {
      !FileManager.default.fileExists(atPath: $0.1.path)
    }.map(\.0)
    if let first = missing.first {
      throw CheckpointError.shards(
        index: file.path,
        reason: missing.count == 1
          ? "\(first) is not beside it; download it too"
          : "\(missing.count) of \(shards.count) files are not beside it, such as \(first); "
            + "download them too")
    }
    for (name, place) in zip(shards, named) {
      let real = place.resolvingSymlinksInPath().deletingLastPathComponent().path
      guard real == folder || real == ownFolder else {
        throw CheckpointError.shards(
          index: file.path, reason: "\(name) is a link that leads out of its folder, to \(real)")
      }
    }
    return named
  }
}
