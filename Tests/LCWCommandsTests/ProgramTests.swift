// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import Testing

struct ProgramTests {
  private let program: Program

  init() throws {
    program = try Program()
  }

  @Test
  func `every plugin that is linked is listed with its options and traits`() throws {
    let listed = try #require(try program.json("plugins", "--json").array)
    let names = listed.compactMap { $0.object?["name"]?.string }
    for name in [
      "arc", "linear", "mlp", "digits", "mnist", "cifar10", "cifar100", "lcw", "safetensors",
    ] {
      #expect(names.contains(name))
    }
    let mlp = try #require(listed.first { $0.object?["name"] == "mlp" }?.object)
    let hidden = mlp["options"]?.array?.first { $0.object?["key"] == "hidden" }?.object
    #expect(hidden?["default"] == "2000")
    let arc = try #require(listed.first { $0.object?["name"] == "arc" }?.object)
    #expect(arc["traits"]?.object?["needs_data"] == false)
    let methods = try program.json("plugins", "method", "--json").array ?? []
    #expect(!methods.isEmpty && methods.allSatisfy { $0.object?["kind"] == "method" })
    #expect(try program.run("plugins").output.contains("hidden=2000"))
    #expect(try program.run("plugins", "arc").output.contains("explicit"))
    #expect(
      try program.run("plugins", "ark", expecting: 64).errors
        == "error: no plugin or kind is called ‘ark’; did you mean ‘arc’?\n")
  }

  /// Every row of the manifest under Plugins and Formats must be found, so that a plugin that
  /// forgets its registration line is noticed.
  @Test
  func `every plugin target of the manifest registers something`() throws {
    let manifest = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Package.swift")
    let text = try String(contentsOf: manifest, encoding: .utf8)
    let targets = text.matches(of: /path: "(?:Plugins|Formats)\/[^"]*"/).count
    // The worked examples are rows too, but are not linked into the command.
    let row = /PluginRow\(\s*target: "([A-Za-z0-9]+)",\s*path: "(?:Plugins|Formats)\//
    let rows = text.matches(of: row).map { String($0.1) }
    #expect(rows.count == targets && targets > 0)
    let types = try #require(try program.json("plugins", "--json").array).compactMap {
      $0.object?["type"]?.string
    }
    for row in rows { #expect(types.contains { $0.hasPrefix("\(row).") }, "\(row)") }
  }

  @Test
  func `help and version are there for every command`() throws {
    #expect(try program.run("--version").output == "\(LCWVersion.current)\n")
    let help = try program.run("--help").output
    for command in [
      "plugins", "train", "connect", "evaluate", "export", "convert", "inspect", "demo",
    ] {
      #expect(help.contains(command))
      #expect(try program.run(command, "--help").output.contains("USAGE: lcw \(command)"))
    }
    #expect(try program.run("frobnicate", expecting: 64).errors.hasPrefix("error: "))
  }

  @Test
  func `a command that is misspelled is told with the nearest`() throws {
    let near = try program.run("trian", expecting: 64)
    #expect(near.errors == "error: there is no command ‘trian’; did you mean ‘train’?\n")
    let far = try program.run("zzzzzz", "--x", expecting: 64)
    #expect(far.errors.contains("lcw --help lists them"))
    // Behind other words too.
    #expect(try program.run("help", "trian", expecting: 64).errors == near.errors)
    #expect(try program.run("help", "train").output.contains("USAGE: lcw train"))
    #expect(
      try program.run("--plugin", "nowhere.so", "trian", expecting: 64).errors == near.errors)
    #expect(
      try program.run("plugins", "frobnicate", expecting: 64).errors
        .hasSuffix("‘frobnicate’; lcw plugins lists them\n"))
  }

  @Test
  func `the demo writes networks, a path of every method, and a report`() throws {
    let outcome = try program.run("demo", "-o", "d", "--hidden", "30", "--epochs", "2")
    #expect(outcome.output.contains("What to try next"))
    let files = try FileManager.default.contentsOfDirectory(
      atPath: program.folder.url.appendingPathComponent("d").path)
    // Those that join by a model that was fitted beforehand can't be shown with two networks.
    let methods = try #require(try program.json("plugins", "method", "--json").array).filter {
      let options = $0.object?["options"]?.array ?? []
      return !options.contains { $0.object?["key"]?.string == "model" }
    }.compactMap { $0.object?["name"]?.string }
    let modified = ["linear", "arc", "ot", "rebasin"].flatMap { ["\($0)+wa", "\($0)+bfly"] }
    #expect(
      Set(files)
        == Set(
          ["a.lcw", "b.lcw", "report.html", ".lcw-demo"] + (methods + modified).map { "\($0).lcw" })
    )
    // Weights of somebody else stay, also beside a report of another command.
    try program.run("convert", "d/a.lcw", "arc.lcw")
    let mine = try program.bytes("arc.lcw")
    let small = ["--hidden", "3", "--epochs", "1"]
    let refused = try program.run(["demo", "-o", "."] + small, expecting: 64)
    #expect(refused.errors.contains("./arc.lcw already exists"))
    #expect(try program.bytes("arc.lcw") == mine)
    try program.run(["demo", "-o", "d"] + small)
  }
}
