// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWFormat
import LCWNumerics
import Testing

/// What the reader touches, and from where it reads.
struct BehaviourTests {
  /// Three segments of one tensor each.
  private func threeSegments() throws -> Checkpoint {
    var noise = Noise(21)
    return Checkpoint(
      tensors: try ["a", "b", "c"].map {
        NamedTensor($0, try tensor(.uint8, [1 << 20], noise.bytes(1 << 20)))
      })
  }

  @Test func aTensorIsReadFromItsOwnBytesAlone() throws {
    let checkpoint = try threeSegments()
    let folder = try TemporaryFolder()
    let file = folder.file("a.lcw")
    try LCWArchive().write(checkpoint, to: file)
    let archive = try bytes(of: file)
    let starts = try ArchiveParts(archive).segments.map { segment in
      try #require(archive.firstRange(of: segment.prefix(64))).lowerBound
    }
    try #require(starts.count == 3)
    // The first and the last segment are overwritten; the one between them is read all the same.
    var damaged = archive
    let size = try ArchiveParts(archive).segments[0].count
    for start in [starts[0], starts[2]] {
      damaged.replaceSubrange(start..<start + size, with: repeatElement(0xAA, count: size))
    }
    let source = try LCWArchive().open(try folder.file("b.lcw", damaged))
    #expect(try source.tensor(named: "b") == checkpoint.tensors[1].tensor)
    for name in ["a", "c"] {
      let error = #expect(throws: ArchiveError.self) { try source.tensor(named: name) }
      #expect(error?.description.contains("the tensor ‘\(name)’, chunk 0") == true)
    }
  }

  @Test func standardInputIsAFileIfItIsOne() throws {
    let checkpoint = try smallCheckpoint()
    let folder = try TemporaryFolder()
    let file = folder.file("a.lcw")
    try LCWArchive().write(checkpoint, to: file)
    // As a shell's redirection gives it, some of it read already.
    let handle = try FileHandle(forReadingFrom: file)
    try handle.seek(toOffset: 700)
    let source = try LCWArchive().open(URL(fileURLWithPath: "/dev/fd/\(handle.fileDescriptor)"))
    #expect(try Checkpoint(reading: source) == checkpoint)
    let pipe = Pipe()
    let end = URL(fileURLWithPath: "/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)")
    let error = #expect(throws: FileError.self) { try LCWArchive().open(end) }
    #expect(error?.description.contains("not a regular file") == true)
  }

  @Test func aFileThatShrinksWhileItIsRead() throws {
    let checkpoint = try threeSegments()
    let folder = try TemporaryFolder()
    let file = folder.file("a.lcw")
    try LCWArchive().write(checkpoint, to: file)
    let source = try LCWArchive().open(file)
    try FileHandle(forUpdating: file).truncate(atOffset: 1 << 20)
    #expect(throws: FileError.self) { try source.tensor(named: "c") }
    #expect(throws: FileError.self) {
      try LCWArchive().open(folder.url)
    }
  }
}
