// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import Testing

@Suite struct TemporaryFileTests {
  @Test func aCopyHasNoNameAndIsCalledAsGiven() throws {
    try withTemporaryFolder { folder throws in
      let source = folder.appendingPathComponent("source")
      let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 >> 8) }
      try AtomicFile.write(bytes, to: source)
      let handle = try FileHandle(forReadingFrom: source)
      let kept = try TemporaryFile.withCopy(
        of: handle.fileDescriptor, named: "standard input", in: folder
      ) { url throws in
        #expect(try names(in: folder) == ["source"])
        return try InputFile(url)
      }
      // It stays readable, though nothing else refers to it any more.
      #expect(kept.path == "standard input")
      #expect(try kept.bytes(in: 0..<kept.size) == bytes)
      var status = stat()
      #expect(fstat(kept.descriptor, &status) == 0 && status.st_mode & 0o777 == 0o600)
    }
  }
}

@Suite struct InputFileTests {
  private let content = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7) }

  private func withFile<Result>(_ body: (URL) throws -> Result) throws -> Result {
    try withTemporaryFolder { folder throws in
      let file = folder.appendingPathComponent("in.bin")
      try Data(content).write(to: file)
      return try body(file)
    }
  }

  @Test(arguments: [0..<0, 0..<1, 0..<1000, 10..<20, 999..<1000, 1000..<1000])
  func rangesInside(range: Range<Int>) throws {
    try withFile { file throws in
      let input = try InputFile(file)
      #expect(input.size == 1000)
      #expect(input.path == file.path)
      #expect(try input.bytes(in: range) == Array(content[range]))
    }
  }

  @Test(arguments: [0..<1001, 1000..<1001, 2000..<2000, -1..<3])
  func rangesOutside(range: Range<Int>) throws {
    try withFile { file throws in
      let input = try InputFile(file)
      let error = #expect(throws: FileError.self) { try input.bytes(in: range) }
      #expect(
        error
          == .damaged(
            file: file.path,
            reason: "it has 1000 bytes, but byte \(range.upperBound) is needed"))
    }
  }

  @Test func aFileThatShrinks() throws {
    try withFile { file throws in
      let input = try InputFile(file)
      let handle = try FileHandle(forWritingTo: file)
      try handle.truncate(atOffset: 500)
      try handle.close()
      #expect(try input.bytes(in: 0..<500) == Array(content[..<500]))
      let error = #expect(throws: FileError.self) { try input.bytes(in: 400..<600) }
      #expect(
        error == .damaged(file: file.path, reason: "it became shorter while it was read"))
    }
  }

  @Test func prefixes() throws {
    try withFile { file throws in
      let input = try InputFile(file)
      #expect(try input.prefix(3) == [0, 7, 14])
      #expect(try input.prefix(5000) == content)
      #expect(try input.prefix(0) == [])
    }
  }

  @Test func contentsWithinALimit() throws {
    try withFile { file throws in
      #expect(try InputFile.contents(of: file) == content)
      #expect(try InputFile.contents(of: file, limit: 1000) == content)
      let error = #expect(throws: FileError.self) {
        try InputFile.contents(of: file, limit: 999)
      }
      #expect(error == .tooLarge(file: file.path, limit: 999))
      #expect(error?.category == .data)
    }
  }

  @Test func aFileThatIsNotThere() {
    let error = #expect(throws: FileError.self) {
      try InputFile(URL(fileURLWithPath: "/nowhere/at-all"))
    }
    #expect(error == .missing(file: "/nowhere/at-all"))
    #expect(error?.category == .missingFile)
    #expect(error?.description == "there is no file /nowhere/at-all")
  }

  @Test func aFolderIsNoFile() throws {
    try withTemporaryFolder { folder throws in
      let error = #expect(throws: FileError.self) { try InputFile(folder) }
      #expect(
        error
          == .failed(
            operation: "read", file: folder.path, reason: "it is a folder"))
    }
  }
}
