// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import Testing

/// What fails, and what that leaves behind.
extension ReproduceTests {
  @Test(arguments: [1, 2])
  func `a step that fails stops those that need it and no others`(jobs: Int) throws {
    let arguments = [
      "reproduce", "digits", "--scale", "quick", "-o", "x", "--networks", "2", "--threads", "2",
      "--method", "flow:model=bad.lcw", "--add-method", "arc", "--jobs", "\(jobs)",
    ]
    try Data("no model".utf8).write(to: program.folder.url.appendingPathComponent("bad.lcw"))
    let outcome = try program.run(arguments, expecting: 1)
    #expect(outcome.errors.contains("1 step failed"), "\(outcome.errors)")
    #expect(outcome.errors.contains("failed: flow:model=bad.lcw 1–2"), "\(outcome.errors)")
    // Said as it happens, and at the end; not by each worker.
    #expect(
      outcome.errors.split(separator: "\n").count { $0.contains("bad.lcw") } == 2,
      "\(outcome.errors)")
    let done = try stepNames("x")
    #expect(
      done.contains { $0.hasPrefix("connect-arc") } && done.contains { $0.hasPrefix("plane") })
    let table = try results("x").object?["accuracy"]?.array ?? []
    #expect(table.compactMap { $0.object?["method"]?.string } == ["arc", "end points (2)"])
    // What failed is tried again by another run.
    let again = try program.run(arguments, expecting: 1)
    #expect(again.errors.contains("1 step failed"))
  }

  @Test
  func `what can't be done is told`() throws {
    try program.run("reproduce", expecting: 64)
    let unknown = try program.run("reproduce", "mnist", expecting: 64)
    #expect(unknown.errors.contains("mnist-two-layer"))
    let scale = try program.run("reproduce", "digits", "--scale", "huge", expecting: 64)
    #expect(scale.errors.contains("paper, quick"))
    let missing = try program.run(quick + ["-o", "x", "--collect"], expecting: 1)
    #expect(missing.errors.contains("29 steps have no result"))
    let method = try program.run(quick + ["-o", "x", "--method", "arch"], expecting: 64)
    #expect(method.errors.contains("arc"))
    try Data("notes".utf8).write(to: program.folder.url.appendingPathComponent("notes.txt"))
    let foreign = try program.run(quick + ["-o", "."], expecting: 64)
    #expect(foreign.errors.contains("not a folder of results"))
    for (text, part) in [
      ("{\"name\": \"x\", \"datset\": \"digits\"}", "dataset"),
      (
        "{\"name\": \"x\", \"dataset\": \"digits\", \"architecture\": \"mlp\", \"netwoks\": 2}",
        "networks"
      ),
      ("[1]", "JSON object"), ("{\"name\": 3}", "a text"),
      (
        "{\"name\": \"x\", \"dataset\": \"digits\", \"architecture\": \"mlp\", \"networks\": 0}",
        "from 1"
      ),
    ] {
      try Data(text.utf8).write(to: program.folder.url.appendingPathComponent("e.json"))
      let wrong = try program.run("reproduce", "e.json", "-o", "y", expecting: 65)
      #expect(wrong.errors.contains(part), "\(text): \(wrong.errors)")
      #expect(wrong.errors.contains("e.json"), "\(wrong.errors)")
    }
    try program.run(quick + ["-o", "x", "--step", "abc"], expecting: 64)
    for mode in [["--dry-run"], ["--emit", "slurm"], ["--worker"], ["--step", "abc"]] {
      let useless = try program.run(
        quick + mode + ["-o", "x", "--record", "r.md"], expecting: 64)
      #expect(useless.errors.contains("--record conflicts"), "\(useless.errors)")
    }
    let toml = try program.run("reproduce", "e.toml", expecting: 64)
    #expect(toml.errors.contains("experiments are JSON"))
    // Before the work that would find it out.
    for (method, part) in [("flow", "with the model"), ("flow:model=absent.lcw", "absent.lcw")] {
      let late = try program.run(
        quick + ["-o", "x", "--dry-run", "--method", method], expecting: nil)
      #expect(late.status != 0 && late.errors.contains(part), "\(late.errors)")
    }
    #expect(!exists("x"))
  }

  @Test
  func `a claim that can't be written is not left behind`() throws {
    let small = try program.start(quick + ["-o", "x", "--dry-run"]).finish()
    #expect(small.status == 0)
    let place = program.folder.url
    try FileManager.default.createDirectory(
      at: place.appendingPathComponent("x/steps"), withIntermediateDirectories: true)
    // The marker can be written no more than a claim.
    try Data().write(to: place.appendingPathComponent("x/.lcw-results"))
    let lcw = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
      .appendingPathComponent("lcw").path
    let shell = Process()
    shell.executableURL = URL(fileURLWithPath: "/bin/sh")
    shell.currentDirectoryURL = place
    // No file can grow; what is said goes through a pipe.
    shell.arguments =
      [
        "-c", "(trap '' XFSZ; ulimit -f 0; \"$0\" \"$@\" 2>&1) | cat > said.txt", lcw,
      ] + quick + ["-o", "x"]
    try shell.run()
    shell.waitUntilExit()
    let said = String(decoding: try program.bytes("said.txt"), as: UTF8.self)
    #expect(said.contains("/claim: "), "\(said)")
    let files = FileManager.default.enumerator(atPath: place.appendingPathComponent("x").path)
    let names = (files?.allObjects as? [String]) ?? []
    #expect(names.contains { $0.hasPrefix("steps/train-1") })
    #expect(!names.contains { $0.hasSuffix("claim") }, "\(names)")
  }
}
