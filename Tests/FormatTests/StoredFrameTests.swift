// SPDX-License-Identifier: Apache-2.0
import CKernels
import CZstd
import Testing

/// Frames of raw blocks, which the package writes and reads itself, against libzstd.
struct StoredFrameTests {
  private func stored(_ content: [UInt8]) -> [UInt8] {
    var frame = [UInt8](repeating: 0xAA, count: lcw_stored_frame_length(content.count))
    lcw_write_stored_frame(&frame, content + [0], content.count)
    return frame
  }

  private func sort(of frame: [UInt8], content: Int) -> Int {
    var start: UnsafePointer<UInt8>?
    return Int(lcw_check_stored_frame(frame, frame.count, content, &start))
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
      #expect(
        sort(of: frame, content: count) == (count <= 131_072 ? LCW_FRAME_STORED : LCW_FRAME_OTHER))
    }
  }

  @Test func everyFlippedBitIsNoticed() {
    let content: [UInt8] = Array(0..<100)
    let frame = stored(content)
    for bit in 9 * 8..<frame.count * 8 {
      var other = frame
      other[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(sort(of: other, content: 100) == LCW_FRAME_DAMAGED)
    }
    // In the block's header: it is left to libzstd.
    for bit in 6 * 8..<9 * 8 {
      var other = frame
      other[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(sort(of: other, content: 100) == LCW_FRAME_OTHER)
    }
  }
}
