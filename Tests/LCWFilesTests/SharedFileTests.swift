// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWFiles
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// Files that several processes write, and what killed ones leave behind.
@Suite struct SharedFileTests {
  /// The number of a process that is gone.
  private func goneProcess() throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["true"]
    try process.run()
    process.waitUntilExit()
    return process.processIdentifier
  }

  @Test func aFileThatTurnsUpWhileAnotherIsWrittenStays() throws {
    try withTemporaryFolder { folder throws in
      let file = folder.appendingPathComponent("file.bin")
      let error = #expect(throws: FileError.self) {
        try AtomicFile.write(to: file, existing: .kept) { output in
          try output.append([1])
          try Data([2]).write(to: file)
        }
      }
      #expect(error == .exists(file: file.path))
      #expect(try InputFile.contents(of: file) == [2])
      #expect(throws: FileError.self) { try AtomicFile.write([3], to: file, existing: .kept) }
      #expect(try names(in: folder) == ["file.bin"])
      let other = folder.appendingPathComponent("other.bin")
      try AtomicFile.write([3], to: other, existing: .kept)
      #expect(try InputFile.contents(of: other) == [3])
      #expect(try names(in: folder) == ["file.bin", "other.bin"])
    }
  }

  @Test func aFileThatLiesWholeGetsItsName() throws {
    try withTemporaryFolder { folder throws in
      let file = folder.appendingPathComponent("file.npz")
      let temporary = AtomicFile.temporaryURL(beside: file)
      #expect(temporary.pathExtension == "npz")
      #expect(temporary.deletingLastPathComponent().path == folder.path)
      try AtomicFile.write([1], to: temporary)
      try AtomicFile.publish(temporary, as: file, existing: .kept)
      #expect(try names(in: folder) == ["file.npz"])
      try AtomicFile.write([2], to: temporary)
      #expect(throws: FileError.exists(file: file.path)) {
        try AtomicFile.publish(temporary, as: file, existing: .kept)
      }
      #expect(try InputFile.contents(of: file) == [1])
      try AtomicFile.publish(temporary, as: file, existing: .replaced)
      #expect(try InputFile.contents(of: file) == [2])
      #expect(try names(in: folder) == ["file.npz"])
    }
  }

  @Test func aLinkIsReplacedWhereThatIsWanted() throws {
    try withTemporaryFolder { folder throws in
      let (link, mine) = (
        folder.appendingPathComponent("link"), folder.appendingPathComponent("mine")
      )
      try Data([7]).write(to: mine)
      try FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: "mine")
      try AtomicFile.write([1], to: link, links: .replaced)
      #expect(try InputFile.contents(of: mine) == [7])
      #expect(try InputFile.contents(of: link) == [1])
      #expect(throws: (any Error).self) {
        try FileManager.default.destinationOfSymbolicLink(atPath: link.path)
      }
    }
  }

  @Test func whatKilledProcessesLeftIsRemovedAndNothingElse() throws {
    try withTemporaryFolder { folder throws in
      let (gone, own) = (try goneProcess(), getpid())
      let stale = [".a.bin.\(gone).17.lcw-part", ".b.\(gone).4294967295.lcw-part", ".c.lcw-lock"]
      let kept = [
        // Of a process that lives, of one that holds it, and just made by a process of elsewhere.
        ".a.bin.\(own).17.lcw-part", ".held.\(gone).18.lcw-part", ".x.\(gone).19.lcw-part.npz",
        // No names of ours.
        ".backup.\(gone).17", "a.bin.\(gone).17.lcw-part", ".a.\(gone).seventeen.lcw-part",
        ".\(gone).17.lcw-part", ".lcw-results", "mine.lcw-lock",
      ]
      for name in stale + kept {
        try Data([1]).write(to: folder.appendingPathComponent(name))
      }
      let held = open(
        folder.appendingPathComponent(".held.\(gone).18.lcw-part").path, O_RDONLY)
      defer { close(held) }
      try #require(flock(held, LOCK_EX | LOCK_NB) == 0)
      try AtomicFile.write([1], to: folder.appendingPathComponent("new"))
      #expect(try names(in: folder) == (kept + ["new"]).sorted())
    }
  }

  @Test func aLeaseIsOneProcessesAtATime() throws {
    try withTemporaryFolder { folder throws in
      let file = folder.appendingPathComponent("file.bin")
      let link = folder.appendingPathComponent("link")
      try FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: "file.bin")
      try withExtendedLifetime(try FileLease(for: file)) {
        for name in [file, link] {
          let error = #expect(throws: FileError.self) { _ = try FileLease(for: name) }
          #expect(error?.description.contains("is at work on \(name.path)") == true)
        }
        _ = try FileLease(for: folder.appendingPathComponent("other.bin"))
        // The lock that is held is no stale one.
        try AtomicFile.write([1], to: file)
        #expect(throws: FileError.self) { _ = try FileLease(for: file) }
      }
      _ = try FileLease(for: file)
      #expect(try names(in: folder) == ["file.bin", "link"])
    }
  }

  @Test func aLeaseNeedsAFolderThatCanBeWrittenTo() throws {
    try withTemporaryFolder { folder throws in
      let file = folder.appendingPathComponent("none/file.bin")
      let error = #expect(throws: FileError.self) { _ = try FileLease(for: file) }
      #expect(error?.description == "can't write \(file.path): No such file or directory")
    }
  }

  @Test func aFoldersReasonIsTheSystems() throws {
    let error = #expect(throws: FileError.self) {
      try Folder.make(URL(fileURLWithPath: "/proc/none/here"))
    }
    #expect(error?.description.hasPrefix("can't make the folder /proc/none/here: ") == true)
    try withTemporaryFolder { folder throws in
      try Folder.make(folder.appendingPathComponent("a/b/../c"))
      #expect(try names(in: folder) == ["a"])
      #expect(try names(in: folder.appendingPathComponent("a")) == ["c"])
    }
  }
}
