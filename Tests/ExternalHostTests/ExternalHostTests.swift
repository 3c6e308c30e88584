// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension Trait where Self == ConditionTrait {
  /// For what takes many minutes; `make test-all` runs it.
  static var slow: ConditionTrait {
    .enabled(
      if: ProcessInfo.processInfo.environment["LCW_SLOW_TESTS"] == "1",
      "it takes many minutes; make test-all runs it")
  }
}

/// A second package that depends on this one, with a method and a host of its own.
struct ExternalHostTests {
  private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  // It compiles the whole package once more: the folder of this build is in use.
  @Test(.slow, .timeLimit(.minutes(30)))
  func `a stranger's plugin is listed by its own host and connects`() throws {
    // Beside the package's own products, so that a second run builds nothing anew.
    let folder = root.appendingPathComponent(".build/external-host")
    let manager = FileManager.default
    try? manager.removeItem(at: folder.appendingPathComponent("package"))
    try manager.createDirectory(at: folder, withIntermediateDirectories: true)
    let package = folder.appendingPathComponent("package")
    try manager.copyItem(
      at: root.appendingPathComponent("Tests/ExternalHostTests/Fixture"), to: package)
    let manifest = package.appendingPathComponent("Package.swift")
    let text = try String(contentsOf: manifest, encoding: .utf8)
    try text.replacingOccurrences(of: "LCW_PACKAGE_PATH", with: root.path)
      .write(to: manifest, atomically: true, encoding: .utf8)

    let scratch = folder.appendingPathComponent("build").path
    let build = try run(
      "/usr/bin/env", "swift", "build", "-c", "release", "--package-path", package.path,
      "--scratch-path", scratch, "--product", "host")
    try #require(build.status == 0, "\(build.output)")

    let host = "\(scratch)/release/host"
    let plugins = try run(host, "plugins", "--json")
    #expect(plugins.status == 0)
    #expect(plugins.output.contains("\"OddMethod.Odd\""))
    #expect(plugins.output.contains("\"ArcMethod.Arc\""))

    for (name, seed) in [("a", "1"), ("b", "2")] {
      let train = try run(
        host, "train", "--architecture", "mlp:hidden=20", "--dataset", "digits", "--epochs", "1",
        "--seed", seed, "-o", folder.appendingPathComponent("\(name).lcw").path, "--quiet",
        "--overwrite")
      #expect(train.status == 0, "\(train.output)")
    }
    let connect = try run(
      host, "connect", folder.appendingPathComponent("a.lcw").path,
      folder.appendingPathComponent("b.lcw").path, "--method", "odd")
    #expect(connect.status == 0 && connect.output.contains("odd"), "\(connect.output)")
  }

  private func run(_ command: String...) throws -> (status: Int32, output: String) {
    let log = FileManager.default.temporaryDirectory.appendingPathComponent("lcw-\(UUID()).log")
    _ = FileManager.default.createFile(atPath: log.path, contents: nil)
    defer { try? FileManager.default.removeItem(at: log) }
    let handle = try FileHandle(forWritingTo: log)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: command[0])
    process.arguments = Array(command.dropFirst())
    process.standardOutput = handle
    process.standardError = handle
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return (process.terminationStatus, try String(contentsOf: log, encoding: .utf8))
  }
}
