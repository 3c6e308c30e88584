// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// Every command that may take more than a second ends with 130, and one line that says what is left
/// and how to go on.
struct InterruptionTests {
  private let program: Program

  init() throws {
    program = try Program()
  }

  /// Networks of a layer, and for `wide` of two.
  private func train(_ names: String..., hidden: String = "200") throws {
    for (index, name) in names.enumerated() {
      try program.run(
        "train", "--architecture", "mlp:hidden=\(hidden)", "--dataset", "digits", "--epochs", "1",
        "--seed", "\(index)", "-o", "\(name).lcw", "--quiet")
    }
  }

  /// Interrupts a command and looks at what it says.
  private func interrupt(
    _ arguments: [String], byTerm: Bool = false, input: URL? = nil, after seconds: Double = 0.5,
    says part: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let running = try program.start(
      arguments + (input == nil ? ["--threads", "1"] : []), input: input)
    running.waitUntilAtWork(seconds)
    if byTerm { running.terminate() } else { running.interrupt() }
    let outcome = running.finish()
    let last = outcome.errors.split(whereSeparator: \.isNewline).last ?? ""
    #expect(
      outcome.status == 130, "\(arguments) said \(outcome.errors)", sourceLocation: sourceLocation)
    #expect(last.contains("interrupted: "), "\(outcome.errors)", sourceLocation: sourceLocation)
    #expect(last.contains(part), "\(outcome.errors)", sourceLocation: sourceLocation)
  }

  @Test(arguments: [false, true])
  func `evaluating a path that is computed again can be ended`(byTerm: Bool) throws {
    try train("a", "b")
    try program.run("connect", "a.lcw", "b.lcw", "-m", "ot+wa", "-o", "path.lcw", "--quiet")
    try interrupt(
      ["evaluate", "path.lcw", "--points", "10000"], byTerm: byTerm,
      says: "run the same command again")
    // The second of two paths: the watch of the first one's joining is gone by then.
    try interrupt(
      ["evaluate", "path.lcw", "path.lcw", "--points", "10000"], byTerm: byTerm,
      says: "run the same command again")
  }

  @Test
  func `what joins and measures networks can be ended`() throws {
    try train("a", "b", "c")
    let long = ["--points", "10000"]
    try interrupt(
      ["connect", "a.lcw", "b.lcw", "-m", "linear+wa"] + long, says: "linear+wa was not finished")
    try interrupt(
      ["connect", "a.lcw", "b.lcw", "-m", "garipov:epochs=10000", "-o", "g.lcw"],
      says: "--resume continues")
    #expect(try program.bytes("g.lcw.state.lcw").count > 0)
    try interrupt(
      ["compare", "a.lcw", "b.lcw", "c.lcw", "-m", "linear+wa"] + long, says: "was not finished")
    let members = Array(repeating: ["a.lcw", "b.lcw"], count: 60).flatMap { $0 }
    try interrupt(
      ["ensemble"] + members + ["--head", "1"], says: "lcw ensemble was doing is not finished")
    try interrupt(
      ["fit", "flow:epochs=5000", "a.lcw", "b.lcw", "c.lcw", "-o", "nu.lcw"],
      says: "--resume continues")
  }

  @Test
  func `what trains can be ended`() throws {
    try interrupt(
      [
        "train", "--architecture", "mlp:hidden=500", "--dataset", "digits", "--epochs", "5000",
        "-o",
        "a.lcw",
      ], says: "a.lcw")
    try interrupt(["demo", "-o", "d", "--epochs", "5000"], byTerm: true, says: "d/a.lcw")
    let description = """
      {"name": "x", "dataset": "digits", "architecture": "mlp:hidden=500",
       "training": {"epochs": 5000}, "methods": ["linear"]}
      """
    try Data(description.utf8).write(to: program.folder.url.appendingPathComponent("e.json"))
    try interrupt(["reproduce", "e.json", "-o", "x"], says: "run the same command to continue")
    // Once both workers have kept a state; the first run was at the first step only.
    let running = try program.start(["reproduce", "e.json", "-o", "y", "--jobs", "2"])
    running.wait { states(in: "y") == 2 }
    running.interrupt()
    let outcome = running.finish()
    #expect(outcome.status == 130)
    #expect(outcome.errors.contains("interrupted: finished steps are kept in"), "\(outcome.errors)")
    #expect(outcome.errors.components(separatedBy: "interrupted:").count == 2, "\(outcome.errors)")
    #expect(files(in: "y").allSatisfy { !$0.hasSuffix("claim") }, "\(files(in: "y"))")
    #expect(files(in: "x").allSatisfy { !$0.hasSuffix("claim") }, "\(files(in: "x"))")
  }

  private func files(in folder: String) -> [String] {
    let all = FileManager.default.enumerator(
      atPath: program.folder.url.appendingPathComponent(folder).path)
    return (all?.allObjects as? [String]) ?? []
  }

  private func states(in folder: String) -> Int {
    files(in: folder).count { $0.hasSuffix("state.lcw") }
  }

  @Test
  func `a point of a path that is computed again can be given up`() throws {
    try train("a", "b", hidden: "1500x1500")
    try program.run("connect", "a.lcw", "b.lcw", "-m", "linear+wa", "-o", "path.lcw", "--quiet")
    try interrupt(
      ["export", "path.lcw", "--at", "0.5", "-o", "m.lcw"], after: 0.4,
      says: "run the same command again")
    #expect(throws: (any Error).self) { try program.bytes("m.lcw") }
  }

  /// Whoever reads what another program writes may wait for ever.
  @Test(arguments: [
    ["verify", "-"], ["inspect", "-", "--stats"], ["diff", "-", "a.lcw"],
    ["convert", "-", "b.npz"], ["extract", "-", "x", "-o", "x.npy"], ["evaluate", "-"],
  ])
  func `what waits for its input can be ended`(arguments: [String]) throws {
    let pipe = program.folder.url.appendingPathComponent("pipe")
    try #require(mkfifo(pipe.path, 0o600) == 0)
    let writer = open(pipe.path, O_RDWR)
    defer { close(writer) }
    // As soon as signals are caught: none is lost, however early it comes.
    for attempt in 0..<10 {
      try interrupt(
        arguments, byTerm: !attempt.isMultiple(of: 2), input: pipe, after: 0,
        says: "lcw \(arguments[0]) was doing is not finished; run the same command again")
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: program.folder.url.path)
    #expect(names == ["pipe"], "\(names)")
  }

  /// A terminal's SIGINT reaches a worker whose parent sends it SIGTERM: that is one wish, not two.
  @Test
  func `another signal is not a second word`() throws {
    let running = try program.start([
      "train", "--architecture", "mlp:hidden=500", "--dataset", "digits", "--epochs", "5000", "-o",
      "a.lcw", "--save-every", "0",
    ])
    running.wait { running.errors.contains("epoch 2/") }
    running.interrupt()
    running.terminate()
    let outcome = running.finish()
    #expect(outcome.status == 130)
    #expect(outcome.errors.contains("--resume to continue"), "\(outcome.errors)")
    #expect(try program.bytes("a.lcw").count > 0)
  }
}
