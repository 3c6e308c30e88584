// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFormat
import LCWNumerics
import SafetensorsFormat
import Testing

/// What the built command writes in a process of its own.
struct WriterProcessTests {
  private let folder: TemporaryFolder
  private static let executable = URL(fileURLWithPath: CommandLine.arguments[0])
    .deletingLastPathComponent().appendingPathComponent("lcw")

  init() throws {
    folder = try TemporaryFolder()
  }

  private func start(
    _ program: URL, _ arguments: [String], environment: [String: String] = [:]
  ) throws -> Process {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.currentDirectoryURL = folder.url
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    return process
  }

  private func convert(_ input: String) throws -> Process {
    try start(Self.executable, ["convert", input, "a.lcw"])
  }

  @Test(.timeLimit(.minutes(5)))
  func killingItLeavesTheOldFileOrTheNew() throws {
    var noise = Noise(31)
    let contents = try (0..<2).map { _ in
      Checkpoint(tensors: [
        NamedTensor(
          "weight", StoredTensor(try Tensor(noise.weights(4_000_000), shape: [4_000_000])))
      ])
    }
    for (index, content) in contents.enumerated() {
      try Safetensors().write(content, to: folder.file("\(index).safetensors"))
    }
    let clock = ContinuousClock()
    let whole = try clock.measure {
      let process = try convert("0.safetensors")
      process.waitUntilExit()
      try #require(process.terminationStatus == 0)
    }
    let destination = folder.file("a.lcw")
    var current = 0
    var replaced = 0
    let kills = 48
    for kill in 0..<kills {
      let process = try convert("\(1 - current).safetensors")
      let share = Double(noise.next() % 1000) / 1000
      if kill % 2 == 0 {
        // Anywhere from the start to beyond the end.
        Thread.sleep(forTimeInterval: whole / .seconds(1) * 1.3 * share)
      } else {
        // While the new file is written and renamed, which takes only a part of the time.
        let names = try Set(folder.names)
        while process.isRunning, try names.isSuperset(of: folder.names) { usleep(200) }
        Thread.sleep(forTimeInterval: 0.03 * max(0, share - 0.25))
      }
      Foundation.kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      let found = try Checkpoint(reading: try LCWArchive().open(destination))
      let index = try #require(contents.firstIndex(of: found), "kill \(kill) left another content")
      if index != current { replaced += 1 }
      current = index
    }
    #expect(replaced > 2 && replaced < kills - 2, "\(replaced) of \(kills) were replaced")
    // What is left are whole or partial files under names that nothing looks at, and that no later
    // writer takes; a writer that is not killed leaves none.
    let known = ["0.safetensors", "1.safetensors", "a.lcw"]
    let left = try folder.names.filter { !known.contains($0) }
    #expect(!left.isEmpty && left.allSatisfy { $0.hasPrefix(".a.lcw.") }, "\(left)")
    #expect(left.count <= kills - replaced)
    let last = try convert("\(1 - current).safetensors")
    last.waitUntilExit()
    #expect(last.terminationStatus == 0)
    #expect(
      try Checkpoint(reading: try LCWArchive().open(destination)) == contents[1 - current])
    #expect(try folder.names.filter { !known.contains($0) } == left)
    print("killed \(kills) times: \(replaced) files replaced, \(left.count) temporary files left")
  }

  @Test func neitherTimeZoneNorLocaleNorUmaskIsInTheFile() throws {
    try Safetensors().write(try smallCheckpoint(), to: folder.file("0.safetensors"))
    var files: Set<[UInt8]> = []
    for (umask, environment) in [
      ("022", [:]), ("077", ["TZ": "Asia/Tokyo", "LC_ALL": "C"]),
      ("000", ["TZ": "America/New_York", "LC_ALL": "de_DE.UTF-8", "USER": "someone"]),
    ] {
      let process = try start(
        URL(fileURLWithPath: "/bin/sh"),
        ["-c", "umask \(umask); exec \"$0\" convert 0.safetensors a.lcw", Self.executable.path],
        environment: environment)
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
      files.insert(try bytes(of: folder.file("a.lcw")))
    }
    #expect(files.count == 1)
  }
}
