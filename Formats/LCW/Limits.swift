// SPDX-License-Identifier: Apache-2.0

/// What an archive may hold at most: checked before memory is taken for it.
public struct Limits: Sendable, Hashable {
  /// The bytes of the manifest.
  public var manifestBytes = 16 << 20
  /// The tensors.
  public var tensors = 65_536
  /// The segments.
  public var segments = 65_536
  /// The members of the metadata, those of nested objects included.
  public var metadataMembers = 4096
  /// The bytes of the metadata as compact JSON.
  public var metadataBytes = 1 << 20
  /// The bytes of all tensors' elements.
  public var rawBytes = 64 << 30
  /// The bytes of a tensor's name.
  public let nameBytes = 512
  /// The dimensions of a tensor.
  public let rank = 8
  /// How deep the manifest's JSON nests.
  public let jsonDepth = 4
  /// The sizes a chunk may have: a power of two in this range.
  public let chunkBytes = (1 << 10)...(1 << 24)
  /// How many times its stored bytes a tensor may be: the largest ratio a zstd frame reaches, as
  /// four bytes can stand for a block of 128 KiB.
  public let ratio = 32_768
  /// The least bytes of a frame: magic number, descriptor, content size, block header, one byte of
  /// the block, checksum.
  public let frameBytes = 14
  /// The bytes of a segment: what the eleven octal digits of a ustar header can say.
  public let segmentBytes = (1 << 33) - 1
  /// The largest integer in the manifest, up to which a double is exact.
  public let integer = (1 << 53) - 1

  /// The limits of the specification.
  public init() {}

  /// The limits on sizes and numbers, that many times as large; those that belong to the format
  /// itself stay.
  public func scaled(by factor: Int) -> Limits {
    var result = self
    result.manifestBytes *= factor
    result.tensors *= factor
    result.segments *= factor
    result.metadataMembers *= factor
    result.metadataBytes *= factor
    result.rawBytes *= factor
    return result
  }

  /// The most values a manifest within the limits can have, so that one of many tiny values is
  /// refused while it is parsed.
  var jsonValues: Int { tensors * (9 + rank) + segments + metadataBytes / 2 + 16 }
}
