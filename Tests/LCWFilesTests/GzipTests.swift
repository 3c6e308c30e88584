// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import Testing

@Suite struct GzipTests {
  /// `seq 1 40 | tr '\n' ' ' | gzip -9n`
  private let packed =
    "H4sIAAAAAAACAw3MAQEAMQgDMSsngbaMDf/G/iMgwoTmMFweiwoJGQU1OmjQRQ8tLixsHNz44MEXP7yk"
    + "iMhfhjQ5ZMgljyxdfDzY58xvAAAA"
  /// `gzip -9n < /dev/null`
  private let nothing = "H4sIAAAAAAACAwMAAAAAAAAAAAA="
  private let text = (1...40).map { "\($0) " }.joined()

  private func contents(of bytes: [UInt8], limit: Int = 1 << 20) throws -> [UInt8] {
    try withTemporaryFolder { folder throws in
      let file = folder.appendingPathComponent("file.gz")
      try Data(bytes).write(to: file)
      return try Gzip.contents(of: file, limit: limit)
    }
  }

  private func bytes(_ base64: String) throws -> [UInt8] {
    Array(try #require(Data(base64Encoded: base64)))
  }

  @Test func packedFilesAreUnpacked() throws {
    #expect(try contents(of: bytes(packed)) == Array(text.utf8))
    #expect(try contents(of: bytes(nothing)) == [])
  }

  @Test func otherFilesAreTakenAsTheyAre() throws {
    for plain: [UInt8] in [[], [0x1F], [0x1F, 0x8C, 8], Array(text.utf8)] {
      #expect(try contents(of: plain) == plain)
    }
  }

  @Test func severalMembersAreOneFile() throws {
    let twice = try contents(of: bytes(packed) + bytes(packed))
    #expect(twice == Array((text + text).utf8))
  }

  @Test func theLimitIsOfTheUnpackedBytes() throws {
    let count = text.utf8.count
    #expect(try contents(of: bytes(packed), limit: count).count == count)
    let error = #expect(throws: FileError.self) {
      try contents(of: bytes(packed), limit: count - 1)
    }
    guard case .tooLarge(_, count - 1) = error else {
      Issue.record("not too large: \(String(describing: error))")
      return
    }
    #expect(throws: FileError.self) { try contents(of: Array(text.utf8), limit: count - 1) }
  }

  @Test func everyTruncationIsNoticed() throws {
    let whole = try bytes(packed)
    for count in 2..<whole.count {
      #expect(throws: FileError.self, "\(count) bytes") {
        try contents(of: Array(whole.prefix(count)))
      }
    }
  }

  @Test func everyChangedByteIsNoticed() throws {
    let whole = try bytes(packed)
    // Bytes 4 to 9 tell time and system, which do not matter.
    for index in [2, 3] + Array(10..<whole.count) {
      var changed = whole
      changed[index] ^= 0x40
      let result = Result { try contents(of: changed) }
      if case .success(let content) = result, content != Array(text.utf8) {
        Issue.record("byte \(index) was changed without notice")
      }
    }
  }

  @Test func aDamagedFileIsNamed() throws {
    try withTemporaryFolder { folder throws in
      let file = folder.appendingPathComponent("bad.gz")
      try Data(bytes(packed).dropLast(9)).write(to: file)
      let error = #expect(throws: FileError.self) { try Gzip.contents(of: file) }
      #expect(error?.description.hasPrefix("\(file.path) is damaged: ") == true)
      #expect(error?.category == .data)
    }
  }

  @Test func aFileThatIsFarTooLargeIsReadPieceByPiece() throws {
    try withTemporaryFolder { folder throws in
      let file = folder.appendingPathComponent("huge.gz")
      // A stored block without end: its header, and zeros for as far as a file reaches.
      try Data([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF]).write(to: file)
      try #require(truncate(file.path, 400 << 30) == 0)
      let error = #expect(throws: FileError.self) { try Gzip.contents(of: file, limit: 1 << 20) }
      #expect(error?.category == .data)
    }
  }

  @Test func aMissingFile() {
    let file = URL(fileURLWithPath: "/nowhere/at-all.gz")
    #expect(throws: FileError.missing(file: file.path)) { try Gzip.contents(of: file) }
  }

  @Test func manyBytes() throws {
    // 300,000 bytes in stored blocks, so that reading takes several rounds.
    let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) }
    var checksum = UInt32.max
    for byte in content {
      checksum ^= UInt32(byte)
      for _ in 0..<8 { checksum = checksum >> 1 ^ (checksum & 1 == 1 ? 0xEDB8_8320 : 0) }
    }
    func littleEndian(_ value: UInt32) -> [UInt8] {
      (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    var file: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]
    for start in stride(from: 0, to: content.count, by: 50_000) {
      let length = UInt32(50_000)
      file += [start == 250_000 ? 1 : 0] + littleEndian(length | ~length << 16)
      file += content[start..<start + 50_000]
    }
    file += littleEndian(~checksum) + littleEndian(300_000)
    #expect(try contents(of: file) == content)
    file[150_000] ^= 1
    #expect(throws: FileError.self) { try contents(of: file) }
  }
}
