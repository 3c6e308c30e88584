// SPDX-License-Identifier: Apache-2.0

/// Unpacking deflated bytes (RFC 1951) in memory.
package enum Deflate {
  /// The first `count` bytes of what deflated bytes unpack to, or fewer if there are no more.
  package static func unpacked(_ packed: [UInt8], count: Int) throws(Inflater.Failure) -> [UInt8] {
    // zlib takes no room for a fault.
    guard count > 0 else { return [] }
    let inflater = try Inflater(.none)
    var failure: Inflater.Failure?
    let content = [UInt8](unsafeUninitializedCapacity: count) { room, filled in
      packed.withUnsafeBufferPointer { packed in
        do throws(Inflater.Failure) {
          filled = try inflater.unpack(packed, into: room).written
        } catch { failure = error }
      }
    }
    if let failure { throw failure }
    return content
  }
}
