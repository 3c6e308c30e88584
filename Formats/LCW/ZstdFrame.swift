// SPDX-License-Identifier: Apache-2.0
import CKernels
import CZstd

/// Why a zstd frame can't be read or made, as a sentence without a subject.
struct FrameProblem: Error {
  var reason: String

  init(_ reason: String) {
    self.reason = reason
  }

  /// The problem behind a result of libzstd, if it is one.
  init?(code: Int) {
    guard ZSTD_isError(code) != 0 else { return nil }
    reason = String(cString: ZSTD_getErrorName(code))
  }
}

/// How a frame's content is compressed. The faster ways come first.
enum FrameMethod: CaseIterable {
  /// Kept as it stands, in a frame.
  case store
  /// Each byte entropy-coded by itself, without a search for repetitions.
  case entropy
  /// zstd's level 1.
  case match
}

/// The frames that the format allows: with a checksum and the content's size, one segment, no
/// dictionary.
enum ZstdFrame {
  /// The place of the byte that says what the header holds, and its bit for a checksum.
  fileprivate static let (descriptor, hasChecksum) = (4, UInt8(0x04))
  /// The bytes of a checksum, the last ones of a frame.
  fileprivate static let checksumBytes = 4

  /// The bytes of the frame that `bytes` start with, and of its content.
  /// - Parameter content: How many bytes it may hold.
  /// - Throws: ``FrameProblem`` if there is no frame, one of another sort, or only a part of one.
  static func measures(
    of bytes: UnsafeRawBufferPointer, content: ClosedRange<Int>
  ) throws(FrameProblem) -> (length: Int, content: Int) {
    guard bytes.count >= 6 else { throw FrameProblem("the frame is missing") }
    guard UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)) == 0xFD2F_B528 else {
      throw FrameProblem("no zstd frame starts here")
    }
    // The descriptor's upper two bits say how many bytes the content's size takes.
    let stated: Int
    switch bytes[4] {
    case 0x24: stated = Int(bytes[5])
    case 0x64 where bytes.count >= 7: stated = Int(bytes[5]) + Int(bytes[6]) << 8 + 256
    case 0xA4 where bytes.count >= 9:
      stated = (0..<4).reduce(0) { $0 | Int(bytes[5 + $1]) << (8 * $1) }
    case 0x64, 0xA4: throw FrameProblem("the frame is cut")
    default: throw FrameProblem("the frame is of a sort that the format does not allow")
    }
    guard content.contains(stated) else {
      let needed =
        content.count == 1
        ? "\(content.lowerBound)" : "\(content.lowerBound) to \(content.upperBound)"
      throw FrameProblem("the frame holds \(stated) bytes, but \(needed) are needed")
    }
    let length = ZSTD_findFrameCompressedSize(bytes.baseAddress, bytes.count)
    if let problem = FrameProblem(code: length) { throw problem }
    return (length, stated)
  }

  /// The checksum that each of the contents has.
  static func checksums(of contents: [UnsafeRawBufferPointer]) -> [UInt32] {
    // A content without bytes needs an address all the same.
    withUnsafeBytes(of: UInt64(0)) { nowhere in
      guard let nowhere = nowhere.assumingMemoryBound(to: UInt8.self).baseAddress else { return [] }
      let starts = contents.map { $0.assumingMemoryBound(to: UInt8.self).baseAddress ?? nowhere }
      return [UInt32](unsafeUninitializedCapacity: contents.count) { sums, count in
        if let sums = sums.baseAddress {
          lcw_checksums(sums, starts, contents.map(\.count), contents.count)
        }
        count = contents.count
      }
    }
  }

  /// The checksum that a whole frame states.
  static func checksum(statedBy frame: UnsafeRawBufferPointer) -> UInt32 {
    UInt32(
      littleEndian: frame.loadUnaligned(
        fromByteOffset: frame.count - checksumBytes, as: UInt32.self))
  }
}

/// Makes frames, one at a time.
struct FrameEncoder: ~Copyable {
  private var contexts: [FrameMethod: OpaquePointer] = [:]

  deinit {
    for context in contexts.values { ZSTD_freeCCtx(context) }
  }

  /// The room that the frame of that many bytes needs at most.
  static func bound(_ count: Int) -> Int { ZSTD_compressBound(count) + ZstdFrame.checksumBytes }

