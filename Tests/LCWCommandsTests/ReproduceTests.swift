// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite(.serialized)
struct ReproduceTests {
  private let program: Program
  private let quick = ["reproduce", "digits", "--scale", "quick", "--threads", "1", "--quiet"]

  init() throws {
    program = try Program()
  }

  /// The results of a folder without the seconds, which no two runs share.
  private func results(_ folder: String) throws -> JSONValue {
    try JSONValue(parsing: Array(try program.bytes("\(folder)/results/results.json"))).untimed
  }

  /// The results of the steps, by the name of their folder.
  private func steps(_ folder: String) throws -> [String: JSONValue] {
    let place = program.folder.url.appendingPathComponent("\(folder)/steps")
    var steps: [String: JSONValue] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: place.path) {
      let file = place.appendingPathComponent("\(name)/result.json")
      steps[name] = try JSONValue(parsing: Array(try Data(contentsOf: file)))
    }
    return steps
  }

  private func modification(_ file: String) throws -> Date? {
    let path = program.folder.url.appendingPathComponent(file).path
    return try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
  }

  @Test
  func `killed at random and resumed, the tables are those of an uninterrupted run`() throws {
    try program.run(quick + ["-o", "whole"])
    let whole = try results("whole")
    #expect(whole.object?["accuracy"]?.array?.count == 5)
    var random = SystemRandomNumberGenerator()
    var kills = 0
    for _ in 0..<12 {
      let running = try program.start(quick + ["-o", "part"])
      usleep(UInt32.random(in: 20_000...250_000, using: &random))
      if running.kill() { kills += 1 }
      _ = running.finish()
    }
    #expect(kills > 0, "every run ended before it could be killed")
    try program.run(quick + ["-o", "part"])
    #expect(try results("part") == whole)
    for (name, result) in try steps("whole") {
      #expect(try steps("part")[name]?.untimed == result.untimed)
    }
    // The networks are the same too, byte for byte.
    for name in try steps("whole").keys where name.hasPrefix("train") {
      #expect(
        try program.bytes("whole/steps/\(name)/network.lcw")
          == program.bytes("part/steps/\(name)/network.lcw"))
    }
  }

  @Test
  func `two workers on one folder divide the steps and give the same tables`() throws {
    try program.run(quick + ["-o", "one"])
    // Enough work that neither is done before the other begins.
    let more = ["--epochs", "60"]
    try program.run(quick + more + ["-o", "alone"])
    let loud = quick.filter { $0 != "--quiet" } + more
    let workers = try (0..<2).map { _ in try program.start(loud + ["-o", "shared", "--worker"]) }
    let done = workers.map { $0.finish().errors }
    try program.run(quick + more + ["-o", "shared", "--collect"])
    #expect(try results("shared") == results("alone"))
    #expect(try results("shared") != results("one"))
    // Each step was done once: the lines of both workers are as many as there are steps.
    let lines = done.joined(separator: "\n").split(separator: "\n").filter { $0.hasPrefix("[") }
    #expect(try lines.count == steps("shared").count)
    let owners = Set(try steps("shared").values.compactMap { $0.object?["worker"]?.string })
    #expect(owners.count == 2)
    // A file, and no folder named.
    let description = """
      {"name": "mine", "dataset": "digits", "architecture": "mlp:hidden=20", "networks": 3,
       "training": {"epochs": 5}, "methods": ["arc", "arc"], "heads": [1, 1], "samples": 100}
      """
    try Data(description.utf8).write(to: program.folder.url.appendingPathComponent("e.json"))
    try program.run("reproduce", "e.json", "--jobs", "2", "--threads", "2", "--quiet")
    #expect(try steps("mine").count == 3 + 3 + 1)
    try program.run(quick + more + ["-o", "jobs", "--jobs", "2"])
    #expect(try results("jobs") == results("alone"))
  }

  @Test
  func `an experiment is extended without computing a thing twice`() throws {
    try program.run(quick + ["-o", "x", "--networks", "2", "--method", "linear"])
    let before = try steps("x")
    let dates = try before.keys.map { try modification("x/steps/\($0)/result.json") }
    try program.run(quick + ["-o", "x", "--method", "linear", "--add-method", "arc"])
    #expect(try before.keys.map { try modification("x/steps/\($0)/result.json") } == dates)
    let table = try results("x").object?["accuracy"]?.array ?? []
    #expect(
      table.compactMap { $0.object?["method"]?.string } == ["linear", "arc", "end points (3)"])
  }

  @Test
  func `a step depends on what it names and on nothing else`() throws {
    let base = quick + ["-o", "x", "--networks", "2", "--method", "arc"]
    try program.run(base)
    let before = Set(try steps("x").keys)
    // The epochs that the scale has anyway are no other training.
    try program.run(base + ["--epochs", "3"])
    #expect(try Set(steps("x").keys) == before)
    try program.run(base + ["--epochs", "4"])
    let after = Set(try steps("x").keys)
    #expect(after.isSuperset(of: before) && after.count == 2 * before.count)
    // A network that is gone is trained anew, to the same bits.
    let name = try #require(before.first { $0.hasPrefix("train") })
    let file = "x/steps/\(name)/network.lcw"
    let bytes = try program.bytes(file)
    try FileManager.default.removeItem(at: program.folder.url.appendingPathComponent(file))
    try program.run(base)
    #expect(try program.bytes(file) == bytes)
  }

  @Test
  func `a chain in a file counts by its content`() throws {
    let chain = program.folder.url.appendingPathComponent("net.txt")
    let description = """
      {"name": "chain", "dataset": "digits", "architecture": "sequential:file=net.txt",
       "training": {"epochs": 2}, "methods": ["arc"]}
      """
    try Data(description.utf8).write(to: program.folder.url.appendingPathComponent("e.json"))
    for width in [20, 50] {
      try Data("flatten; dense \(width); relu; dense 10".utf8).write(to: chain)
      try program.run("reproduce", "e.json", "--threads", "1", "--quiet")
    }
    #expect(try steps("chain").count == 6)
  }

  @Test
  func `a curve is begun anew with another number of threads`() throws {
    let slow = [
      "reproduce", "digits", "--networks", "2", "--epochs", "1", "--quiet", "-o", "x", "--method",
      "garipov:epochs=200",
    ]
    let running = try program.start(slow + ["--threads", "1"])
    let place = program.folder.url.appendingPathComponent("x/steps")
    let deadline = Date.now + 60
    var isLearning = false
    while !isLearning, Date.now < deadline {
      usleep(2000)
      let names = (try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []
      isLearning = names.contains {
        $0.hasPrefix("garipov")
          && FileManager.default.fileExists(atPath: place.path + "/\($0)/state.lcw")
      }
    }
    #expect(isLearning && running.kill())
    _ = running.finish()
    try program.run(slow + ["--threads", "2"])
  }

  @Test
  func `a plan is shown and nothing is done`() throws {
    let plan = try program.run(quick + ["-o", "x", "--dry-run"]).output
    #expect(plan.contains("train 3") && plan.contains("19 of 19 steps"))
    #expect(!FileManager.default.fileExists(atPath: program.folder.url.path + "/x"))
    let list = try program.run("reproduce", "--list").output
    #expect(list.contains("mnist-two-layer") && list.contains("paper"))
  }

  @Test
  func `job arrays do all steps, level by level`() throws {
    try program.run(quick + ["-o", "whole"])
    try program.run(quick + ["-o", "a b", "--emit", "slurm"])
    // A stand-in for Slurm that does the tasks of an array one after the other.
    let tool = program.folder.url.appendingPathComponent("sbatch")
    try Data(
      """
      #!/bin/sh
      for word; do script=$word; done
      export SLURM_SUBMIT_DIR=$PWD
      last=$(sed -n 's/^#SBATCH --array=1-//p' "$script")
      for task in $(seq "$last"); do SLURM_ARRAY_TASK_ID=$task sh "$script" >&2 || exit 1; done
      echo 1
      """.utf8
    ).write(to: tool)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: tool.path)
    let shell = Process()
    shell.executableURL = URL(fileURLWithPath: "/bin/sh")
    shell.arguments = [program.folder.url.path + "/a b/slurm/submit.sh"]
    shell.environment = ProcessInfo.processInfo.environment.merging([
      "PATH": program.folder.url.path + ":/usr/bin:/bin"
    ]) { $1 }
    shell.standardOutput = FileHandle.nullDevice
    try shell.run()
    shell.waitUntilExit()
    #expect(shell.terminationStatus == 0)
    try program.run(quick + ["-o", "a b", "--collect"])
    #expect(try results("a b") == results("whole"))
  }

  @Test
  func `results are tables, figures, a page and a record`() throws {
    try program.run(quick + ["-o", "x", "--record", "record.md"])
    let latex = String(decoding: try program.bytes("x/results/accuracy.tex"), as: UTF8.self)
    #expect(latex.contains("\\toprule") && latex.contains("$\\pm$") && latex.contains("\\%"))
    let figures = [
      "accuracy-test", "error-stages", "ensembles", "middles", "plane-arc", "trade-off",
    ]
    for name in figures {
      #expect(XMLParser(data: try program.bytes("x/results/\(name).svg")).parse())
      #expect(try program.bytes("digits/\(name).svg") == program.bytes("x/results/\(name).svg"))
    }
    let page = String(decoding: try program.bytes("x/results/report.html"), as: UTF8.self)
    #expect(page.contains("Scaled down") && !page.contains("http-equiv=\"refresh\""))
    let record = String(decoding: try program.bytes("record.md"), as: UTF8.self)
    #expect(record.contains("lcw reproduce digits --scale quick"))
    #expect(record.contains("training.epochs is 3, at full scale 20"))
  }

  @Test
  func `what can't be done is told`() throws {
    try program.run("reproduce", expecting: 64)
    let unknown = try program.run("reproduce", "mnist", expecting: 64)
    #expect(unknown.errors.contains("mnist-two-layer"))
    let scale = try program.run("reproduce", "digits", "--scale", "huge", expecting: 64)
    #expect(scale.errors.contains("paper, quick"))
    let missing = try program.run(quick + ["-o", "x", "--collect"], expecting: 1)
    #expect(missing.errors.contains("19 step(s) have no result"))
    let method = try program.run(quick + ["-o", "x", "--method", "arch"], expecting: 64)
    #expect(method.errors.contains("arc"))
    try Data("notes".utf8).write(to: program.folder.url.appendingPathComponent("notes.txt"))
    let foreign = try program.run(quick + ["-o", "."], expecting: 64)
    #expect(foreign.errors.contains("no folder of results"))
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
    }
    try program.run(quick + ["-o", "x", "--step", "abc"], expecting: 64)
  }
}

extension JSONValue {
  /// The value without what differs from run to run: times and who was at work.
  fileprivate var untimed: JSONValue {
    switch self {
    case .object(let members):
      .object(
        members.filter { !["seconds", "resumed", "worker"].contains($0.key) }
          .mapValues(\.untimed))
    case .array(let values): .array(values.map(\.untimed))
    case .string, .integer, .number, .bool: self
    }
  }
}
