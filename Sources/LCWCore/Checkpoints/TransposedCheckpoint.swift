// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// A checkpoint whose matrices are seen transposed, as weights that a program keeps as
/// `[inputs, outputs]` have to be.
///
/// Only matrices of floating-point numbers are turned: tensors of another rank are no weights of
/// dense layers.
public struct TransposedCheckpoint: CheckpointSource {
  /// What the tensors are.
  public var kind: CheckpointKind { source.kind }
  /// What is said of them.
  public var metadata: [String: JSONValue] { source.metadata }
  /// The tensors' descriptions; a matrix has its dimensions in the other order.
  public var entries: [TensorEntry] { source.entries.map(\.transposed) }
  /// The tensors whose elements are of a type that can't be read.
  public var unreadable: [UnreadableTensor] { source.unreadable }
  /// What is to be known of the source.
  public var notes: [String] { source.notes }
  /// Whether the source's elements have checksums.
  public var hasChecksums: Bool? { source.hasChecksums }
  private let source: any CheckpointSource

  /// A source's matrices the other way round.
  public init(of source: any CheckpointSource) {
    self.source = source
  }

  /// The tensor of a name, transposed if it is a matrix.
  /// - Throws: What the source throws.
  public func tensor(named name: String) throws -> StoredTensor {
    try source.tensor(named: name).transposed()
  }
}

extension TensorEntry {
  /// Whether ``TransposedCheckpoint`` turns it.
  var isMatrix: Bool { elementType.isFloatingPoint && shape.rank == 2 }

  /// The description of the transposed matrix; of another tensor its own.
  public var transposed: TensorEntry {
    guard isMatrix else { return self }
    return TensorEntry(
      name: name, elementType: elementType, shape: [shape[1], shape[0]], storedBytes: storedBytes)
  }
}

extension StoredTensor {
  /// The transposed matrix; another tensor is itself.
  fileprivate func transposed() throws -> StoredTensor {
    guard elementType.isFloatingPoint, shape.rank == 2,
      let layout = StridedLayout(shape: [shape[1], shape[0]], strides: [1, shape[1]])
    else { return self }
    return try StoredTensor(
      elementType: elementType, shape: layout.shape,
      bytes: layout.gathered(from: bytes, width: elementType.width))
  }
}
