// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWFormat
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
  @Test(arguments: ["method", "modifier", "architecture", "operation", "dataset", "format"])
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
    #expect(
      !["method", "modifier", "architecture"].contains(kind)
        || plugin.split(separator: "\n").count < 30)
    let again = try program.run("plugin", "new", kind, "my-own", expecting: 64).errors
    #expect(again.hasSuffix("my-own exists and is not empty; name another with --at\n"))
  }

  @Test
  func `what can't be a package is refused`() throws {
    func errors(_ arguments: String...) throws -> String {
      try program.run(["plugin", "new"] + arguments, expecting: 64).errors
    }
    #expect(
      try errors("optimiser", "a").contains("there are method, modifier, architecture, operation"))
    #expect(try errors("method", "Detour").contains("‘Detour’ is not a valid plugin name"))
    #expect(try errors("method", "arc").contains("there is a method ‘arc’ already"))
    #expect(try errors("method", "learnable").contains("choose another name"))
    #expect(try errors("method", "a", "--lcw", "/").contains("/ is not the package lcw"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: program.folder.url.path).isEmpty)
  }

  @Test
  func `what the package manager would refuse is refused`() throws {
    func errors(_ arguments: String...) throws -> String {
      try program.run(["plugin", "new", "method"] + arguments, expecting: 64).errors
    }
    let address = ["--lcw", "https://example.org/somebody/Fork-of-lcw.git"]
    #expect(try errors("lcw", "--at", "other").contains("‘lcw’ is the name of the package lcw"))
    #expect(
      try program.run(["plugin", "new", "method", "fork-of-lcw"] + address, expecting: 64).errors
        .contains("‘fork-of-lcw’ is the name of the package lcw"))
    #expect(
      try program.run(
        ["plugin", "new", "method", "a", "--at", "x/FORK-of-lcw"] + address, expecting: 64
      )
      .errors.contains("x/FORK-of-lcw has the name of the folder of the package lcw"))
    #expect(
      try errors("a", "--at", "x/\(Self.package.lastPathComponent.uppercased())")
        .contains("has the name of the folder of the package lcw"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: program.folder.url.path).isEmpty)
  }

  @Test
  func `the command that is printed can be given to a shell`() throws {
    let output = try program.run("plugin", "new", "method", "own", "--at", "a b").output
    #expect(output.contains("/.build/release/lcw plugin check 'a b'\n"))
    #expect(
      output.contains("\n  swift test -c release --disable-testable-imports --scratch-path "))
    #expect(output.hasSuffix(" --package-path 'a b'\n"))
    #expect(try text("a b/README.md").contains("/.build/release/lcw-own plugins own "))
  }

  @Test
  func `data sets are listed with what is done to their samples`() throws {
    #expect(try program.run("plugins", "mnist").output.contains("\n  preprocessing: pixel / 255\n"))
    #expect(try program.run("plugins").output.contains("  preprocessing: pixel / 255\n"))
    let json = try program.json("plugins", "mnist", "--json").array?.first?.object
    #expect(json?["preprocessing"]?.string == "pixel / 255")
    #expect(
      try program.json("plugins", "arc", "--json").array?.first?.object?["preprocessing"] == nil)
  }

  @Test
  func `operations are listed with how they are written`() throws {
    let listed = try program.run("plugins", "operation").output
    #expect(listed.hasPrefix("operations\n"))
    #expect(listed.contains("add from NAME NAME"))
    let all = try program.json("plugins", "operation", "--json").array?.compactMap(\.object) ?? []
    #expect(all.count >= 10 && all.allSatisfy { $0["kind"] == "operation" && $0["usage"] != nil })
    let conv = try program.run("plugins", "conv").output
    #expect(conv.hasPrefix("operation conv: ") && conv.contains("\n  conv FILTERS "))
    #expect(conv.contains("LCWOperations.Convolution, linked into lcw"))
    #expect(!conv.contains("no options"))
  }

  /// The folder of this package.
  private static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

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

  @Test(arguments: ["method", "architecture", "operation", "dataset", "format"])
  func `a new package passes the check, and what is wrong with it is shown`(kind: String) throws {
    try program.run("plugin", "new", kind, "my-own")
    let whole = try program.run("plugin", "check", "my-own")
    #expect(whole.output == "MyOwnPlugin: no errors\n" && whole.errors.isEmpty)
    let sources = program.folder.url.appendingPathComponent("my-own/Sources/MyOwnPlugin")
    #expect(try program.run("plugin", "check", sources.path).output == whole.output)

    try Data("let wrong: Int = \"text\"".utf8)
      .write(to: sources.appendingPathComponent("Wrong.swift"))
    let broken = try program.run("plugin", "check", "my-own", expecting: 65).errors
    #expect(broken.contains("Wrong.swift:1:18: error: "))
    #expect(broken.hasSuffix("\nerror: MyOwnPlugin does not compile\n"))
  }

  @Test
  func `a check says what it lacks`() throws {
    let sources = program.folder.url.appendingPathComponent("Bare")
    try FileManager.default.createDirectory(at: sources, withIntermediateDirectories: true)
    #expect(
      try program.run("plugin", "check", "Bare", expecting: 64).errors
        .contains("Bare has no Swift sources of a plugin"))
    try Data("let number = 1".utf8).write(to: sources.appendingPathComponent("A.swift"))
    #expect(
      try program.run("plugin", "check", "Bare").output
        == "Bare: no errors; no line in it registers a plugin\n")
    #expect(
      try program.run("plugin", "check", "Bare", "--lcw", "/", expecting: 64).errors
        .contains("/ is not the package lcw"))
  }

  #if os(Linux)
    @Test
    func `a plugin linked apart is opened, listed with its file, and works`() throws {
      try program.run("plugin", "link", "RanksExample", "-o", "libranks.so")
      try program.run("plugin", "link", "SpiralsExample", "-o", "libspirals.so")
      #expect(try !program.run("plugins").output.contains("ranks"))
      let listed = try program.run("--plugin", "libranks.so", "plugins", "ranks").output
      #expect(listed.contains("Ranks, from "))
      #expect(listed.contains("libranks.so"))
      #expect(try program.run("plugins", "arc").output.contains("ArcMethod.Arc, linked into lcw"))

      // Both together, one by its folder.
      let folder = ["LCW_PLUGINS": program.folder.url.path]
      let all = try program.run("--plugin=libranks.so", "plugins", "--json", environment: folder)
      let files = try JSONValue(parsing: Array(all.output.utf8)).array?.compactMap {
        $0.object?["file"]?.string
      }
      #expect(files?.count == 2)
      try program.run(
        "train", "--architecture", "mlp:hidden=12x9", "--dataset", "spirals", "--epochs", "2",
        "--seeds", "1...2", "-o", "models", "--quiet", environment: folder)
      let joined = try program.run(
        "connect", "models/spirals-1.lcw", "models/spirals-2.lcw", "-m", "ranks", "--quiet",
        environment: folder)
      #expect(joined.output.contains("ranks"))
      // Without it the file's data set is unknown.
      #expect(
        try program.run(
          "connect", "models/spirals-1.lcw", "models/spirals-2.lcw", "-m", "linear", expecting: 64
        )
        .errors.contains("no dataset is called ‘spirals’"))
    }

    /// Two networks in `a.lcw` and `b.lcw`.
    private func train() throws {
      try program.run(
        "train", "--architecture", "mlp:hidden=9", "--dataset", "digits", "--epochs", "1",
        "--seeds", "1...2", "-o", "models", "--quiet")
    }

    private let models = ["models/digits-1.lcw", "models/digits-2.lcw"]

    @Test
    func `a path that is stored whole needs no plugin, another says which`() throws {
      try program.run("plugin", "link", "RanksExample", "-o", "libranks.so")
      try train()
      let evaluate = ["--points", "3", "--samples", "50", "--format", "json", "--threads", "1"]

      // As a method of a plugin would have made it.
      try program.run(["connect"] + models + ["-m", "linear", "-o", "line.lcw", "--quiet"])
      let folder = program.folder.url
      var line = try Checkpoint(
        reading: LCWArchive().open(folder.appendingPathComponent("line.lcw")))
      line.metadata["method"] = "ranks"
      try LCWArchive().write(line, to: folder.appendingPathComponent("stored.lcw"))
      let outcome = try program.run(
        ["evaluate", "line.lcw", "stored.lcw", "--report", "r.html"] + evaluate)
      let overview = try JSONValue(parsing: Array(outcome.output.utf8)).object?["overview"]?.array
      #expect(overview?.count == 2)
      #expect(overview?.last?.object?["path"]?.string == "ranks")
      #expect(overview?.first?.object?["compute"]?.string != nil)
      #expect(overview?.last?.object?["compute"]?.string == nil)
      try program.run("export", "stored.lcw", "--at", "0.5", "-o", "middle.lcw")

      let opening = ["--plugin", "libranks.so"]
      try program.run(
        opening + ["connect"] + models + ["-m", "ranks", "-o", "way.lcw", "--quiet"])
      try program.run(opening + ["evaluate", "way.lcw"] + evaluate)
      for command in [["evaluate", "way.lcw"], ["export", "way.lcw", "--at", "0", "-o", "x.lcw"]] {
        let errors = try program.run(command, expecting: 64).errors
        #expect(errors.hasPrefix("error: way.lcw: no method is called ‘ranks’"))
        #expect(errors.contains("--plugin FILE") && errors.contains("LCW_PLUGINS"))
      }
    }

    @Test
    func `two plugins of one name are told with where they come from, and what to do`() throws {
      try program.run("plugin", "link", "ArcMethod", "-o", "libarc.so")
      let own = try program.run("--plugin", "libarc.so", "plugins", expecting: 1).errors
      #expect(own.contains("two plugins claim the method ‘arc’: "))
      #expect(own.contains("ArcMethod.Arc, linked into this program"))
      #expect(own.contains("ArcMethod.Arc, from "))
      #expect(own.contains("libarc.so; remove one of them"))
      #expect(own.contains("LCW_PLUGINS"))

      try program.run("plugin", "link", "RanksExample", "-o", "libranks.so")
      let folder = program.folder.url
      try FileManager.default.copyItem(
        at: folder.appendingPathComponent("libranks.so"),
        to: folder.appendingPathComponent("libcopy.so"))
      let both = try program.run(
        "--plugin", "libranks.so", "--plugin", "libcopy.so", "plugins", expecting: 1
      ).errors
      #expect(both.contains("libranks.so") && both.contains("libcopy.so"))
      #expect(!both.contains("linked into this program"))
    }

    @Test
    func `what is in the program already is not linked, nor a target twice`() throws {
      let sources = Self.package.appendingPathComponent("Sources").path
      let libraries = Set(try FileManager.default.contentsOfDirectory(atPath: sources))
        .subtracting(["COpenBLAS", "CZstd", "CArchive", "CZlib", "DigestSources"])
      #expect(libraries.isSuperset(of: ["LCWPaths", "LCWStamp", "LCWConformance", "CKernels"]))
      for library in libraries {
        let errors = try program.run(
          "plugin", "link", "RanksExample", library, "-o", "a.so", expecting: 64
        ).errors
        #expect(errors.contains("\(library) is part of lcw"), "\(library): \(errors)")
      }
      #expect(
        try program.run(
          "plugin", "link", "RanksExample", "RanksExample", "-o", "a.so", expecting: 64
        ).errors.contains("RanksExample is named twice"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: program.folder.url.path).isEmpty)
    }

    @Test
    func `the stamp is of the sources of all that a plugin may import`() throws {
      try program.run("plugin", "link", "SpiralsExample", "-o", "a.so")
      let bytes = try program.bytes("a.so")
      let mark = try #require(
        bytes.firstRange(of: Data("lcw-build-stamp:\(LCWVersion.current)|".utf8)))
      let digest = String(decoding: bytes[mark.upperBound...].prefix(64), as: UTF8.self)
      let folders =
        [
          "CKernels/include", "CPluginSection/include", "LCWCore", "LCWExperiments", "LCWFiles",
          "LCWFlows", "LCWNetworks", "LCWNumerics", "LCWOperations", "LCWPaths", "LCWReport",
        ].map { "Sources/\($0)" } + ["Formats", "Plugins"]
      var sources = Data()
      for folder in folders {
        let place = Self.package.appendingPathComponent(folder)
        let names = try FileManager.default.subpathsOfDirectory(atPath: place.path)
        for name in names.sorted() where name.hasSuffix(".swift") || name.hasSuffix(".h") {
          sources += try Data(contentsOf: place.appendingPathComponent(name))
        }
      }
      #expect(digest == SHA256.hexDigest(of: Array(sources)))
    }

    @Test
    func `an object of another build is refused before any of it runs`() throws {
      try program.run("plugin", "link", "SpiralsExample", "-o", "libspirals.so")
      let file = program.folder.url.appendingPathComponent("libspirals.so")
      var bytes = try Data(contentsOf: file)
      let mark = Data("lcw-build-stamp:\(LCWVersion.current)|".utf8)
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
          .contains("was built for version \(LCWVersion.current.dropLast())9 of lcw"))

      // What keeps other commands from running does not keep one from linking it anew.
      let folder = ["LCW_PLUGINS": program.folder.url.path]
      try program.run("plugins", environment: folder, expecting: 65)
      try program.run("--version", environment: folder)
      try program.run(
        "plugin", "link", "SpiralsExample", "-o", "libspirals.so", environment: folder)
      #expect(try program.run("plugins", environment: folder).output.contains("spirals"))
      #expect(
        try program.run("plugins", "--plugin", "libspirals.so", expecting: 64).errors
          .contains("--plugin goes before the command"))

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
