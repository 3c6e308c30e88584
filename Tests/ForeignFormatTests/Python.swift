// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Python with its libraries, where there is one: that of `LCW_PYTHON`, or else `python3`.
enum Python {
  /// How a script ended.
  struct Outcome {
    var status: Int32
    var output: String
  }

  static let hasNumPy = has("numpy")
  static let hasTorch = has("torch")
  static let hasSafetensors = has("numpy, safetensors.numpy")

  private static func has(_ modules: String) -> Bool {
    (try? run("import \(modules)"))?.status == 0
  }

  /// Runs a script in a folder with the given arguments.
  static func run(
    _ script: String, _ arguments: [String] = [], in folder: URL? = nil
  ) throws -> Outcome {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    let python = ProcessInfo.processInfo.environment["LCW_PYTHON"] ?? "python3"
    process.arguments = [python, "-c", script] + arguments
    if let folder { process.currentDirectoryURL = folder }
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return Outcome(
      status: process.terminationStatus, output: String(decoding: output, as: UTF8.self))
  }
}
