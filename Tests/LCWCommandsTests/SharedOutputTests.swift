// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// Outputs that others write, or could: of two processes at once, through links, under names that
/// would steer a terminal.
struct SharedOutputTests {
  private let program: Program

  init() throws {
    program = try Program()
    for (seed, name) in [("1", "a.lcw"), ("2", "b.lcw")] {
      try program.run(train("1", name, more: ["--seed", seed]))
    }
  }

  private func train(_ epochs: String, _ output: String, more: [String] = []) -> [String] {
    [
      "train", "--architecture", "mlp:hidden=30", "--dataset", "digits", "--epochs", epochs, "-o",
      output, "--save-every", "0",
    ] + more
  }

  private func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: program.folder.url.path).sorted()
  }

  private func url(_ name: String) -> URL { program.folder.url.appendingPathComponent(name) }

  /// Waits until a process says something.
  private func wait(for text: String, from process: RunningProgram) {
    for _ in 0..<600 where !process.errors.contains(text) { usleep(50_000) }
    #expect(process.errors.contains(text))
  }

  @Test
  func `who comes second is told at once, and a killed process keeps nobody away`() throws {
    try FileManager.default.createSymbolicLink(
      atPath: url("link.lcw").path, withDestinationPath: "x.lcw")
    let first = try program.start(train("10000", "x.lcw"))
    wait(for: "epoch 1/", from: first)
    for arguments in [
      train("1", "x.lcw"), train("1", "x.lcw", more: ["--overwrite"]), train("1", "link.lcw"),
      ["convert", "a.lcw", "x.lcw"], ["convert", "a.lcw", "x.lcw", "--overwrite"],
      ["connect", "a.lcw", "b.lcw", "-m", "arc", "-o", "x.lcw"],
      ["extract", "a.lcw", "dense1.bias", "-o", "x.lcw"],
      ["ensemble", "a.lcw", "b.lcw", "-o", "x.lcw"],
      ["fit", "flow", "a.lcw", "b.lcw", "-o", "x.lcw"],
    ] {
      let outcome = try program.run(arguments, expecting: 1)
      #expect(
        outcome.errors.hasPrefix("error: another process ")
          && outcome.errors.contains("is at work on /"),
        "\(arguments) said \(outcome.errors)")
    }
    #expect(first.kill())
    _ = first.finish()
    try program.run(train("1", "x.lcw", more: ["--quiet"]))
    #expect(try names() == ["a.lcw", "b.lcw", "link.lcw", "x.lcw"])
  }

  @Test
  func `what turns up meanwhile is not replaced, and the result is kept beside it`() throws {
    let process = try program.start(train("300", "x.lcw"))
    wait(for: "epoch 1/", from: process)
    let mine = Data("mine".utf8)
    try mine.write(to: url("x.lcw"))
    let outcome = process.finish()
    #expect(outcome.status == 1)
    #expect(
      outcome.errors.contains("another process created x.lcw in the meantime; it is kept"))
    #expect(outcome.errors.hasSuffix("x-2.lcw\n"))
    #expect(try program.bytes("x.lcw") == mine)
    try program.run("verify", "x-2.lcw")
    #expect(try names() == ["a.lcw", "b.lcw", "x-2.lcw", "x.lcw"])
  }

  @Test
  func `what takes the place of a run's own file is not replaced either`() throws {
    let process = try program.start(
      [
        "train", "--architecture", "mlp:hidden=30", "--dataset", "digits", "--epochs", "5000", "-o",
        "x.lcw", "--save-every", "1",
      ])
    // It saves after each epoch, and so finds out at the next one.
    while process.isRunning, !FileManager.default.fileExists(atPath: url("x.lcw").path) {
      usleep(1000)
    }
    let mine = Data("mine".utf8)
    try mine.write(to: url("other"))
    #expect(rename(url("other").path, url("x.lcw").path) == 0)
    let outcome = process.finish()
    #expect(outcome.status == 1)
    #expect(
      outcome.errors.contains("another process created x.lcw in the meantime; it is kept"))
    #expect(try program.bytes("x.lcw") == mine)
    try program.run("verify", "x-2.lcw")
    #expect(try names() == ["a.lcw", "b.lcw", "x-2.lcw", "x.lcw"])
  }

  @Test
  func `of several that start together one writes`() throws {
    let processes = try (0..<6).map { _ in
      try program.start(["convert", "a.lcw", "x.safetensors"])
    }
    let outcomes = processes.map { $0.finish() }
    #expect(outcomes.count { $0.status == 0 } == 1, "\(outcomes.map(\.errors))")
    try program.run("diff", "a.lcw", "x.safetensors")
    #expect(try names() == ["a.lcw", "b.lcw", "x.safetensors"])
  }

  @Test
  func `names of files can't steer a terminal`() throws {
    let name = "x\u{1B}[31m\n\u{202E}=1.lcw"
    let shown = "x\\u{1B}[31m\\n\\u{202E}=1.lcw"
    try program.run("convert", "a.lcw", name)
    try program.run("connect", "a.lcw", name, "-m", "arc", "-o", "path.lcw")
    for arguments in [
      ["verify", name], ["inspect", name], ["evaluate", name], ["convert", "b.lcw", name],
      ["evaluate", name, "--format", "markdown"], ["evaluate", "none" + name],
      ["compare", "a.lcw", name, "-m", "linear", "--points", "2"],
      ["convert", "b.lcw", name, "--overwrite"], ["plugins", name], [name],
    ] {
      let outcome = try program.run(arguments, expecting: nil)
      let text = outcome.output + outcome.errors
      #expect(
        !text.contains("\u{1B}") && !text.contains("\u{202E}"), "\(arguments) said \(text)")
      #expect(
        text.contains(shown)
          || text.replacing("\\[", with: "[").replacing("\\\\", with: "\\")
            .contains(shown),
        "\(arguments) said \(text)")
    }
  }

  @Test
  func `a cell of CSV that would be computed is a text`() throws {
    try program.run("convert", "a.lcw", "=1+1.lcw")
    let csv = try program.run("evaluate", "=1+1.lcw", "--format", "csv").output
    #expect(csv.contains("\r\n'=1+1.lcw,0."))
    let json = try program.run("evaluate", "=1+1.lcw", "--format", "json").output
    #expect(json.contains("\"=1+1.lcw\""))
  }

  @Test
  func `every t of a CSV is a short number`() throws {
    let csv = try program.run(
      "connect", "a.lcw", "b.lcw", "-m", "linear", "--points", "6", "--format", "csv", "--quiet"
    ).output
    let times = csv.split(separator: "\r\n").dropFirst().map { $0.split(separator: ",")[1] }
    #expect(times.count > 6 && times.allSatisfy { $0.count <= 14 }, "\(times)")
  }

  @Test
  func `evaluate and export can be quiet`() throws {
    try program.run("connect", "a.lcw", "b.lcw", "-m", "ot+wa", "-o", "path.lcw", "--quiet")
    #expect(try program.run("evaluate", "path.lcw", "--quiet", "--points", "3").errors == "")
    #expect(
      try program.run("export", "path.lcw", "--at", "1", "-o", "x.lcw", "--quiet").errors == "")
    #expect(try program.run("ensemble", "a.lcw", "b.lcw", "--quiet").errors == "")
  }

  @Test
  func `a folder of results is written to, not what links in it point to`() throws {
    let arguments = [
      "reproduce", "digits", "--scale", "quick", "--method", "linear", "--networks", "2", "--pairs",
      "1", "--epochs", "1", "-o", "run", "--quiet",
    ]
    try program.run(arguments)
    let mine = Data("mine".utf8)
    try mine.write(to: url("mine"))
    let files = ["results/report.html", "results/results.json", "results/.lcw-files"]
    for file in files {
      try FileManager.default.removeItem(at: url("run/\(file)"))
      try FileManager.default.createSymbolicLink(
        atPath: url("run/\(file)").path, withDestinationPath: "../../mine")
    }
    try program.run(arguments)
    #expect(try program.bytes("mine") == mine)
    for file in files { #expect(try program.bytes("run/\(file)") != mine) }
    try FileManager.default.moveItem(at: url("run/results"), to: url("elsewhere"))
    try FileManager.default.createSymbolicLink(
      atPath: url("run/results").path, withDestinationPath: "../elsewhere")
    let linked = try program.run(arguments, expecting: 1)
    #expect(linked.errors.contains("run/results: it is a link"))
  }

  @Test
  func `a plugin that everybody can write to is not run`() throws {
    let files = FileManager.default
    try files.createDirectory(at: url("plugins"), withIntermediateDirectories: false)
    try Data("no plugin".utf8).write(to: url("plugins/x.so"))
    func chmod(_ mode: Int, _ name: String) throws {
      try files.setAttributes([.posixPermissions: mode], ofItemAtPath: url(name).path)
    }
    func refusal(_ arguments: String..., folders: String = "") throws -> String {
      try program.run(arguments, environment: ["LCW_PLUGINS": folders], expecting: 65).errors
    }
    #expect(try refusal("plugins", folders: "plugins").contains("no stamp"))
    for mode in [0o777, 0o1777] {
      try chmod(mode, "plugins")
      #expect(
        try refusal("plugins", folders: "plugins").contains("everybody can write to plugins,"))
    }
    #expect(try refusal("--plugin", "plugins/x.so", "plugins").contains("no stamp"))
    try chmod(0o777, "plugins")
    #expect(
      try refusal("--plugin", "plugins/x.so", "plugins").contains("everybody can write to /"))
    try chmod(0o755, "plugins")
    try chmod(0o666, "plugins/x.so")
    #expect(
      try refusal("--plugin", "plugins/x.so", "plugins").contains("plugins/x.so, and plugins run"))
  }
}
