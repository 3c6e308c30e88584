// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWFiles
import Testing

@Suite struct AtomicFileTests {
  private struct Failure: Error {}

  @Test func aNewFileHasWhatWasAppended() throws {
    try withTemporaryFolder { folder throws in
      let file = folder.appendingPathComponent("new.bin")
      try AtomicFile.write(to: file) { output in
        try output.append([1, 2])
        try output.append([])
        try output.append([UInt8](repeating: 7, count: 100_000))
      }
      #expect(
        try InputFile.contents(of: file) == [1, 2] + [UInt8](repeating: 7, count: 100_000))
      #expect(try names(in: folder) == ["new.bin"])
    }
  }

  @Test func bytesAreReplacedInTheirPlace() throws {
    try withTemporaryFolder { folder throws in
      let file = folder.appendingPathComponent("new.bin")
      try AtomicFile.write(to: file) { output in
        try output.append([UInt8](repeating: 7, count: 10))
        try output.replace(at: 2, with: [1, 2, 3])
        try output.replace(at: 9, with: [])
        // What is appended later stands at the end all the same.
        try output.append([9])
        try output.replace(at: 0, with: [4])
      }
      #expect(try InputFile.contents(of: file) == [4, 7, 1, 2, 3, 7, 7, 7, 7, 7, 9])
    }
  }

  @Test func anOldFileIsReplaced() throws {
    try withTemporaryFolder { folder throws in
      let file = folder.appendingPathComponent("file.bin")
      try AtomicFile.write([1, 2, 3], to: file)
      try AtomicFile.write([4], to: file)
      #expect(try InputFile.contents(of: file) == [4])
      try AtomicFile.write([], to: file)
      #expect(try InputFile.contents(of: file) == [])
      #expect(try names(in: folder) == ["file.bin"])
    }
  }

  @Test func theOldFileStandsUntilTheNewIsWhole() throws {
    try withTemporaryFolder { folder throws in
      let file = folder.appendingPathComponent("file.bin")
      try AtomicFile.write([1, 2, 3], to: file)
      try AtomicFile.write(to: file) { output in
        try output.append([9])
        #expect(try InputFile.contents(of: file) == [1, 2, 3])
        #expect(try names(in: folder).count == 2)
      }
      #expect(try InputFile.contents(of: file) == [9])
    }
  }

  @Test func aFailureLeavesTheOldFileAndNothingElse() throws {
    try withTemporaryFolder { folder throws in
      let file = folder.appendingPathComponent("file.bin")
      try AtomicFile.write([1, 2, 3], to: file)
      for name in ["file.bin", "other.bin"] {
        #expect(throws: Failure.self) {
          try AtomicFile.write(to: folder.appendingPathComponent(name)) { output in
            try output.append([UInt8](repeating: 0, count: 10_000))
            throw Failure()
          }
        }
      }
      #expect(try InputFile.contents(of: file) == [1, 2, 3])
      #expect(try names(in: folder) == ["file.bin"])
    }
  }

  @Test func aReplacedFileKeepsItsPermissions() throws {
    try withTemporaryFolder { folder throws in
      let file = folder.appendingPathComponent("file.bin")
      try AtomicFile.write([1], to: file)
      for mode in [0o600, 0o640, 0o444] {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
        try AtomicFile.write([2], to: file)
        let attributes = try FileManager.default.attributesOfItem(atPath: file.path)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == mode)
      }
    }
  }

  @Test func aLinkIsFollowedAlsoToWhatIsNotThereYet() throws {
    try withTemporaryFolder { folder throws in
      let link = folder.appendingPathComponent("link")
      try FileManager.default.createSymbolicLink(
        atPath: link.path, withDestinationPath: "inner/../file.bin")
      try FileManager.default.createDirectory(
        at: folder.appendingPathComponent("inner"), withIntermediateDirectories: false)
      for content in [[1], [2, 3]] as [[UInt8]] {
        try AtomicFile.write(content, to: link)
        #expect(
          try InputFile.contents(of: folder.appendingPathComponent("file.bin")) == content)
        #expect(
          try FileManager.default.destinationOfSymbolicLink(atPath: link.path)
            == "inner/../file.bin")
      }
      let loop = folder.appendingPathComponent("loop")
      try FileManager.default.createSymbolicLink(
        atPath: loop.path, withDestinationPath: "loop")
      #expect(throws: FileError.self) { try AtomicFile.write([1], to: loop) }
    }
  }

  @Test func aNameMayBeAsLongAsTheFileSystemAllows() throws {
    try withTemporaryFolder { folder throws in
      for name in [String(repeating: "a", count: 255), String(repeating: "ä", count: 127)] {
        let file = folder.appendingPathComponent(name)
        try AtomicFile.write([1], to: file)
        #expect(try InputFile.contents(of: file) == [1])
      }
    }
  }

  @Test func aFolderThatIsNotThere() throws {
    try withTemporaryFolder { folder throws in
      let file = folder.appendingPathComponent("none/file.bin")
      let error = #expect(throws: FileError.self) { try AtomicFile.write([1], to: file) }
      #expect(error?.description.hasPrefix("can't create \(folder.path)/none/") == true)
    }
  }

  @Test func aFolderInTheFilesPlace() throws {
    try withTemporaryFolder { folder throws in
      let file = folder.appendingPathComponent("taken")
      try FileManager.default.createDirectory(
        at: file.appendingPathComponent("inside"), withIntermediateDirectories: true)
      let error = #expect(throws: FileError.self) { try AtomicFile.write([1], to: file) }
      #expect(error?.description.hasPrefix("can't write \(file.path): ") == true)
      #expect(try names(in: folder) == ["taken"])
    }
  }

  @Test func aFileIsReplacedIfItIsTheOneThatIsMeant() throws {
    try withTemporaryFolder { folder throws in
      let (file, new) = (
        folder.appendingPathComponent("a.bin"), folder.appendingPathComponent("new.bin")
      )
      try AtomicFile.write([1], to: file)
      try #require(chmod(file.path, 0o640) == 0)
      let own = try #require(FileIdentity(of: file))
      try AtomicFile.write([2], to: new)
      #expect(try AtomicFile.replace(file, ifItIs: own, by: new))
      #expect(try InputFile.contents(of: file) == [2] && names(in: folder) == ["a.bin"])
      var status = stat()
      #expect(stat(file.path, &status) == 0 && status.st_mode & 0o777 == 0o640)
      // The name stands for another file now, and for none: nothing is replaced.
      try AtomicFile.write([3], to: new)
      #expect(try !AtomicFile.replace(file, ifItIs: own, by: new))
      #expect(try InputFile.contents(of: file) == [2] && InputFile.contents(of: new) == [3])
      try FileManager.default.removeItem(at: file)
      #expect(try !AtomicFile.replace(file, ifItIs: own, by: new))
      #expect(try names(in: folder) == ["new.bin"])
    }
  }

  /// Files that take the name while it is replaced over and over are all seen again: each is what the
  /// name stands for until the next one takes it, and none is replaced by the writer.
  @Test func whatTakesTheNameMeanwhileIsNotLost() throws {
    try withTemporaryFolder { folder throws in
      let (file, new) = (
        folder.appendingPathComponent("a.bin"), folder.appendingPathComponent("new.bin")
      )
      try AtomicFile.write([0], to: file)
      let others = 400
      let taking = Thread {
        for number in 1...others {
          let other = folder.appendingPathComponent("other-\(number)")
          try? Data([1, UInt8(number & 0xFF), UInt8(number >> 8)]).write(to: other)
          rename(other.path, file.path)
          // The writer has to give way before the next one comes.
          while (try? Data(contentsOf: file)).map({ $0.first == 1 }) ?? true { usleep(50) }
        }
      }
      taking.start()
      var seen: [Int] = []
      var identity = try #require(FileIdentity(of: file))
      while seen.count < others {
        try Data([0]).write(to: new)
        let written = try #require(FileIdentity(of: new))
        if try AtomicFile.replace(file, ifItIs: identity, by: new) {
          identity = written
          continue
        }
        let found = try InputFile.contents(of: file)
        try #require(found.count == 3)
        seen.append(Int(found[1]) | Int(found[2]) << 8)
        // As if the user had taken the file away.
        identity = written
        try #require(rename(new.path, file.path) == 0)
      }
      #expect(seen == Array(1...others))
    }
  }
}
