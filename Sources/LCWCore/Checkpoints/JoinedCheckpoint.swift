// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// A checkpoint's tensors with some of another's behind them.
public struct JoinedCheckpoint: CheckpointSource {
  /// What the tensors are.
  public var kind: CheckpointKind { first.kind }
  /// What is said of them.
  public let metadata: [String: JSONValue]
  /// The first one's tensors, and behind them those that were chosen of the second.
  public let entries: [TensorEntry]
  /// The first one's tensors whose elements can't be read.
  public var unreadable: [UnreadableTensor] { first.unreadable }
  /// What is to be known of the first.
  public var notes: [String] { first.notes }
  private let first: any CheckpointSource
  private let second: any CheckpointSource
  /// The names of the second's tensors, by their bytes.
  private let chosen: Set<[UInt8]>

  /// Two checkpoints as one.
  /// - Parameters:
  ///   - first: All of its tensors are there.
  ///   - second: Another checkpoint.
  ///   - chosen: Those of its tensors that are there as well; names that the first has too stay the
  ///     first's.
  ///   - metadata: What is said of the whole; what is said of the first, if nothing.
  public init(
    _ first: any CheckpointSource, with chosen: [TensorEntry] = [],
    of second: any CheckpointSource, metadata: [String: JSONValue]? = nil
  ) {
    self.first = first
    self.second = second
    self.metadata = metadata ?? first.metadata
    let taken = Set(first.entries.map { Array($0.name.utf8) })
    let added = chosen.filter { !taken.contains(Array($0.name.utf8)) }
    self.chosen = Set(added.map { Array($0.name.utf8) })
    entries = first.entries + added
  }

  /// A checkpoint of which something else is said.
  public init(_ source: any CheckpointSource, saying metadata: [String: JSONValue]) {
    self.init(source, of: source, metadata: metadata)
  }

  /// The tensor of a name.
  /// - Throws: What the source that has it throws.
  public func tensor(named name: String) throws -> StoredTensor {
    try source(of: name).tensor(named: name)
  }

  /// The bytes of a range of a tensor's elements, where the source that has it gives them.
  /// - Throws: As ``tensor(named:)``.
  public func elementBytes(of name: String, in elements: Range<Int>) throws -> [UInt8]? {
    try source(of: name).elementBytes(of: name, in: elements)
  }

  private func source(of name: String) -> any CheckpointSource {
    chosen.contains(Array(name.utf8)) ? second : first
  }
}
