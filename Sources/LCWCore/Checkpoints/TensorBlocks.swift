// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// A tensor of a source that is read a block at a time, so that one larger than memory can be looked
/// at. Of a source that gives whole tensors only, it is one.
public struct TensorBlocks: Sendable {
  /// What the source says of the tensor.
  public let entry: TensorEntry
  private let source: any CheckpointSource
  /// The tensor, where it is small or the source gives whole ones only.
  private let whole: StoredTensor?

  /// Tensors of up to so many bytes are read whole, which checks what can be checked of them.
  private static let smallest = 4 << 20

  /// A tensor of a source.
  /// - Throws: What reading throws, and ``CheckpointError/metadata(field:expected:)`` if the tensor is
  ///   not what the source's list says of it.
  public init(of entry: TensorEntry, in source: any CheckpointSource) throws {
    self.entry = entry
    self.source = source
    let givesRanges = try source.elementBytes(of: entry.name, in: 0..<0) != nil
    guard !givesRanges || entry.rawBytes <= Self.smallest else {
      whole = nil
      return
    }
    let tensor = try source.tensor(named: entry.name)
    guard tensor.elementType == entry.elementType, tensor.shape == entry.shape else {
      throw TensorBlocks.mismatch(entry)
    }
    whole = tensor
  }

  /// The bytes of a range of the elements.
  /// - Throws: As ``init(of:in:)``.
  public func bytes(ofElements range: Range<Int>) throws -> [UInt8] {
    let width = entry.elementType.width
    let part = range.lowerBound * width..<range.upperBound * width
    if let whole {
      return part == whole.bytes.indices ? whole.bytes : Array(whole.bytes[part])
    }
    guard let bytes = try source.elementBytes(of: entry.name, in: range), bytes.count == part.count
    else { throw TensorBlocks.mismatch(entry) }
    return bytes
  }

  private static func mismatch(_ entry: TensorEntry) -> CheckpointError {
    .metadata(
      field: entry.name,
      expected: "a tensor \(entry.shape) of \(entry.elementType.rawValue), as the file lists it")
  }
}
