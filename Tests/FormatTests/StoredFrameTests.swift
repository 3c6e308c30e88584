// SPDX-License-Identifier: Apache-2.0
import CKernels
import CZstd
import Testing

/// Frames of raw blocks, which the package writes and reads itself, against libzstd.
struct StoredFrameTests {
  private func stored(_ content: [UInt8]) -> [UInt8] {
    var frame = [UInt8](repeating: 0xAA, count: lcw_stored_frame_length(content.count))
    let sum = checksum(of: content)
    lcw_write_stored_frame(&frame, content + [0], content.count, sum)
    return frame
  }

  /// The checksum in the frame's last four bytes.
  private func stated(by frame: [UInt8]) -> UInt32 {
    frame.suffix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// Whether the frame's content stands in it, and if so whether it has the frame's checksum.
  private func check(_ frame: [UInt8], content: Int) -> Bool? {
    frame.withUnsafeBytes { frame in
      guard
        let base = frame.assumingMemoryBound(to: UInt8.self).baseAddress,
        let start = lcw_stored_content(base, frame.count, content)
      else { return nil }
      var sum: UInt32 = 0
      lcw_checksums(&sum, [start], [content], 1)
      return sum == stated(by: Array(frame))
    }
  }

  /// Around each size at which a frame's header, its blocks or the checksum's steps change.
  @Test(arguments: [0, 1, 31, 32, 255, 256, 65_791, 65_792, 131_072, 131_073, 262_144, 300_001])
  func libzstdReadsThem(size: Int) {
    var noise = Noise(UInt64(size))
    for count in max(0, size - 9)...size + 9 {
      let content = noise.bytes(count)
      let frame = stored(content)
      var found = [UInt8](repeating: 0, count: count + 1)
      #expect(ZSTD_decompress(&found, count, frame, frame.count) == count)
      #expect(found[..<count] == content[...])
      #expect(ZSTD_getFrameContentSize(frame, frame.count) == UInt64(count))
      #expect([0x24, 0x64, 0xA4].contains(frame[4]))
      #expect(check(frame, content: count) == (count <= 131_072 ? true : nil))
    }
  }

  @Test func everyFlippedBitIsNoticed() {
    let content: [UInt8] = Array(0..<100)
    let frame = stored(content)
    for bit in 9 * 8..<frame.count * 8 {
      var other = frame
      other[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(check(other, content: 100) == false)
    }
    // In the block's header: it is left to libzstd.
    for bit in 6 * 8..<9 * 8 {
      var other = frame
      other[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(check(other, content: 100) == nil)
    }
  }

  /// Checksums of contents taken together, of sizes that are equal, differ by a stripe, by a byte, or widely, against
  /// those in the frames that libzstd makes of each.
  @Test(arguments: [1, 2, 3, 4, 5, 7, 8, 9, 16, 63, 64, 65, 130])
  func checksumsOfManyContents(number: Int) {
    var noise = Noise(UInt64(number))
    for sizes in [[4096], [0, 1], [32, 64, 4064], [31, 32, 33, 1000, 5000, 0, 7]] {
      let contents = (0..<number).map { noise.bytes(sizes[$0 % sizes.count]) }
      let context = ZSTD_createCCtx()
      defer { ZSTD_freeCCtx(context) }
      _ = ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
      let stated = contents.map { content in
        var frame = [UInt8](repeating: 0, count: ZSTD_compressBound(content.count))
        let length = ZSTD_compress2(context, &frame, frame.count, content + [0], content.count)
        return self.stated(by: Array(frame[..<length]))
      }
      // Contents begin at odd places, one behind the other.
      let bytes = [0] + contents.joined()
      var sums = [UInt32](repeating: 0, count: number)
      bytes.withUnsafeBufferPointer { bytes in
        guard let base = bytes.baseAddress else { return }
        var start = 1
        let starts = contents.map { content in
          defer { start += content.count }
          return base + start
        }
        lcw_checksums(&sums, starts, contents.map(\.count), number)
      }
      #expect(sums == stated)
    }
  }
}
