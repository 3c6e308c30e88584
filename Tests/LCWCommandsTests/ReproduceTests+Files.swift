// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import Testing

/// Files that several processes write, and files that are not to be believed.
extension ReproduceTests {
  private func describe(_ name: String, _ more: String = "") throws {
    let text = """
      {"name": "\(name)", "dataset": "digits", "architecture": "mlp:hidden=4",
       "training": {"epochs": 1}, "methods": ["linear"], "points": 2, "samples": 20\(more)}
      """
    try Data(text.utf8).write(to: program.folder.url.appendingPathComponent("\(name).json"))
  }

  @Test
  func `a record that several processes write has all of their sections`() throws {
    let names = ["a", "b", "c"]
    for name in names {
      try describe(name)
      try program.run("reproduce", "\(name).json", "-o", "\(name)-results", "--quiet")
    }
    for trial in 0..<8 {
      let running = try names.map {
        try program.start([
          "reproduce", "\($0).json", "-o", "\($0)-results", "--collect", "--record", "r\(trial).md",
        ])
      }
      for process in running { #expect(process.finish().status == 0) }
      let record = String(decoding: try program.bytes("r\(trial).md"), as: UTF8.self)
      for name in names {
        #expect(
          record.components(separatedBy: "reproduce: begin \(name) -->").count == 2, "\(record)")
        #expect(record.contains("reproduce: end \(name) -->"))
      }
      #expect(record.components(separatedBy: "# Reproduction\n").count == 2)
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: program.folder.url.path)
    #expect(!left.contains { $0.hasPrefix(".") || $0.hasSuffix(".lock") }, "\(left)")
  }

  @Test
  func `a result that can't be believed is said, and done anew`() throws {
    try describe("a")
    let arguments = ["reproduce", "a.json", "-o", "x", "--threads", "1"]
    try program.run(arguments + ["--quiet"])
    let name = try #require(stepNames("x").first { $0.hasPrefix("connect-linear") })
    let file = program.folder.url.appendingPathComponent("x/steps/\(name)/result.json")
    var fields = try #require(JSONValue(parsing: Array(try Data(contentsOf: file))).object)
    fields["seconds"] = .integer(.max)
    let hostile = Data(JSONValue.object(fields).compactText.utf8)
    try hostile.write(to: file)
    let said = "linear 1–2 counts as not done, because its result is not trusted"
    let collected = try program.run(arguments + ["--collect"], expecting: 1)
    #expect(collected.errors.contains(said) && collected.errors.contains("‘seconds’"))
    #expect(collected.errors.contains("1 step has no result"))
    let planned = try program.run(arguments + ["--dry-run"])
    #expect(planned.errors.contains(said) && planned.output.contains("1 of 3 steps remain"))
    #expect(try Data(contentsOf: file) == hostile)
    let done = try program.run(arguments)
    #expect(done.errors.contains(said + ": ") && done.errors.contains("and is run again"))
    #expect(exists("x/steps/\(name)/result-not-believed.json"))
    #expect(try results("x").object?["accuracy"]?.array?.count == 2)
    #expect(try !program.run(arguments + ["--collect"]).errors.contains("not trusted"))
  }

  @Test
  func `a network too large to be run is refused with its layer`() throws {
    let text = """
      {"name": "x", "dataset": "digits", "architecture": "sequential:layers=conv 1 3x3 pad \
      1000000000; relu; conv 1 1x1 stride 1000000000; flatten; dense classes", "methods": ["linear"]}
      """
    try Data(text.utf8).write(to: program.folder.url.appendingPathComponent("e.json"))
    for mode in [["--dry-run"], ["--emit", "slurm"], []] {
      let outcome = try program.run(["reproduce", "e.json", "-o", "y"] + mode, expecting: 64)
      #expect(outcome.errors.contains("layer 1 (conv 1 3x3 pad 1000000000)"), "\(outcome.errors)")
    }
    #expect(!exists("y/steps/train-1"))
  }
}
