// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCommands
import LCWCore
import Testing

struct DoctorAndExamplesTests {
  private let program: Program

  init() throws { program = try Program() }

  @Test func `every command has examples, and each is a command line`() throws {
    let lines = try program.run("examples").output.split(separator: "\n").map(String.init)
    // The manual knows all commands.
    let commands = try program.run("manual").output.split(separator: "\n").compactMap { line in
      line.hasPrefix("## lcw ") ? line.dropFirst(7).split(separator: " ")[0] : nil
    }
    #expect(commands.count > 20)
    for command in commands {
      #expect(lines.contains { $0.hasPrefix("lcw \(command)") }, "\(command) has no example")
    }
    for line in lines {
      // As a shell would have it in a folder of five files.
      let words = line.split(separator: " ").map(String.init).prefix { $0 != ">" }
        .flatMap { word in
          word.contains("*") ? (1...5).map { word.replacing("*", with: "\($0)") } : [word]
        }
      #expect(words.first == "lcw")
      #expect(throws: Never.self, "\(line)") {
        try LCWCommand.check(Array(words.dropFirst()))
      }
    }
    let help = try program.run("connect", "--help").output
    let own = try program.run("examples", "connect").output.split(separator: "\n")
    #expect(!own.isEmpty && own.allSatisfy { help.contains($0) })
    let slip = try program.run("examples", "conect", expecting: 64)
    #expect(slip.errors.contains("did you mean ‘connect’?"))
  }

  @Test func `the doctor says what is there, and where data sets are not`() throws {
    let nowhere = program.folder.url.appendingPathComponent("nowhere").path
    let found = try program.run("doctor", "--json", "--data", nowhere)
    let checks = try #require(JSONValue(parsing: Array(found.output.utf8)).array)
    func state(_ name: String) -> String? {
      checks.first { $0.object?["check"]?.string == name }?.object?["state"]?.string
    }
    #expect(state("OpenBLAS") == "ok" && state("current folder") == "ok")
    #expect(state("data set digits") == "ok" && state("data set mnist") == "missing")
    let text = try program.run("doctor", "--data", nowhere).output
    #expect(text.contains("name its folder with --data or LCW_DATA"))
    // One of the files is no such file.
    let folder = URL(fileURLWithPath: nowhere).appendingPathComponent("mnist")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for name in ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"] {
      try Data("not this".utf8).write(to: folder.appendingPathComponent(name))
    }
    let damaged = try program.run("doctor", "--data", nowhere, expecting: 1)
    #expect(damaged.output.contains("problem  data set mnist: "))
  }

  @Test func `the doctor says which plugins can't be loaded, and goes on`() throws {
    try Data("no object".utf8).write(to: program.folder.url.appendingPathComponent("bad.so"))
    for (arguments, environment, part) in [
      (["--plugin", "bad.so"], [:], "bad.so"), ([], ["LCW_PLUGINS": "nowhere"], "nowhere"),
    ] as [([String], [String: String], String)] {
      let found = try program.run(
        arguments + ["doctor"], environment: environment, expecting: 1
      ).output.split(separator: "\n")
      #expect(found.contains { $0.hasPrefix("problem") && $0.contains(part) }, "\(found)")
      #expect(found.contains { $0.contains("speed: ") })
    }
  }
}
