// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import Testing

/// Packages of plugins, and shared objects.
struct PluginCommandTests {
  private let program: Program

  init() throws {
    program = try Program()
  }

  private func text(_ path: String) throws -> String {
    String(decoding: try program.bytes(path), as: UTF8.self)
  }

  /// That such packages build and pass their tests, Tests/PluginKit/run shows.
  @Test(arguments: ["method", "architecture", "dataset", "format"])
  func `a new package has a plugin, its test, its host and a readme`(kind: String) throws {
    let outcome = try program.run("plugin", "new", kind, "my-own")
    let type = "MyOwn\(kind.prefix(1).uppercased())\(kind.dropFirst())"
    #expect(outcome.output.contains("Sources/MyOwnPlugin/\(type).swift"))
    let plugin = try text("my-own/Sources/MyOwnPlugin/\(type).swift")
    #expect(plugin.contains("static let name = \"my-own\""))
    #expect(plugin.contains("let myOwnRecord: PluginRecord = { $0.add(\(type).self) }"))
    #expect(try text("my-own/Tests/MyOwnPluginTests/\(type)Tests.swift").contains("\(kind): "))
    #expect(
      try text("my-own/Sources/lcw-my-own/main.swift").split(separator: "\n")
        == ["import LCWCommands", "LCWCommand.runAsProgram()"])
    let manifest = try text("my-own/Package.swift")
    #expect(manifest.contains(".package(name: \"lcw\", path: \"/"))
    for file in ["README.md", "Package.swift", ".gitignore"] {
      #expect(try !text("my-own/\(file)").contains("{{"))
    }
    #expect(!plugin.contains("{{"))
    #expect(kind != "method" || plugin.split(separator: "\n").count < 30)
    let again = try program.run("plugin", "new", kind, "my-own", expecting: 64).errors
    #expect(again.hasSuffix("my-own is there and not empty; name another with --at\n"))
  }

  @Test
  func `what can't be a package is refused`() throws {
    func errors(_ arguments: String...) throws -> String {
      try program.run(["plugin", "new"] + arguments, expecting: 64).errors
    }
    #expect(try errors("modifier", "a").contains("there are method, architecture, dataset"))
    #expect(try errors("method", "Detour").contains("‘Detour’ is no name of a plugin"))
    #expect(try errors("method", "arc").contains("there is a method ‘arc’ already"))
    #expect(try errors("method", "learnable").contains("take another name"))
    #expect(try errors("method", "a", "--lcw", "/").contains("/ is not the package lcw"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: program.folder.url.path).isEmpty)
  }

  @Test
  func `a package may depend on an address`() throws {
    try program.run(
      "plugin", "new", "format", "own", "--at", "there", "--lcw",
      "https://example.org/somebody/fork-of-lcw.git")
    let manifest = try text("there/Package.swift")
    #expect(
      manifest.contains(
        ".package(url: \"https://example.org/somebody/fork-of-lcw.git\", branch: \"main\")"))
    #expect(manifest.contains("package: \"fork-of-lcw\")"))
  }

  #if os(Linux)
    @Test
    func `a plugin linked apart is opened, listed with its file, and works`() throws {
      try program.run("plugin", "link", "GitRebasinExample", "-o", "libgit.so")
      try program.run("plugin", "link", "SpiralsExample", "-o", "libspirals.so")
      #expect(try !program.run("plugins").output.contains("git-rebasin"))
      let listed = try program.run("--plugin", "libgit.so", "plugins", "git-rebasin").output
      #expect(listed.contains("GitRebasin, from "))
      #expect(listed.contains("libgit.so"))
      #expect(try program.run("plugins", "arc").output.contains("ArcMethod.Arc, linked into lcw"))

      // Both together, one by its folder.
      let folder = ["LCW_PLUGINS": program.folder.url.path]
      let all = try program.run("--plugin=libgit.so", "plugins", "--json", environment: folder)
      let files = try JSONValue(parsing: Array(all.output.utf8)).array?.compactMap {
        $0.object?["file"]?.string
      }
      #expect(files?.count == 2)
      try program.run(
        "train", "--architecture", "mlp:hidden=12x9", "--dataset", "spirals", "--epochs", "2",
        "--seeds", "1...2", "-o", "models", "--quiet", environment: folder)
      let joined = try program.run(
        "connect", "models/spirals-1.lcw", "models/spirals-2.lcw", "-m", "git-rebasin", "--quiet",
        environment: folder)
      #expect(joined.output.contains("git-rebasin"))
      // Without it the file's data set is unknown.
      #expect(
        try program.run(
          "connect", "models/spirals-1.lcw", "models/spirals-2.lcw", "-m", "linear", expecting: 64
        )
        .errors.contains("no dataset is called ‘spirals’"))
    }

    @Test
    func `an object of another build is refused before any of it runs`() throws {
      try program.run("plugin", "link", "SpiralsExample", "-o", "libspirals.so")
      let file = program.folder.url.appendingPathComponent("libspirals.so")
      var bytes = try Data(contentsOf: file)
      let mark = Data("lcw-build-stamp:0.1.0|".utf8)
      let place = try #require(bytes.firstRange(of: mark)).upperBound
      bytes[place] = bytes[place] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
      try bytes.write(to: file)
      let other = try program.run("--plugin", "libspirals.so", "plugins", expecting: 65).errors
      #expect(other.contains("libspirals.so was built for other sources of lcw"))
      #expect(other.contains("lcw plugin link"))

      bytes[place - 2] = UInt8(ascii: "9")
      try bytes.write(to: file)
      #expect(
        try program.run("--plugin", "libspirals.so", "plugins", expecting: 65).errors
          .contains("was built for version 0.1.9 of lcw"))

      // What keeps other commands from running does not keep one from linking it anew.
      let folder = ["LCW_PLUGINS": program.folder.url.path]
      try program.run("plugins", environment: folder, expecting: 65)
      try program.run("--version", environment: folder)
      try program.run(
        "plugin", "link", "SpiralsExample", "-o", "libspirals.so", environment: folder)
      #expect(try program.run("plugins", environment: folder).output.contains("spirals"))
      #expect(
        try program.run("plugins", "--plugin", "libspirals.so", expecting: 64).errors
          .contains("--plugin stands before the command"))

      try Data("no object".utf8).write(to: file)
      #expect(
        try program.run("--plugin", "libspirals.so", "plugins", expecting: 65).errors
          .contains("libspirals.so has no stamp of lcw"))
      #expect(
        try program.run("--plugin", "nowhere.so", "plugins", expecting: 66).errors
          .contains("nowhere.so"))
      #expect(
        try program.run("plugins", environment: ["LCW_PLUGINS": "/nowhere"], expecting: 66).errors
          .contains("/nowhere"))
      #expect(
        try program.run("plugin", "link", "Nothing", "-o", "a.so", expecting: 64).errors
          .contains("there are no object files of Nothing"))
    }
  #endif
}
