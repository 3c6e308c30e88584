// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFormat
import LCWNumerics
import Testing

/// Archives with a bit, a byte or the end changed: they give what was written, or an error.
struct MutationTests {
  private let expected: Checkpoint
  private let archive: [UInt8]

  init() throws {
    expected = try smallCheckpoint()
    archive = try ArchiveParts(of: expected).bytes
  }

  /// Whether the file still gives what was written; otherwise it was refused.
  private func isIntact(_ file: MutableFile) throws -> Bool {
    do {
      return try Checkpoint(reading: try LCWArchive(workers: .serial).open(file.url)) == expected
    } catch is ArchiveError {
      return false
    }
  }

  @Test func everyFlippedBitIsAnErrorOrHarmless() throws {
    // Half of the bytes for each of two threads.
    let harmless = try Workers(2).map(2) { part in
      let file = try MutableFile(archive)
      var harmless = 0
      for index in stride(from: part, to: archive.count, by: 2) {
        for bit in 0..<8 {
          try file.put(archive[index] ^ 1 << UInt8(bit), at: index)
          do {
            let found = try Checkpoint(reading: try LCWArchive(workers: .serial).open(file.url))
            #expect(found == expected, "bit \(bit) of byte \(index) changes the content")
            harmless += 1
          } catch is ArchiveError {
          }
        }
        try file.put(archive[index], at: index)
      }
      #expect(try isIntact(file))
      return harmless
    }.reduce(0, +)
    // The terminators of a header's numbers, and what zstd does not use of a frame.
    #expect(harmless < 100, "\(harmless) flips are harmless")
  }

  @Test func everyTruncationIsRefused() throws {
    let file = try MutableFile(archive)
    for length in archive.indices.reversed() {
      try file.truncate(length)
      #expect(throws: ArchiveError.self, "\(length) bytes") { try LCWArchive().open(file.url) }
    }
  }

  @Test func aHundredThousandMutations() throws {
    let count = 100_000
    let outcomes = try Workers(2).map(2) { part in
      let file = try MutableFile(archive)
      var noise = Noise(UInt64(part) + 11)
      var refused = 0
      for _ in 0..<count / 2 {
        let index = Int(noise.next() % UInt64(archive.count))
        let byte = UInt8(truncatingIfNeeded: noise.next())
        try file.put(byte, at: index)
        do {
          let found = try Checkpoint(reading: try LCWArchive(workers: .serial).open(file.url))
          #expect(found == expected, "\(byte) at byte \(index) changes the content")
        } catch is ArchiveError {
          refused += 1
        }
        try file.put(archive[index], at: index)
      }
      #expect(try isIntact(file))
      return refused
    }
    // One of 256 is the byte that was there.
    #expect(outcomes.reduce(0, +) > count * 9 / 10)
  }
}

/// A file that is changed in place.
final class MutableFile: Sendable {
  private let folder: TemporaryFolder
  let url: URL
  private let descriptor: Int32

  init(_ content: [UInt8]) throws {
    folder = try TemporaryFolder()
    url = try folder.file("a.lcw", content)
    descriptor = open(url.path, O_RDWR)
    try #require(descriptor >= 0)
  }

  deinit { close(descriptor) }

  func put(_ byte: UInt8, at index: Int) throws {
    try #require(pwrite(descriptor, [byte], 1, off_t(index)) == 1)
  }

  func truncate(_ length: Int) throws {
    try #require(ftruncate(descriptor, off_t(length)) == 0)
  }
}
