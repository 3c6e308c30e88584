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

  private func exists(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: program.folder.url.path + "/\(name)")
  }

  @Test
  func `killed at random and resumed, the tables are those of an uninterrupted run`() throws {
    try program.run(quick + ["-o", "whole"])
    let whole = try results("whole")
    #expect(whole.object?["accuracy"]?.array?.count == 6)
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
    // The networks, the model and the learned curves are the same too, byte for byte.
    let products = ["train": "network.lcw", "fit": "model.lcw", "learn": "path.lcw"]
    for name in try steps("whole").keys {
      guard let product = products[String(name.prefix { $0 != "-" })] else { continue }
      #expect(
        try program.bytes("whole/steps/\(name)/\(product)")
          == program.bytes("part/steps/\(name)/\(product)"))
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
        $0.hasPrefix("learn")
          && FileManager.default.fileExists(atPath: place.path + "/\($0)/state.lcw")
      }
    }
    #expect(isLearning && running.kill())
    _ = running.finish()
    let loud = slow.filter { $0 != "--quiet" }
    #expect(try program.run(loud + ["--threads", "2"]).errors.contains("begun anew"))
  }

  @Test
  func `a plan is shown and nothing is done`() throws {
    let plan = try program.run(quick + ["-o", "x", "--dry-run"]).output
    #expect(plan.contains("train 3") && plan.contains("29 of 29 steps"))
    try program.run(quick + ["-o", "x", "--collect"], expecting: 1)
    #expect(!exists("x"))
    // Nor is a folder made in one that is there.
    try FileManager.default.createDirectory(
      at: program.folder.url.appendingPathComponent("empty"), withIntermediateDirectories: true)
    try program.run(quick + ["-o", "empty", "--dry-run"])
    try program.run(quick + ["-o", "empty", "--collect"], expecting: 1)
    #expect(!exists("empty/steps") && !exists("empty/results"))
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

  #if os(Linux)
    @Test
    func `workers and clusters get the shared objects`() throws {
      try program.run("plugin", "link", "GitRebasinExample", "-o", "libgit.so")
      let command =
        ["--plugin", "libgit.so"] + quick
        + ["--networks", "2", "--method", "linear", "--add-method", "git-rebasin"]
      try program.run(command + ["-o", "x", "--emit", "slurm"])
      let file = program.folder.url.resolvingSymlinksInPath().path + "/libgit.so"
      for level in 1...2 {
        let script = String(
          decoding: try program.bytes("x/slurm/level-\(level).sbatch"), as: UTF8.self)
        #expect(script.contains(" --plugin \(file) reproduce digits "))
      }
      try program.run(command + ["-o", "x", "--jobs", "2"])
      let rows = try results("x").object?["accuracy"]?.array ?? []
      #expect(rows.contains { $0.object?["method"]?.string == "git-rebasin" }, "\(rows)")
    }
  #endif

  @Test
  func `results are tables, figures, a page and a record`() throws {
    try program.run(quick + ["-o", "x", "--record", "record.md"])
    let latex = String(decoding: try program.bytes("x/results/accuracy.tex"), as: UTF8.self)
    #expect(latex.contains("\\toprule") && latex.contains("$\\pm$") && latex.contains("\\%"))
    let figures = [
      "accuracy-test", "error-stages", "ensembles", "fit-realnvp", "middles", "plane-arc",
      "plane-garipov-epochs-4", "trade-off",
    ]
    for name in figures {
      #expect(XMLParser(data: try program.bytes("x/results/\(name).svg")).parse())
      #expect(
        try program.bytes("record-figures/digits-quick/\(name).svg")
          == program.bytes("x/results/\(name).svg"))
    }
    let page = String(decoding: try program.bytes("x/results/report.html"), as: UTF8.self)
    #expect(page.contains("Scaled down") && !page.contains("http-equiv=\"refresh\""))
    let record = String(decoding: try program.bytes("record.md"), as: UTF8.self)
    #expect(record.contains("lcw reproduce digits --scale quick"))
    #expect(record.contains("training.epochs: 3 in the place of 20"))
    // The results' folder that nobody named is not that of the figures, and other text stays.
    try Data(("Mine.\n" + record).utf8).write(
      to: program.folder.url.appendingPathComponent("record.md"))
    try program.run(
      quick + ["--record", "record.md", "--method", "arc", "--epochs", "1", "--networks", "2"])
    let next = String(decoding: try program.bytes("record.md"), as: UTF8.self)
    #expect(next.hasPrefix("Mine.\n# Reproduction"))
    #expect(next.contains("networks: 2 in the place of 3") && !next.contains("| ot+wa"))
    #expect(exists("digits-quick/steps"))
    try program.run(quick + ["-o", "r-figures/digits-quick", "--record", "r.md"], expecting: 64)
    try program.run(quick + ["-o", "x", "--record", "absent/r.md"], expecting: 1)
  }

  @Test
  func `a model is fitted to networks of its own, and its methods are extended by others`() throws {
    try program.run(quick + ["-o", "x", "--method", "bijection:model=@realnvp"])
    let before = try steps("x")
    #expect(before.keys.count { $0.hasPrefix("fit-bijection") } == 1)
    // Three networks that are joined, and two that the model has seen.
    #expect(before.keys.count { $0.hasPrefix("train") } == 5)
    let table = try results("x").object
    #expect(
      table?["accuracy"]?.array?.compactMap { $0.object?["method"]?.string }
        == ["bijection:model=@realnvp", "end points (3)"])
    #expect(table?["fits"]?.array?.first?.object?["learned_from"] == 2)
    #expect(table?["networks"]?.array?.count == 5)
    // Another method that names it needs no other fit; one that names none trains no networks for it.
    try program.run(
      quick + [
        "-o", "x", "--method", "bijection:model=@realnvp", "--add-method",
        "bijection:model=@realnvp+wa",
      ])
    #expect(try steps("x").keys.count { $0.hasPrefix("fit") || $0.hasPrefix("train") } == 6)
    let fit = try #require(before.keys.first { $0.hasPrefix("fit") })
    #expect(
      try steps("x")[fit]?.object?["histories"]?.object?.values.first?.array?.count ?? 0 > 1)
    let unknown = try program.run(
      quick + ["-o", "y", "--method", "flow:model=@nu"], expecting: 65)
    #expect(unknown.errors.contains("there are realnvp"))
  }

  @Test
  func `a learned curve is learned once, for its table and its pictures`() throws {
    let arguments = quick + ["-o", "x", "--networks", "2", "--method", "garipov:epochs=4"]
    try program.run(arguments)
    let names = try steps("x").keys
    let learned = try #require(names.first { $0.hasPrefix("learn-garipov") })
    let plane = try #require(names.first { $0.hasPrefix("plane-garipov") })
    let bytes = try program.bytes("x/steps/\(learned)/path.lcw")
    let kept = program.folder.url.appendingPathComponent("x/steps/\(learned)/path.lcw")
    let picture = try steps("x")[plane]?.object?["losses"]
    // Another curve of the same networks, put in the place of the kept one, is what is then shown.
    let networks = names.filter { $0.hasPrefix("train") }.sorted().map {
      "x/steps/\($0)/network.lcw"
    }
    try program.run(
      ["connect"] + networks + ["-m", "garipov:epochs=1,rate=0.2", "-o", "other.lcw", "--quiet"])
    try FileManager.default.removeItem(at: kept)
    try FileManager.default.copyItem(
      at: program.folder.url.appendingPathComponent("other.lcw"), to: kept)
    try FileManager.default.removeItem(
      at: program.folder.url.appendingPathComponent("x/steps/\(plane)"))
    try program.run(arguments)
    #expect(try steps("x")[plane]?.object?["losses"] != picture)
    #expect(try steps("x")[plane]?.object?["losses"] != nil)
    // What is removed is learned anew, to the same bits.
    for name in names where name.hasPrefix("plane-garipov") {
      try FileManager.default.removeItem(
        at: program.folder.url.appendingPathComponent("x/steps/\(name)"))
    }
    try FileManager.default.removeItem(at: kept)
    try program.run(arguments)
    #expect(try program.bytes("x/steps/\(learned)/path.lcw") == bytes)
    #expect(try steps("x")[plane]?.object?["losses"] == picture)
    // More points measure the same curve.
    let date = try modification("x/steps/\(learned)/result.json")
    let description = """
      {"name": "finer", "dataset": "digits", "architecture": "mlp:hidden=100", "networks": 2,
       "training": {"epochs": 3}, "methods": ["garipov:epochs=4"], "points": 9}
      """
    try Data(description.utf8).write(to: program.folder.url.appendingPathComponent("e.json"))
    try program.run("reproduce", "e.json", "-o", "x", "--threads", "1", "--quiet")
    #expect(try modification("x/steps/\(learned)/result.json") == date)
    #expect(try steps("x").keys.count { $0.hasPrefix("learn") } == 1)
    #expect(try steps("x").keys.count { $0.hasPrefix("connect-garipov") } == 2)
  }

  @Test(arguments: [1, 2])
  func `a step that fails stops those that need it and no others`(jobs: Int) throws {
    let arguments = [
      "reproduce", "digits", "--scale", "quick", "-o", "x", "--networks", "2", "--threads", "2",
      "--method", "flow:model=bad.lcw", "--add-method", "arc", "--jobs", "\(jobs)",
    ]
    try Data("no model".utf8).write(to: program.folder.url.appendingPathComponent("bad.lcw"))
    let outcome = try program.run(arguments, expecting: 1)
    #expect(outcome.errors.contains("1 step(s) failed"), "\(outcome.errors)")
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
    #expect(again.errors.contains("1 step(s) failed"))
  }

  /// The names of the folders of steps that have a result.
  private func stepNames(_ folder: String) throws -> [String] {
    let place = program.folder.url.path + "/\(folder)/steps"
    return try FileManager.default.contentsOfDirectory(atPath: place).filter {
      exists("\(folder)/steps/\($0)/result.json")
    }
  }

  @Test
  func `workers end with the command that started them`() throws {
    let running = try program.start([
      "reproduce", "digits", "--epochs", "100000", "--networks", "2", "--method", "arc", "-o",
      "orphans", "--jobs", "2", "--threads", "2", "--quiet",
    ])
    let place = program.folder.url.appendingPathComponent("orphans").path
    func workers() -> Int {
      let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
      return processes.count { number in
        let line = try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(number)/cmdline"))
        let text = line.map { String(decoding: $0, as: UTF8.self) } ?? ""
        return text.contains(place) && text.contains("--worker")
      }
    }
    func wait(for count: Int) -> Bool {
      let deadline = Date.now + 30
      while workers() != count, Date.now < deadline { usleep(20_000) }
      return workers() == count
    }
    #expect(wait(for: 2))
    // At work, not only started.
    let deadline = Date.now + 30
    while ((try? FileManager.default.contentsOfDirectory(atPath: place + "/steps")) ?? []).count
      < 2,
      Date.now < deadline
    { usleep(20_000) }
    #expect(running.kill())
    _ = running.finish()
    #expect(wait(for: 0))
  }

  @Test
  func `a step is done by its name alone`() throws {
    try program.run(quick + ["-o", "y", "--step", "arc 1-2"])
    let plan = try program.run(quick + ["-o", "y", "--dry-run"]).output.split(separator: "\n")
    func isDone(_ name: String) throws -> Bool {
      try #require(plan.first { $0.hasPrefix("\(name)  ") }).contains("  yes  ")
    }
    #expect(try isDone("train 1") && isDone("train 2") && isDone("arc 1–2"))
    #expect(try !isDone("linear 1–2") && !isDone("train 3"))
  }

  @Test
  func `what can't be done is told`() throws {
    try program.run("reproduce", expecting: 64)
    let unknown = try program.run("reproduce", "mnist", expecting: 64)
    #expect(unknown.errors.contains("mnist-two-layer"))
    let scale = try program.run("reproduce", "digits", "--scale", "huge", expecting: 64)
    #expect(scale.errors.contains("paper, quick"))
    let missing = try program.run(quick + ["-o", "x", "--collect"], expecting: 1)
    #expect(missing.errors.contains("29 step(s) have no result"))
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
      #expect(wrong.errors.contains("e.json"), "\(wrong.errors)")
    }
    try program.run(quick + ["-o", "x", "--step", "abc"], expecting: 64)
    for mode in [["--dry-run"], ["--emit", "slurm"], ["--worker"], ["--step", "abc"]] {
      let useless = try program.run(
        quick + mode + ["-o", "x", "--record", "r.md"], expecting: 64)
      #expect(useless.errors.contains("--record is of no use"), "\(useless.errors)")
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

  @Test
  func `what is recorded and emitted says all that figures depend on`() throws {
    try Data("{}".utf8).write(to: program.folder.url.appendingPathComponent("a b.json"))
    let description = """
      {"name": "x", "dataset": "digits", "architecture": "mlp:hidden=9", "networks": 2,
       "training": {"epochs": 1}, "methods": ["arc"], "points": 3}
      """
    try Data(description.utf8).write(to: program.folder.url.appendingPathComponent("a b.json"))
    try program.run(
      "reproduce", "a b.json", "-o", "x", "--threads", "4", "--jobs", "2", "--quiet", "--record",
      "r.md")
    let record = String(decoding: try program.bytes("r.md"), as: UTF8.self)
    #expect(record.contains("lcw reproduce 'a b.json' --threads 2\n"), "\(record)")
    // The data's folder is not in the environment of a cluster's nodes.
    try program.run(
      ["reproduce", "a b.json", "-o", "y", "--threads", "1", "--emit", "slurm"],
      environment: ["LCW_DATA": "my data"])
    let script = String(decoding: try program.bytes("y/slurm/level-0.sbatch"), as: UTF8.self)
    #expect(script.contains("--data '/") && script.contains("/my data'"), "\(script)")
  }
}

extension JSONValue {
  /// The value without what differs from run to run: times and who was at work.
  fileprivate var untimed: JSONValue {
    switch self {
    case .object(let members):
      .object(
        members.filter { !$0.key.hasSuffix("seconds") && !["resumed", "worker"].contains($0.key) }
          .mapValues(\.untimed))
    case .array(let values): .array(values.map(\.untimed))
    case .string, .integer, .number, .bool: self
    }
  }
}
