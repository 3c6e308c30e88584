// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// What every command does where its results can't go: a full device or file system, a pipe that
/// nobody reads, a folder that nothing can be written to.
struct OutputTests {
  private let program: Program

  init() throws {
    program = try Program()
    for (seed, name) in [("1", "a.lcw"), ("2", "b.lcw"), ("3", "c.lcw")] {
      try program.run(
        "train", "--architecture", "mlp:hidden=100", "--dataset", "digits", "--epochs", "1",
        "--seed", seed, "-o", name, "--quiet")
    }
    try program.run("connect", "a.lcw", "b.lcw", "-m", "arc", "-o", "path.lcw")
    try program.run("convert", "a.lcw", "a.safetensors")
    try program.run("ensemble", "a.lcw", "b.lcw", "-o", "both.lcw", "--quiet")
  }

  // MARK: Standard output

  /// Commands that print, and the status they end with where the system fails.
  private static let printing: [(arguments: [String], failure: Int32)] = {
    let formats = ["table", "csv", "json", "markdown"]
    let few = ["--points", "3", "--no-refine", "--samples", "100", "--quiet"]
    let tables = formats.flatMap { format -> [[String]] in
      let format = ["--format", format]
      return [
        ["evaluate", "a.lcw", "--samples", "100"] + format,
        ["evaluate", "path.lcw"] + few + format,
        ["evaluate", "both.lcw", "--samples", "100"] + format,
        ["connect", "a.lcw", "b.lcw", "-m", "linear"] + few + format,
        ["compare", "a.lcw", "b.lcw", "c.lcw", "-m", "linear"] + few + format,
        ["ensemble", "a.lcw", "b.lcw", "--samples", "100", "--quiet"] + format,
      ]
    }
    let single: [[String]] = [
      ["--help"], ["--version"], ["help", "train"], ["train", "--help"],
      ["--generate-completion-script", "bash"], ["--generate-completion-script", "zsh"],
      ["--generate-completion-script", "fish"], ["inspect", "digits"],
      ["inspect", "digits", "--json"],
      ["plugins"], ["plugins", "--json"], ["plugins", "arc"], ["manual"],
      ["manual", "--format", "man"], ["plugin", "new", "method", "own", "--at", "own-\(UUID())"],
      ["verify", "a.lcw", "b.lcw"], ["inspect", "a.lcw"], ["inspect", "a.lcw", "--json"],
      ["inspect", "a.lcw", "--stats"], ["inspect", "a.lcw", "dense1.bias"],
      ["export", "path.lcw", "--at", "0.5", "-o", "x.lcw", "--overwrite"],
      ["convert", "a.lcw", "x.safetensors", "--overwrite"],
      [
        "convert", "a.safetensors", "x.lcw", "--overwrite", "--architecture", "mlp:hidden=100",
        "--dataset", "digits",
      ],
      ["convert", "a.lcw", "x.lcw", "--names-of", "a.safetensors", "--overwrite"],
      ["convert", "a.lcw", "-", "--format", "lcw"],
      ["convert", "a.lcw", "-", "--format", "safetensors"],
      ["convert", "a.lcw", "-", "--format", "numpy"],
      ["extract", "a.lcw", "dense1.bias", "-o", "-", "--format", "raw"],
      ["extract", "a.lcw", "dense1.bias", "-o", "x.npy", "--overwrite"],
      ["connect", "a.lcw", "b.lcw", "-m", "arc", "-o", "joined.lcw", "--overwrite"],
      [
        "train", "--architecture", "mlp:hidden=10", "--dataset", "digits", "--epochs", "1", "-o",
        "y.lcw", "--overwrite", "--quiet",
      ],
      ["fit", "flow:epochs=1", "a.lcw", "b.lcw", "-o", "z.lcw", "--overwrite", "--quiet"],
      ["reproduce", "--list"], ["reproduce", "digits", "--scale", "quick", "--dry-run"],
    ]
    let diffs: [[String]] =
      [
        ["diff", "a.lcw", "b.lcw"], ["diff", "a.lcw", "a.safetensors"], ["diff", "--help"],
      ] + formats.map { ["diff", "a.lcw", "b.lcw", "--format", $0] }
    return (tables + single).map { ($0, 1) } + diffs.map { ($0, 2) }
  }()