  /// Writes the frame of `source` to the start of `target`, and gives its length.
  /// - Parameter checksum: The content's, of ``ZstdFrame/checksums(of:)``: many computed together take less time
  ///   than libzstd for each.
  /// - Throws: ``FrameProblem`` if libzstd fails.
  mutating func encode(
    _ source: UnsafeRawBufferPointer, checksum: UInt32, by method: FrameMethod,
    into target: UnsafeMutableRawBufferPointer
  ) throws(FrameProblem) -> Int {
    if method == .store {
      let length = lcw_stored_frame_length(source.count)
      guard length <= target.count, source.count <= UInt32.max,
        let start = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
      else { throw FrameProblem("there is no room for a frame") }
      lcw_write_stored_frame(
        start, source.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? UnsafePointer(start),
        source.count, checksum)
      return length
    }
    let length = ZSTD_compress2(
      try context(for: method), target.baseAddress, target.count, source.baseAddress, source.count)
    if let problem = FrameProblem(code: length) { throw problem }
    guard length + ZstdFrame.checksumBytes <= target.count else {
      throw FrameProblem("there is no room for a frame")
    }
    target[ZstdFrame.descriptor] |= ZstdFrame.hasChecksum
    target.storeBytes(of: checksum.littleEndian, toByteOffset: length, as: UInt32.self)
    return length + ZstdFrame.checksumBytes
  }

  /// Tries every way and keeps the smallest frame; of equal ones the fastest.
  mutating func encodeSmallest(
    _ source: UnsafeRawBufferPointer, checksum: UInt32,
    into target: UnsafeMutableRawBufferPointer
  ) throws(FrameProblem) -> Int {
    var best = (method: FrameMethod.store, length: lcw_stored_frame_length(source.count))
    for method in FrameMethod.allCases where method != .store {
      let length = try encode(source, checksum: checksum, by: method, into: target)
      if length < best.length { best = (method, length) }
    }
    return try encode(source, checksum: checksum, by: best.method, into: target)
  }

  private mutating func context(for method: FrameMethod) throws(FrameProblem) -> OpaquePointer {
    if let context = contexts[method] { return context }
    guard let context = ZSTD_createCCtx() else { throw FrameProblem("out of memory") }
    contexts[method] = context
    func set(_ parameter: ZSTD_cParameter, _ value: Int32) throws(FrameProblem) {
      if let problem = FrameProblem(code: ZSTD_CCtx_setParameter(context, parameter, value)) {
        throw problem
      }
    }
    try set(ZSTD_c_contentSizeFlag, 1)
    switch method {
    case .store, .match:
      try set(ZSTD_c_compressionLevel, 1)
    case .entropy:
      // At the lowest level nothing is searched for; this parameter (`literalCompressionMode`,
      // not part of the stable interface) turns the entropy coder on nevertheless.
      let code = ZSTD_CCtx_setParameter(context, ZSTD_c_experimentalParam5, 1)
      if FrameProblem(code: code) == nil {
        try set(ZSTD_c_compressionLevel, ZSTD_minCLevel())
      } else {
        try set(ZSTD_c_compressionLevel, 1)
        try set(ZSTD_c_strategy, Int32(ZSTD_fast.rawValue))
        try set(ZSTD_c_hashLog, 6)
        try set(ZSTD_c_minMatch, 7)
      }
    }
    return context
  }
}

/// Reads frames, one at a time. Their checksums are left to ``ZstdFrame/checksums(of:)``, which takes many contents at
/// once and so is several times as fast as libzstd.
struct FrameDecoder: ~Copyable {
  private let context: OpaquePointer

  /// - Throws: ``FrameProblem`` if out of memory.
  init() throws(FrameProblem) {
    guard let context = ZSTD_createDCtx() else { throw FrameProblem("out of memory") }
    self.context = context
    // `forceIgnoreChecksum`, which is not part of the stable interface; a libzstd without it checks as well.
    _ = ZSTD_DCtx_setParameter(context, ZSTD_d_experimentalParam3, 1)
  }

  deinit {
    ZSTD_freeDCtx(context)
  }

  /// The content of `frame`, which is one whole frame of ``ZstdFrame/measures(of:content:)``. Its checksum is
  /// not looked at.
  /// - Parameters:
  ///   - count: The content's bytes, as the frame states them.
  ///   - room: Room for as many bytes. Content that stands in the frame as it is stays there.
  /// - Throws: ``FrameProblem`` if libzstd can't read it, or the content is not as long.
  borrowing func content(
    of frame: UnsafeRawBufferPointer, count: Int, room: UnsafeMutableRawBufferPointer
  ) throws(FrameProblem) -> UnsafeRawBufferPointer {
    if let bytes = frame.baseAddress?.assumingMemoryBound(to: UInt8.self),
      let start = lcw_stored_content(bytes, frame.count, count)
    {
      return UnsafeRawBufferPointer(start: start, count: count)
    }
    let found = ZSTD_decompressDCtx(
      context, room.baseAddress, room.count, frame.baseAddress, frame.count)
    if let problem = FrameProblem(code: found) { throw problem }
    guard found == count else {
      throw FrameProblem("the frame gives \(found) bytes, but \(count) are needed")
    }
    return UnsafeRawBufferPointer(room)
  }
}
