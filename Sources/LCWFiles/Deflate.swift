// SPDX-License-Identifier: Apache-2.0
import CArchive
import Foundation
import LCWCore

/// Unpacking deflated bytes through libarchive.
package enum Deflate {
  /// Why bytes can't be unpacked.
  package struct Failure: Error {
    /// One line without a subject.
    package var reason: String
  }

  /// The first `count` bytes of what deflated bytes unpack to, or fewer if there are no more.
  package static func unpacked(_ packed: [UInt8], count: Int) throws(Failure) -> [UInt8] {
    guard let archive = archive_read_new() else { throw Failure(reason: "there is no memory") }
    defer { archive_read_free(archive) }
    // libarchive knows deflated bytes within gzip files: the same behind a header of ten bytes and
    // before a checksum and a length, of which it wants to see eight bytes, whatever they are.
    var member: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF]
    member.reserveCapacity(packed.count + 18)
    member += packed
    member += [UInt8](repeating: 0, count: 8)
    return try member.withUnsafeBufferPointer { (member) throws(Failure) in
      var entry: OpaquePointer?
      guard archive_read_support_filter_gzip(archive) == ARCHIVE_OK,
        archive_read_support_format_raw(archive) == ARCHIVE_OK,
        archive_read_support_format_empty(archive) == ARCHIVE_OK,
        archive_read_open_memory(archive, member.baseAddress, member.count) == ARCHIVE_OK
      else { throw Failure(reason: archive.reason) }
      let status = archive_read_next_header(archive, &entry)
      // Of what unpacks to nothing there is no entry.
      if status == ARCHIVE_EOF { return [] }
      guard status == ARCHIVE_OK else { throw Failure(reason: archive.reason) }
      var failed = false
      let result = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        while filled < count {
          let got = archive_read_data(
            archive, buffer.baseAddress.map { $0 + filled }, count - filled)
          if got == 0 { return }
          guard got > 0 else {
            failed = true
            return
          }
          filled += got
        }
      }
      if failed { throw Failure(reason: archive.reason) }
      return result
    }
  }
}

extension OpaquePointer {
  /// Why the last call on this `struct archive` failed, in one line.
  var reason: String {
    archive_error_string(self).map { String(cString: $0).asOneLine }
      ?? "libarchive gives no reason"
  }

  /// Why the last call that wrote to this `struct archive` failed. Of what the system refused
  /// libarchive says no more than that it could not write; the system's own reason is kept beside.
  package var writeReason: String {
    let code = archive_errno(self)
    guard reason == "Write error", code > 0 else { return reason }
    return String(cString: strerror(code))
  }
}
