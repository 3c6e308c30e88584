// SPDX-License-Identifier: Apache-2.0

/// Where the bytes of storages come from.
protocol StorageBytes: Sendable {
  /// The number of bytes of a storage; nothing if there is none of that key.
  func size(of key: String) -> Int?
  /// The bytes of a storage, as many as ``size(of:)`` says.
  func bytes(of key: String) throws -> [UInt8]
  /// Whether all bytes have a checksum, which reading compares.
  var hasChecksums: Bool { get }
}

/// The most bytes of a pickle. That of a network of ten thousand tensors has some two million.
let pickleSizeLimit = 1 << 26
