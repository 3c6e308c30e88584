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

  /// Starts the conversion of a file in the folder to `a.lcw`.
  private func convert(_ input: String) throws -> ChildProcess {
    try ChildProcess(
      Self.executable.path,
      ["convert", folder.file(input).path, folder.file("a.lcw").path, "--overwrite"])
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
      try #require(try convert("0.safetensors").wait() == 0)
    }
    let destination = folder.file("a.lcw")
    var current = 0
    var replaced = 0
    var kill = 0
    // How long a writer takes depends on what else runs: the kills reach as far as it turns out.
    var reach = whole / .seconds(1) * 1.3
    while kill < 48 || kill < 200 && (replaced <= 2 || replaced >= kill - 2) {
      let process = try convert("\(1 - current).safetensors")
      let share = Double(noise.next() % 1000) / 1000
      if kill % 2 == 0 {
        // Anywhere from the start to beyond the end.
        Thread.sleep(forTimeInterval: reach * share)
      } else {
        // While the new file is written and renamed, which takes only a part of the time.
        let names = try Set(folder.names)
        while !process.hasEnded, try names.isSuperset(of: folder.names) { usleep(200) }
        Thread.sleep(forTimeInterval: 0.03 * max(0, share - 0.25))
      }
      process.kill()
      process.wait()
      let found = try Checkpoint(reading: try LCWArchive().open(destination))
      let index = try #require(contents.firstIndex(of: found), "kill \(kill) left another content")
      if index != current { replaced += 1 }
      if kill % 2 == 0 {
        if index == current, share > 0.8 { reach *= 1.3 }
        if index != current, share < 0.4 { reach *= 0.8 }
      }
      current = index
      kill += 1
    }
    #expect(replaced > 2 && replaced < kill - 2, "\(replaced) of \(kill) were replaced")
    // What is left are the last killed writers' files, under names that nothing looks at; a writer
    // that is not killed removes them and leaves none.
    let known = ["0.safetensors", "1.safetensors", "a.lcw"]
    let left = try folder.names.filter { !known.contains($0) }
    #expect(left.allSatisfy { $0.hasPrefix(".a.lcw.") }, "\(left)")
    #expect(left.count <= 2, "\(left)")
    #expect(try convert("\(1 - current).safetensors").wait() == 0)
    #expect(
      try Checkpoint(reading: try LCWArchive().open(destination)) == contents[1 - current])
    #expect(try folder.names.filter { !known.contains($0) } == [])
    print("killed \(kill) times: \(replaced) files replaced, \(left.count) temporary files left")
  }

  /// Of 200 MB in tensors of 2 MB, no command that works on one tensor at a time holds the half.
  @Test(
    .enabled(if: ChildProcess.tellsMemory, "the system does not tell a process's memory"),
    .timeLimit(.minutes(5)))
  func fewTensorsAreInMemory() throws {
    var noise = Noise(37)
    let weights = StoredTensor(try Tensor(noise.weights(1 << 19), shape: [1 << 19]))
    try Safetensors().write(
      Checkpoint(tensors: (0..<96).map { NamedTensor("weight.\($0)", weights) }),
      to: folder.file("0.safetensors"))
    func path(_ name: String) -> String { folder.file(name).path }
    for arguments in [
      ["convert", path("0.safetensors"), path("a.lcw")],
      ["convert", path("a.lcw"), path("1.safetensors")],
      ["convert", path("a.lcw"), path("a.npz")], ["convert", path("a.npz"), path("b.lcw")],
      ["verify", path("a.lcw")], ["inspect", path("a.lcw")],
      ["diff", path("a.lcw"), path("1.safetensors")],
    ] {
      let process = try ChildProcess(Self.executable.path, arguments)
      var peak = 0
      while !process.hasEnded {
        peak = max(peak, process.peakMemory)
        usleep(500)
      }
      let command = "\(arguments[0]) \(URL(fileURLWithPath: arguments[1]).lastPathComponent)"
      #expect(process.wait() == 0, "\(command)")
      #expect(peak > 1 << 20 && peak < 100_000_000, "\(command) had \(peak) bytes")
    }
  }

  @Test func neitherTimeZoneNorLocaleNorUmaskIsInTheFile() throws {
    try Safetensors().write(try smallCheckpoint(), to: folder.file("0.safetensors"))
    var files: Set<[UInt8]> = []
    for (umask, environment) in [
      ("022", [:]), ("077", ["TZ": "Asia/Tokyo", "LC_ALL": "C"]),
      ("000", ["TZ": "America/New_York", "LC_ALL": "de_DE.UTF-8", "USER": "someone"]),
    ] {
      let shell = try ChildProcess(
        "/bin/sh",
        [
          "-c", "umask \(umask); exec \"$0\" convert \"$1\" \"$2\" --overwrite",
          Self.executable.path,
          folder.file("0.safetensors").path, folder.file("a.lcw").path,
        ],
        environment: environment)
      #expect(shell.wait() == 0)
      files.insert(try bytes(of: folder.file("a.lcw")))
    }
    #expect(files.count == 1)
  }
}

/// A process whose number stays its own until it is waited for, as that of Foundation's `Process`
/// does not: so no other one can be killed in its place. Its output is thrown away.
private final class ChildProcess {
  private let number: pid_t
  private var status: Int32?

  init(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws {
    let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    var files = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&files)
    defer { posix_spawn_file_actions_destroy(&files) }
    for descriptor: Int32 in 0...2 {
      posix_spawn_file_actions_addopen(&files, descriptor, "/dev/null", O_RDWR, 0)
    }
    var words = ([program] + arguments).map { strdup($0) } + [nil]
    var settings = variables.map { strdup("\($0)=\($1)") } + [nil]
    defer { for text in words + settings { free(text) } }
    var number: pid_t = 0
    try #require(posix_spawn(&number, program, &files, nil, &words, &settings) == 0)
    self.number = number
  }

  /// Whether it has ended; it can still be waited for.
  var hasEnded: Bool {
    var information = siginfo_t()
    waitid(P_PID, id_t(number), &information, WEXITED | WNOHANG | WNOWAIT)
    return information.si_signo == SIGCHLD
  }

  /// Whether there is an answer to ``peakMemory``.
  static let tellsMemory = FileManager.default.fileExists(atPath: "/proc/self/status")

  /// The most memory it has had so far, in bytes; 0 if it has ended.
  var peakMemory: Int {
    let status = (try? String(contentsOfFile: "/proc/\(number)/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
  }

  func kill() { Foundation.kill(number, SIGKILL) }

  /// The exit status, or −1 if a signal ended it.
  @discardableResult
  func wait() -> Int32 {
    if let status { return status }
    var raw: Int32 = 0
    while waitpid(number, &raw, 0) < 0, errno == EINTR {}
    let result = raw & 0x7F == 0 ? raw >> 8 & 0xFF : -1
    status = result
    return result
  }
}
