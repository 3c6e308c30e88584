// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// The built command, run as a user runs it.
struct Program {
  /// What a run left behind.
  struct Outcome {
    var status: Int32
    var output: String
    var errors: String
  }

  /// A folder of the test's own, removed with it.
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  /// Runs `lcw` in the folder.
  @discardableResult
  func run(
    _ arguments: String..., environment: [String: String] = [:], expecting status: Int32? = 0,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Outcome {
    try run(
      arguments, environment: environment, expecting: status, sourceLocation: sourceLocation)
  }

  /// Runs `lcw` in the folder.
  @discardableResult
  func run(
    _ arguments: [String], environment: [String: String] = [:], expecting status: Int32? = 0,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Outcome {
    let process = try start(arguments, environment: environment)
    let outcome = process.finish()
    if let status {
      #expect(
        outcome.status == status, "\(arguments) said \(outcome.errors)",
        sourceLocation: sourceLocation)
    }
    return outcome
  }

  /// Starts `lcw` in the folder.
  func start(
    _ arguments: [String], environment: [String: String] = [:], input: URL? = nil,
    output: FileHandle? = nil, errors: FileHandle? = nil
  ) throws -> RunningProgram {
    let executable = URL(fileURLWithPath: CommandLine.arguments[0])
      .deletingLastPathComponent().appendingPathComponent("lcw")
    return try RunningProgram(
      executable, arguments,
      environment: ProcessInfo.processInfo.environment
        .filter { $0.key != "LCW_DATA" }.merging(environment) { $1 },
      folder: folder.url, input: input, output: output, errors: errors)
  }

  /// The bytes of a file in the folder.
  func bytes(_ name: String) throws -> Data {
    try Data(contentsOf: folder.url.appendingPathComponent(name))
  }

  /// The JSON that a run prints.
  func json(_ arguments: String...) throws -> JSONValue {
    let outcome = try start(arguments).finish()
    #expect(outcome.status == 0, "\(arguments) said \(outcome.errors)")
    return try JSONValue(parsing: Array(outcome.output.utf8))
  }
}

/// A process whose output is collected in files, so that no pipe can fill.
final class RunningProgram {
  private let process = Process()
  private let files: TemporaryFolder

  init(
    _ executable: URL, _ arguments: [String], environment: [String: String], folder: URL,
    input: URL?, output: FileHandle?, errors: FileHandle?
  ) throws {
    files = try TemporaryFolder()
    process.executableURL = executable
    process.arguments = arguments
    process.environment = environment
    process.currentDirectoryURL = folder
    process.standardInput = try input.map(FileHandle.init(forReadingFrom:)) ?? .nullDevice
    process.standardOutput = try output ?? Self.file(files.url.appendingPathComponent("output"))
    process.standardError = try errors ?? Self.file(files.url.appendingPathComponent("errors"))
    try process.run()
  }

  private static func file(_ url: URL) throws -> FileHandle {
    _ = FileManager.default.createFile(atPath: url.path, contents: nil)
    return try FileHandle(forWritingTo: url)
  }

  /// What standard error has so far.
  var errors: String { text("errors") }

  func interrupt() { process.interrupt() }

  /// Asks the process to end, as a machine that shuts down does.
  func terminate() { process.terminate() }

  /// Waits until something is so, as long as the process runs and at most two minutes.
  func wait(until isSo: () -> Bool) {
    let deadline = Date.now + 120
    while !isSo(), process.isRunning, Date.now < deadline { usleep(2000) }
  }

  /// Waits until the process has worked for so many seconds of a processor, and says what signals do.
  func waitUntilAtWork(_ seconds: Double) {
    wait { answersSignals && processorSeconds >= seconds }
  }

  /// Whether it has said what SIGINT does.
  private var answersSignals: Bool {
    let status = text(ofProcess: "status")
    guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("SigCgt:") }),
      let mask = line.split(whereSeparator: \.isWhitespace).last.flatMap({ UInt64($0, radix: 16) })
    else { return false }
    return mask & (1 << UInt64(SIGINT - 1)) != 0
  }

  /// The seconds of a processor that it has had.
  private var processorSeconds: Double {
    // Behind the command's name, which may hold anything, in parentheses.
    let fields = text(ofProcess: "stat").split(separator: ")").last?.split(separator: " ") ?? []
    guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else {
      return 0
    }
    return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  private func text(ofProcess file: String) -> String {
    (try? String(
      contentsOfFile: "/proc/\(process.processIdentifier)/\(file)", encoding: .utf8)) ?? ""
  }

  /// Whether the process is at work.
  var isRunning: Bool { process.isRunning }

  /// Ends the process at once, and tells whether it was still at work.
  func kill() -> Bool {
    guard process.isRunning else { return false }
    return Glibc.kill(process.processIdentifier, SIGKILL) == 0
  }

  func finish() -> Program.Outcome {
    process.waitUntilExit()
    return Program.Outcome(
      status: process.terminationStatus, output: text("output"), errors: text("errors"))
  }

  private func text(_ name: String) -> String {
    (try? String(contentsOf: files.url.appendingPathComponent(name), encoding: .utf8)) ?? ""
  }
}

/// A folder that is removed when nothing refers to it.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("lcw-\(UUID())")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }
}
