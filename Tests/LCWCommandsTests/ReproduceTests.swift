// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import Testing

@Suite(.serialized)
struct ReproduceTests {
  let program: Program
  let quick = ["reproduce", "digits", "--scale", "quick", "--threads", "1", "--quiet"]

  init() throws {
    program = try Program()
  }

  /// The results of a folder without the seconds, which no two runs share.
  func results(_ folder: String) throws -> JSONValue {
    try JSONValue(parsing: Array(try program.bytes("\(folder)/results/results.json"))).untimed
  }

  /// The results of the steps, by the name of their folder.
  func steps(_ folder: String) throws -> [String: JSONValue] {
    let place = program.folder.url.appendingPathComponent("\(folder)/steps")
    var steps: [String: JSONValue] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: place.path) {
      let file = place.appendingPathComponent("\(name)/result.json")
      steps[name] = try JSONValue(parsing: Array(try Data(contentsOf: file)))
    }
    return steps
  }

  func modification(_ file: String) throws -> Date? {
    let path = program.folder.url.appendingPathComponent(file).path
    return try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
  }

  func exists(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: program.folder.url.path + "/\(name)")
  }

  /// The names of the folders of steps that have a result.
  func stepNames(_ folder: String) throws -> [String] {
    let place = program.folder.url.path + "/\(folder)/steps"
    return try FileManager.default.contentsOfDirectory(atPath: place).filter {
      exists("\(folder)/steps/\($0)/result.json")
    }
  }

  @Test
  func `killed again and again and resumed, the tables are those of an uninterrupted run`() throws {
    try program.run(quick + ["-o", "whole"])
    let whole = try results("whole")
    #expect(whole.object?["accuracy"]?.array?.count == 6)
    let stepCount = try steps("whole").count
    var kills = 0
    // Each run is killed once some more steps are done, whatever the machine's speed.
    for share in 0..<8 {
      let running = try program.start(quick + ["-o", "part"])
      while running.isRunning, (try? stepNames("part").count) ?? 0 < stepCount * share / 8 {
        usleep(1000)
      }
      if running.kill() { kills += 1 }
      _ = running.finish()
    }
    #expect(kills >= 4, "\(kills) runs of 8 were killed before they ended")
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
    try program.run(quick + ["-o", "x", "--methods", "linear", "--networks", "2"])
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
  func `a curve is restarted with another number of threads`() throws {
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
    #expect(try program.run(loud + ["--threads", "2"]).errors.contains("restarted"))
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
}

extension JSONValue {
  /// The value without what differs from run to run: times and who was at work.
  var untimed: JSONValue {
    switch self {
    case .object(let members):
      .object(
        members.filter {
          !$0.key.hasSuffix("seconds") && !["command", "resumed", "worker"].contains($0.key)
        }
        .mapValues(\.untimed))
    case .array(let values): .array(values.map(\.untimed))
    case .string, .integer, .number, .bool: self
    }
  }
}
