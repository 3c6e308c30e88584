// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWFiles
import Testing

struct FileLockTests {
  /// Threads that each read, add a line, and write atomically, so that the file is another one each
  /// time.
  @Test func noChangeIsLost() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lcw-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("list.txt")
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<40 {
        group.addTask {
          try FileLock.withLock(on: file) {
            let before = try InputFile.contents(of: file)
            try AtomicFile.write(before + Array("\(number)\n".utf8), to: file)
          }
        }
      }
      try await group.waitForAll()
    }
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    #expect(Set(lines.compactMap { Int($0) }) == Set(0..<40) && lines.count == 40)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["list.txt"])
  }

  @Test func whatWasNotWrittenIsNotLeftBehind() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lcw-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("list.txt")
    #expect(throws: CancellationError.self) {
      try FileLock.withLock(on: file) { throw CancellationError() }
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    // An empty file that was there stays.
    try Data().write(to: file)
    #expect(throws: CancellationError.self) {
      try FileLock.withLock(on: file) { throw CancellationError() }
    }
    #expect(FileManager.default.fileExists(atPath: file.path))
  }
}
