// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics
import Testing

/// Data of a user's own, from a file to a report.
struct OwnDataTests {
  private let program: Program

  init() throws {
    program = try Program()
    try Data(Self.table(rows: 500).utf8).write(to: file("x.csv"))
  }

  private func file(_ name: String) -> URL { program.folder.url.appendingPathComponent(name) }

  /// Rows of 20 numbers around a centre for each of three kinds.
  private static func table(rows: Int, kinds: [String] = ["cat", "dog", "fish"]) -> String {
    var random = RandomStream(seed: 5)
    let noise = random.normal([rows, 20])
    var lines = [(1...20).map { "x\($0)" }.joined(separator: ",") + ",kind"]
    for row in 0..<rows {
      let numbers = noise.row(row).enumerated().map { column, value in
        "\(value + (column % 3 == row % 3 ? 1.5 : 0))"
      }
      lines.append(numbers.joined(separator: ",") + "," + kinds[row % 3])
    }
    return lines.joined(separator: "\n") + "\n"
  }

  @Test
  func `the commands of the README go from a table to a report`() throws {
    let readme = try String(
      contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("README.md"), encoding: .utf8)
    let section = try #require(
      readme.components(separatedBy: "## With data of your own").dropFirst().first)
    let block = try #require(
      section.components(separatedBy: "```sh\n").dropFirst().first?.components(separatedBy: "```")
        .first)
    let commands = block.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(commands.map { $0[1] } == ["inspect", "train", "connect"])
    for command in commands {
      #expect(command[0] == "lcw")
      let outcome = try program.run(Array(command.dropFirst()))
      if command[1] == "connect" { #expect(outcome.output.contains("worst test")) }
    }
    let page = String(decoding: try program.bytes("report.html"), as: UTF8.self)
    #expect(page.contains("<svg") && page.contains("table:"))
    let record = try program.json("inspect", "models/table-1.lcw", "--json").object?["metadata"]?
      .object
    #expect(record?["class-names"]?.array?.compactMap(\.string) == ["cat", "dog", "fish"])
    let metrics = record?["metrics"]?.object
    #expect(try #require(metrics?["test_accuracy"]?.double) > 0.9)
    // What is made of the networks tells the same classes apart.
    let networks = ["models/table-1.lcw", "models/table-2.lcw"]
    try program.run(["connect"] + networks + ["-m", "linear", "-o", "path.lcw"])
    try program.run("export", "path.lcw", "--at", "middle", "-o", "middle.lcw")
    try program.run(
      ["merge"] + networks + [
        "-m", "linear", "--dataset", "table:train=x.csv,standardise=feature", "-o", "merged.lcw",
      ])
    for file in ["path.lcw", "middle.lcw", "merged.lcw"] {
      let made = try program.json("inspect", file, "--json").object?["metadata"]?.object
      #expect(made?["class-names"] == record?["class-names"], "\(file)")
    }
  }

  @Test
  func `a data set is inspected, and a file of its name wins`() throws {
    let json = try program.json("inspect", "table:train=x.csv", "--format", "json").object
    #expect(json?["shape"]?.array?.compactMap(\.integer) == [20])
    #expect(json?["classes"]?.array?.compactMap(\.string) == ["cat", "dog", "fish"])
    let splits = try #require(json?["splits"]?.object)
    #expect(splits["train"]?.object?["count"]?.integer == 400)
    #expect(splits["test"]?.object?["count"]?.integer == 100)
    #expect(splits["train"]?.object?["channels"]?.array?.count == 20)
    let digest = try #require(json?["digest"]?.string)
    #expect(digest.count == 64)
    let text = try program.run("inspect", "table:train=x.csv").output
    #expect(text.contains("sha256 \(digest)") && text.contains("fish"))
    // Standardised, all channels of the training samples have mean 0 and deviation 1.
    let standard = try program.json(
      "inspect", "table:train=x.csv,standardise=feature", "--json"
    ).object?["splits"]?.object?["train"]?.object?["values"]?.object
    #expect(abs(try #require(standard?["mean"]?.double)) < 1e-5)
    #expect(abs(try #require(standard?["deviation"]?.double) - 1) < 1e-5)
    #expect(try program.run("inspect", "digits").output.contains("pixel / 16"))
    try program.run(
      "train", "--architecture", "mlp:hidden=3", "--dataset", "digits", "--epochs", "1", "-o",
      "d.lcw")
    try FileManager.default.moveItem(at: file("d.lcw"), to: file("digits"))
    #expect(try program.run("inspect", "digits").output.contains("dense1.weight"))
    let none = try program.run("inspect", "no-such-data", expecting: 66)
    #expect(none.errors.contains("no-such-data"))
    let tensor = try program.run("inspect", "table:train=x.csv", "dense1.weight", expecting: 64)
    #expect(tensor.errors.contains("has no tensors"))
    let option = try program.run("inspect", "table:train=x.csv,lable=3", expecting: 64)
    #expect(option.errors.contains("did you mean ‘label’?"))
  }

  @Test
  func `the same samples have one digest whatever the file`() throws {
    func digest(_ reference: String) throws -> String {
      try #require(program.json("inspect", reference, "--json").object?["digest"]?.string)
    }
    let whole = try digest("table:train=x.csv")
    let text = try String(contentsOf: file("x.csv"), encoding: .utf8)
    let tabs = text.replacingOccurrences(of: ",", with: "\t").replacingOccurrences(
      of: "\n", with: "\r\n")
    try Data(tabs.utf8).write(to: file("x.tsv"))
    #expect(try digest("table:train=x.tsv") == whole)
    #expect(try digest("table:train=x.csv,seed=1") != whole)
    let other = text.replacingOccurrences(of: "cat", with: "cow")
    try Data(other.utf8).write(to: file("y.csv"))
    #expect(try digest("table:train=y.csv") != whole)
  }

  @Test
  func `a data set's file is no output`() throws {
    let before = try program.bytes("x.csv")
    let outcome = try program.run(
      "train", "--architecture", "mlp:hidden=3", "--dataset", "table:train=x.csv", "--epochs", "1",
      "--overwrite", "-o", "x.csv", expecting: 64)
    #expect(!outcome.errors.isEmpty)
    try FileManager.default.copyItem(at: file("x.csv"), to: file("x.lcw"))
    let named = try program.run(
      "train", "--architecture", "mlp:hidden=3", "--dataset", "table:train=x.lcw", "--epochs", "1",
      "--overwrite", "-o", "x.lcw", expecting: 64)
    #expect(named.errors.contains("x.lcw is both an input and the output"))
    #expect(try program.bytes("x.lcw") == before)
  }

  @Test
  func `a network is not measured on other classes`() throws {
    try program.run(
      "train", "--architecture", "mlp:hidden=8", "--dataset", "table:train=x.csv", "--epochs", "2",
      "-o", "a.lcw")
    try program.run("evaluate", "a.lcw", "--dataset", "table:train=x.csv")
    // An archive does not say which files are opened.
    let recorded = try program.run("evaluate", "a.lcw", expecting: 65)
    #expect(recorded.errors.contains("x.csv") && recorded.errors.contains("--dataset"))
    try Data(Self.table(rows: 60, kinds: ["cat", "dog", "ant"]).utf8).write(to: file("y.csv"))
    let outcome = try program.run(
      "evaluate", "a.lcw", "--dataset", "table:train=y.csv", expecting: 65)
    #expect(
      outcome.errors.contains(
        "a.lcw: its classes are cat, dog, fish, but those of table:train=y.csv are ant, cat, dog"
      ))
  }
}
