// SPDX-License-Identifier: Apache-2.0
import CZlib
import LCWCore

/// Unpacks deflated bytes (RFC 1951) piece by piece, through zlib.
package struct Inflater: ~Copyable {
  /// What stands around the deflated bytes, as zlib's window bits.
  enum Wrapper: Int32 {
    /// Nothing, as in zip files.
    case none = -15
    /// A header, and behind the bytes their checksum and length, which zlib compares (RFC 1952).
    case gzip = 31
  }

  /// Why bytes can't be unpacked.
  package struct Failure: Error {
    /// One line without a subject.
    package var reason: String
  }

  /// What a call of ``unpack(_:into:)`` has done.
  struct Progress {
    /// The bytes that were read.
    var read = 0
    /// The bytes that were written.
    var written = 0
    /// Whether the last byte is out, and what stands behind it has been checked.
    var isAtEnd = false
  }

  // On the heap, for zlib refuses a stream that has moved.
  private let stream: UnsafeMutablePointer<z_stream>

  /// - Throws: ``Failure`` if out of memory.
  init(_ wrapper: Wrapper) throws(Failure) {
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    stream.initialize(to: z_stream())
    let status = inflateInit2_(
      stream, wrapper.rawValue, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard status == Z_OK else {
      let reason = Self.reason(stream, status)
      stream.deallocate()
      throw Failure(reason: reason)
    }
    self.stream = stream
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  /// Unpacks until there is no more to read or no more room.
  /// - Throws: ``Failure`` if the bytes are no deflated ones.
  func unpack(
    _ packed: ArraySlice<UInt8>, into room: inout [UInt8]
  ) throws(Failure) -> Progress {
    try packed.withUnsafeBufferPointer { (packed) throws(Failure) in
      try room.withUnsafeMutableBufferPointer { (room) throws(Failure) in
        try unpack(packed, into: room)
      }
    }
  }

  /// Unpacks until there is no more to read or no more room.
  /// - Throws: ``Failure`` if the bytes are no deflated ones.
  func unpack(
    _ packed: UnsafeBufferPointer<UInt8>, into room: UnsafeMutableBufferPointer<UInt8>
  ) throws(Failure) -> Progress {
    var progress = Progress()
    while !progress.isAtEnd {
      // zlib counts in 32 bits.
      let (input, output) = (
        min(packed.count - progress.read, Int(UInt32.max)),
        min(room.count - progress.written, Int(UInt32.max))
      )
      // zlib only reads what it is given.
      stream.pointee.next_in = UnsafeMutablePointer(
        mutating: packed.baseAddress.map { $0 + progress.read })
      stream.pointee.avail_in = UInt32(input)
      stream.pointee.next_out = room.baseAddress.map { $0 + progress.written }
      stream.pointee.avail_out = UInt32(output)
      let status = inflate(stream, Z_NO_FLUSH)
      let (read, written) = (
        input - Int(stream.pointee.avail_in), output - Int(stream.pointee.avail_out)
      )
      progress.read += read
      progress.written += written
      switch status {
      case Z_STREAM_END: progress.isAtEnd = true
      case Z_OK where read + written > 0: break
      // Nothing was done, for want of bytes or of room.
      case Z_OK, Z_BUF_ERROR: return progress
      default: throw Failure(reason: Self.reason(stream, status))
      }
    }
    return progress
  }

  /// Begins anew, with bytes of the same wrapper.
  func restart() { inflateReset(stream) }

  private static func reason(_ stream: UnsafeMutablePointer<z_stream>, _ status: Int32) -> String {
    if let message = stream.pointee.msg { return String(cString: message).asOneLine }
    switch status {
    case Z_MEM_ERROR: return "out of memory"
    case Z_NEED_DICT: return "it needs a dictionary"
    default: return "zlib fails with the code \(status)"
    }
  }
}
