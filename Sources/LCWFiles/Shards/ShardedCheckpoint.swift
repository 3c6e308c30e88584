// SPDX-License-Identifier: Apache-2.0
public import Foundation
public import LCWCore
public import LCWNumerics
import Synchronization

/// A checkpoint that lies in several files, as one. One file is open at a time, and a tensor is read
/// when it is asked for.
public final class ShardedCheckpoint: CheckpointSource {
  /// A network's weights.
  public let kind: CheckpointKind = .checkpoint
  /// What the index says besides.
  public let metadata: [String: JSONValue]
  /// The tensors, file by file.
  public let entries: [TensorEntry]
  /// The tensors whose elements are of a type that can't be read.
  public let unreadable: [UnreadableTensor]
  /// What is to be known of the files.
  public let notes: [String]
  /// Whether the elements in all files have checksums.
  public let hasChecksums: Bool?

  private let files: [URL]
  private let open: @Sendable (URL) throws -> any CheckpointSource
  private let places: [[UInt8]: Int]
  private let current: Mutex<(shard: Int, source: any CheckpointSource)?>

  /// Opens each file of an index, and checks that it has the tensors that the index says.
  /// - Parameters:
  ///   - index: The index.
  ///   - open: Opens a file of weights, and no index.
  /// - Throws: `CheckpointError.shards` if a file is missing, lies elsewhere, or holds other tensors
  ///   than the index says, and what `open` throws.
  public init(
    _ index: ShardIndex, open: @escaping @Sendable (URL) throws -> any CheckpointSource
  ) throws {
    func error(_ reason: String) -> CheckpointError {
      .shards(index: index.file.path, reason: reason)
    }
    files = try index.files()
    self.open = open
    var places: [[UInt8]: Int] = [:]
    for tensor in index.tensors { places[Array(tensor.name.utf8)] = tensor.shard }
    var (entries, unreadable, notes) = ([TensorEntry](), [UnreadableTensor](), [String]())
    var owners: [[UInt8]: Int] = [:]
    var checksums: [Bool?] = []
    for (number, file) in files.enumerated() {
      let source = try open(file)
      checksums.append(source.hasChecksums)
      var unlisted = 0
      func isWanted(_ name: String) throws -> Bool {
        let key = Array(name.utf8)
        if let owner = owners.updateValue(number, forKey: key) {
          throw error(
            "‘\(name)’ is in two files, \(index.shards[owner]) and \(index.shards[number])")
        }
        guard let place = places[key] else {
          unlisted += 1
          return false
        }
        guard place == number else {
          throw error(
            "‘\(name)’ is in \(index.shards[number]), but should be in \(index.shards[place])")
        }
        return true
      }
      entries += try source.entries.filter { try isWanted($0.name) }
      unreadable += try source.unreadable.filter { try isWanted($0.name) }
      notes += source.notes.map { "\(index.shards[number]): \($0)" }
      if unlisted > 0 {
        notes.append(
          "\(index.shards[number]): \(unlisted) "
            + "\(unlisted == 1 ? "tensor is" : "tensors are") left out, which the index does not list"
        )
      }
    }
    if let missing = index.tensors.first(where: { owners[Array($0.name.utf8)] == nil }) {
      throw error("‘\(missing.name)’ should be in \(index.shards[missing.shard]), and is not")
    }
    metadata = index.metadata
    (self.entries, self.unreadable, self.notes) = (entries, unreadable, notes)
    hasChecksums = checksums.contains(false) ? false : checksums.contains(nil) ? nil : true
    self.places = places
    current = Mutex(nil)
  }

  /// The tensor of a name.
  /// - Throws: What the file that has it throws.
  public func tensor(named name: String) throws -> StoredTensor {
    try source(of: name).tensor(named: name)
  }

  /// The bytes of a range of a tensor's elements, where its file gives them.
  /// - Throws: As ``tensor(named:)``.
  public func elementBytes(of name: String, in elements: Range<Int>) throws -> [UInt8]? {
    try source(of: name).elementBytes(of: name, in: elements)
  }

  /// The file that has a tensor, opened.
  private func source(of name: String) throws -> any CheckpointSource {
    guard let shard = places[Array(name.utf8)] else {
      throw CheckpointError.missingTensor(
        name, nearest: nearestName(to: name, among: entries.map(\.name)))
    }
    if let open = current.withLock({ $0?.shard == shard ? $0?.source : nil }) { return open }
    let source = try open(files[shard])
    current.withLock { $0 = (shard, source) }
    return source
  }
}