  @Test
  func `a full standard output ends every command with an error`() throws {
    let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
    for (arguments, failure) in Self.printing {
      let outcome = try program.start(arguments, output: full).finish()
      #expect(outcome.status == failure, "\(arguments) said \(outcome.errors)")
      #expect(
        outcome.errors.hasSuffix(
          "error: can't write to standard output: No space left on device\n"),
        "\(arguments) said \(outcome.errors)")
    }
  }

  @Test
  func `a pipe whose reader has left ends every command without a word`() throws {
    for (arguments, _) in Self.printing {
      let pipe = Pipe()
      try pipe.fileHandleForReading.close()
      let outcome = try program.start(arguments, output: pipe.fileHandleForWriting).finish()
      #expect(outcome.status == 141, "\(arguments) said \(outcome.errors)")
      #expect(!outcome.errors.contains("error"), "\(arguments) said \(outcome.errors)")
    }
  }

  @Test
  func `a reader of messages who leaves stops no work`() throws {
    let pipe = Pipe()
    try pipe.fileHandleForReading.close()
    let outcome = try program.start(
      [
        "train", "--architecture", "mlp:hidden=10", "--dataset", "digits", "--epochs", "2", "-o",
        "y.lcw",
      ], errors: pipe.fileHandleForWriting
    ).finish()
    #expect(outcome.status == 0)
    try program.run("verify", "y.lcw")
  }

  @Test
  func `closed descriptors are no place for a file`() throws {
    let train = [
      "train", "--architecture", "mlp:hidden=10", "--dataset", "digits", "--epochs", "2", "-o",
      "y.lcw", "--overwrite",
    ]
    #expect(try shell("exec \"$@\" 2>&-", train).status == 0)
    try program.run("verify", "y.lcw")
    let closed = try shell("exec \"$@\" >&-", train)
    #expect(closed.status == 1)
    #expect(closed.errors.hasSuffix("can't write to standard output: Bad file descriptor\n"))
    try program.run("verify", "y.lcw")
    #expect(try shell("exec \"$@\" <&-", ["verify", "-"]).status == 66)
  }

  @Test
  func `messages stand between lines of results, not in them`() throws {
    let file = program.folder.url.appendingPathComponent("log")
    let descriptor = open(file.path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    let log = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    let methods = [
      "linear", "arc", "ot", "linear+wa", "arc+wa", "ot+wa", "linear+bfly", "arc+bfly", "ot+bfly",
    ].flatMap { ["-m", $0] }
    let status = try program.start(
      ["connect", "a.lcw", "b.lcw", "--report", "r.html"] + methods, output: log, errors: log
    ).finish().status
    #expect(status == 0)
    let text = String(decoding: try program.bytes("log"), as: UTF8.self)
    #expect(text.count > 4096 && text.hasSuffix("\nr.html: report of 9 paths\n"))
  }

  @Test
  func `progress is a line every ten seconds where there is no terminal`() throws {
    let process = try program.start(
      ["connect", "a.lcw", "b.lcw", "-m", "garipov:epochs=1000000", "-o", "x.lcw"])
    let start = ContinuousClock.now
    while !process.errors.contains("\n"), .now - start < .seconds(60) { usleep(100_000) }
    let said = process.errors
    let waited = ContinuousClock.now - start
    #expect(process.kill())
    _ = process.finish()
    #expect(waited >= .seconds(9) && said.contains(" epoch ") && said.contains(" left\n"))
    #expect(said.split(separator: "\n").count == 1 && !said.contains("\u{1B}"), "\(said)")
  }

  // MARK: Files

  /// Commands that write a file into the folder `place`, the file that an error names, and whether
  /// they leave others that were written before.
  private static let writing: [(arguments: [String], file: String, leavesOthers: Bool)] = {
    let few = ["--points", "3", "--no-refine", "--samples", "100", "--quiet"]
    let train = [
      "train", "--architecture", "mlp:hidden=100", "--dataset", "digits", "--epochs", "1",
      "--quiet",
    ]
    let converted = ["lcw", "safetensors", "npz"].map {
      (["convert", "a.lcw", "place/x.\($0)"], "place/x.\($0)", false)
    }
    return converted + [
      (["convert", "a.lcw", "place/x.npy", "--select", "dense1.weight"], "place/x.npy", false),
      (
        ["convert", "a.lcw", "place/x.npz", "--format", "numpy:compress=true"], "place/x.npz", false
      ),
      (["extract", "a.lcw", "dense1.weight", "-o", "place/x.raw"], "place/x.raw", false),
      (["extract", "a.lcw", "dense1.weight", "-o", "place/x.npz"], "place/x.npz", false),
      (["export", "path.lcw", "--at", "0.5", "-o", "place/x.lcw"], "place/x.lcw", false),
      (["connect", "a.lcw", "b.lcw", "-m", "arc", "-o", "place/x.lcw"], "place/x.lcw", false),
      (["ensemble", "a.lcw", "b.lcw", "-o", "place/x.lcw", "--quiet"], "place/x.lcw", false),
      (
        ["fit", "flow:epochs=1", "a.lcw", "b.lcw", "-o", "place/x.lcw", "--quiet"], "place/x.lcw",
        true
      ),
      (train + ["-o", "place/x.lcw"], "place/x.lcw", false),
      (train + ["-o", "place/x.lcw", "--overwrite"], "place/x.lcw", false),
      (train + ["-o", "place/models", "--count", "2"], "place/models", true),
      (
        ["connect", "a.lcw", "b.lcw", "-m", "linear", "--report", "place/x.html"] + few,
        "place/x.html", false
      ),
      (["evaluate", "path.lcw", "--report", "place/x.html"] + few, "place/x.html", false),
      (
        ["ensemble", "a.lcw", "b.lcw", "--report", "place/x.html", "--quiet"], "place/x.html", false
      ),
      (
        ["demo", "-o", "place/demo", "--hidden", "100", "--epochs", "1", "--quiet"], "place/demo",
        true
      ),
      (["plugin", "new", "method", "own", "--at", "place/own"], "place/own", true),
      (
        ["reproduce", "digits", "--scale", "quick", "-o", "place/run", "--quiet"], "place/run", true
      ),
    ]
  }()

  @Test(.enabled(if: Mounts.isPermitted, "file systems can't be mounted here"))
  func `a file system of 4 KB ends every command that writes with the same reason`() throws {
    for (arguments, file, leavesOthers) in Self.writing {
      let outcome = try shell(
        "mount -t tmpfs -o size=4k tmpfs place || exit 99; \"$@\"; status=$?; ls -A place; exit $status",
        arguments, isMounting: true)
      #expect(outcome.status == 1, "\(arguments) said \(outcome.errors)")
      let error = outcome.errors.split(separator: "\n").last.map(String.init) ?? ""
      #expect(
        error.hasPrefix("error: ") && error.contains(file)
          && error.contains("No space left on device") && !error.contains("lcw-part"),
        "\(arguments) said \(outcome.errors)")
      let left = outcome.output.split(separator: "\n").last {
        $0.contains("x.") && !$0.contains(":")
      }
      #expect(leavesOthers || left == nil, "\(arguments) left \(outcome.output)")
    }
  }

  @Test(.enabled(if: Mounts.isPermitted, "file systems can't be mounted here"))
  func `a folder that can only be read ends every command that writes before it works`() throws {
    for (arguments, file, _) in Self.writing {
      let outcome = try shell(
        "mount --bind place place && mount -o remount,ro,bind place || exit 99; exec \"$@\"",
        arguments, isMounting: true)
      #expect(outcome.status == 1, "\(arguments) said \(outcome.errors)")
      let error = outcome.errors.split(separator: "\n").last.map(String.init) ?? ""
      #expect(
        error.hasPrefix("error: ") && error.contains(file)
          && (error.contains("can't be written to") || error.contains("Read-only file system")),
        "\(arguments) said \(outcome.errors)")
    }
  }

  // MARK: Standard output as a file

  @Test(arguments: [("lcw", "lcw"), ("safetensors", "safetensors"), ("numpy", "npz")])
  func `convert writes to standard output what it writes to a file`(
    format: String, ending: String
  ) throws {
    try program.run("convert", "a.lcw", "x.\(ending)")
    let outcome = try shell("\"$@\" > streamed", ["convert", "a.lcw", "-", "--format", format])
    #expect(outcome.status == 0 && outcome.errors.hasSuffix("-: 4 tensors\n"))
    #expect(try program.bytes("streamed") == program.bytes("x.\(ending)"))
    try program.run("extract", "a.lcw", "dense1.bias", "-o", "x.raw", "--overwrite")
    _ = try shell(
      "\"$@\" > streamed", ["extract", "a.lcw", "dense1.bias", "-o", "-", "--format", "raw"])
    #expect(try program.bytes("streamed") == program.bytes("x.raw"))
  }

  @Test
  func `no command makes a file that is called -`() throws {
    let commands: [[String]] = [
      ["convert", "a.lcw", "-"], ["extract", "a.lcw", "dense1.bias", "-o", "-"],
      ["export", "path.lcw", "--at", "0", "-o", "-"],
      ["connect", "a.lcw", "b.lcw", "-m", "arc", "-o", "-"],
      ["connect", "a.lcw", "b.lcw", "-m", "arc", "--report", "-"],
      ["ensemble", "a.lcw", "b.lcw", "-o", "-"], ["fit", "flow", "a.lcw", "b.lcw", "-o", "-"],
      ["train", "--architecture", "mlp", "--dataset", "digits", "-o", "-"],
      ["train", "--architecture", "mlp", "--dataset", "digits", "--count", "2", "-o", "-"],
      ["demo", "-o", "-"], ["plugin", "new", "method", "own", "--at", "-"],
      ["plugin", "link", "Own", "-o", "-"], ["reproduce", "digits", "-o", "-"],
    ]
    for arguments in commands {
      let outcome = try program.run(arguments, expecting: 64)
      #expect(outcome.errors.hasPrefix("error: ") && outcome.output == "", "\(arguments)")
      #expect(!FileManager.default.fileExists(atPath: program.folder.url.path + "/-"))
    }
    try program.run("convert", "a.lcw", "./-", "--format", "lcw")
    #expect(try program.bytes("-") == program.bytes("a.lcw"))
  }

  // MARK: Helpers

  /// Runs a shell's script with the command, and its arguments, as `$@`.
  private func shell(
    _ script: String, _ arguments: [String], isMounting: Bool = false
  ) throws -> Program.Outcome {
    let place = program.folder.url.appendingPathComponent("place")
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    let executable = URL(fileURLWithPath: CommandLine.arguments[0])
      .deletingLastPathComponent().appendingPathComponent("lcw").path
    let words = ["sh", "-c", script, "sh", executable] + arguments
    return try RunningProgram(
      URL(fileURLWithPath: "/usr/bin/env"), isMounting ? Mounts.command + words : words,
      environment: ProcessInfo.processInfo.environment.filter { $0.key != "LCW_DATA" },
      folder: program.folder.url, input: nil, output: nil, errors: nil
    ).finish()
  }
}

/// File systems of a test's own, which no other process sees.
enum Mounts {
  /// What runs a command with mounts of its own: as a user other than root, in a namespace where
  /// that user is root.
  static let command = ["unshare"] + (geteuid() == 0 ? ["-m"] : ["-r", "-m"])

  /// Whether the system lets this process mount one.
  static let isPermitted: Bool = {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command + ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", "/mnt"]
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }()
}
