// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// The commands' manual, made from their own help.
struct ManualTests {
  private let program: Program

  init() throws {
    program = try Program()
  }

  @Test
  func `the reference in Docs is up to date`() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Docs/Commands.md")
    let made = try program.run("manual").output
    #expect(
      try String(contentsOf: file, encoding: .utf8) == made,
      "make it anew: make reference")
    #expect(made.contains("## lcw plugin link") && made.contains("- `-o, --output <output>`: "))
    #expect(!made.contains("--help`: "))
  }

  @Test
  func `the man page has every command and no line that is a request by accident`() throws {
    let page = try program.run("manual", "--format", "man").output
    let requests = Set([".TH", ".SH", ".SS", ".TP", ".B", ".PP"])
    for line in page.split(separator: "\n") where line.first == "." || line.first == "'" {
      #expect(requests.contains(String(line.prefix { $0 != " " })), "\(line)")
    }
    for command in ["train", "connect", "plugin new", "manual"] {
      #expect(page.contains(".SS lcw \(command)\n"))
    }
    #expect(page.contains("\\-\\-format") && !page.contains(" --"))
    // The options before the command, and the status that only one command has.
    let options = try #require(page.split(separator: ".SH OPTIONS\n").last)
    #expect(options.hasPrefix(".TP\n.B \\-\\-plugin <plugin> ...\nA shared object with plugins"))
    #expect(page.contains(".B 2\n"))
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func `shells complete commands and options`(shell: String) throws {
    let script = try program.run("--generate-completion-script", shell).output
    #expect(script.contains("connect") && script.contains("method"))
  }
}
