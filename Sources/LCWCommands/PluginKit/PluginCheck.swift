// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore

/// Checks a plugin's sources against the modules that lie beside this program, without compiling
/// the libraries once more.
struct PluginCheck {
  /// A target's sources.
  struct Target {
    let module: String
    let sources: [URL]
  }

  let targets: [Target]

  /// The targets of a package, or the sources that lie in a folder themselves. Programs are left out: the host
  /// of a package imports its plugin, which nothing has compiled.
  /// - Throws: ``PluginKitError/noSources(_:)``.
  init(folder: URL) throws {
    let manager = FileManager.default
    let package = folder.appendingPathComponent("Sources")
    let folders =
      (try? manager.contentsOfDirectory(atPath: package.path))?.sorted().map {
        package.appendingPathComponent($0)
      } ?? [folder]
    targets = folders.compactMap { folder in
      let sources = (manager.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? [])
        .filter { $0.hasSuffix(".swift") }.sorted().map(folder.appendingPathComponent)
      let isProgram = sources.contains { $0.lastPathComponent == "main.swift" }
      guard !sources.isEmpty, !isProgram else { return nil }
      return Target(module: folder.standardizedFileURL.lastPathComponent, sources: sources)
    }
    guard !targets.isEmpty else { throw PluginKitError.noSources(folder.path) }
  }

  /// Lets the compiler look at every target; it prints what it finds.
  /// - Parameter core: The folder of the package lcw.
  /// - Returns: The targets that have errors.
  /// - Throws: ``PluginKitError``.
  func run(core: URL) throws -> [Target] {
    let flags = try Self.flags(core: core)
    return try targets.filter { target in
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments =
        ["swiftc", "-typecheck", "-parse-as-library", "-module-name", target.module] + flags
        + target.sources.map(\.path)
      process.standardInput = FileHandle.nullDevice
      do { try process.run() } catch {
        throw PluginKitError.tool("swiftc", output: error.localizedDescription)
      }
      process.waitUntilExit()
      return process.terminationStatus != 0
    }
  }

  /// Whether a target has a line that registers a plugin.
  static func registers(_ target: Target) throws -> Bool {
    try target.sources.contains {
      try String(contentsOf: $0, encoding: .utf8).contains("@section(\"lcw_plugins\")")
    }
  }

  /// Where the compiler finds the libraries that this program was built from.
  private static func flags(core: URL) throws -> [String] {
    let manager = FileManager.default
    let program = ProgramFile.url.resolvingSymlinksInPath().deletingLastPathComponent()
    let modules = program.appendingPathComponent("Modules")
    guard
      manager.fileExists(atPath: modules.appendingPathComponent("LCWCore.swiftmodule").path)
    else { throw PluginKitError.noModules(program.path) }
    // Those of targets in C, which the build makes, and those of the system's libraries.
    func maps(in folder: URL, ending: String) -> [URL] {
      let names = (try? manager.contentsOfDirectory(atPath: folder.path)) ?? []
      return names.sorted().filter { $0.hasSuffix(ending) }
        .map { folder.appendingPathComponent($0).appendingPathComponent("module.modulemap") }
        .filter { manager.fileExists(atPath: $0.path) }
    }
    return ["-swift-version", "6", "-I", modules.path]
      + maps(in: program, ending: ".build").flatMap { ["-Xcc", "-fmodule-map-file=\($0.path)"] }
      + maps(in: core.appendingPathComponent("Sources"), ending: "")
      .flatMap { ["-I", $0.deletingLastPathComponent().path] }
  }
}
