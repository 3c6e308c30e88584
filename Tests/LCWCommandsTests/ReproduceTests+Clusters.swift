// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import Testing

/// What other machines are given.
extension ReproduceTests {
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
      try program.run("plugin", "link", "RanksExample", "-o", "libranks.so")
      let command =
        ["--plugin", "libranks.so"] + quick
        + ["--networks", "2", "--method", "linear", "--add-method", "ranks"]
      try program.run(command + ["-o", "x", "--emit", "slurm"])
      let file = program.folder.url.resolvingSymlinksInPath().path + "/libranks.so"
      for level in 1...2 {
        let script = String(
          decoding: try program.bytes("x/slurm/level-\(level).sbatch"), as: UTF8.self)
        #expect(script.contains(" --plugin \(file) reproduce digits "))
      }
      try program.run(command + ["-o", "x", "--jobs", "2"])
      let rows = try results("x").object?["accuracy"]?.array ?? []
      #expect(rows.contains { $0.object?["method"]?.string == "ranks" }, "\(rows)")
    }
  #endif

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
    // Whoever collects, with however many threads.
    try program.run(
      "reproduce", "a b.json", "-o", "x", "--collect", "--threads", "1", "--quiet", "--record",
      "other.md")
    let other = String(decoding: try program.bytes("other.md"), as: UTF8.self)
    #expect(other.contains("lcw reproduce 'a b.json' --threads 2\n"), "\(other)")
    // The data's folder is not in the environment of a cluster's nodes.
    try program.run(
      ["reproduce", "a b.json", "-o", "y", "--threads", "1", "--emit", "slurm"],
      environment: ["LCW_DATA": "my data"])
    let script = String(decoding: try program.bytes("y/slurm/level-0.sbatch"), as: UTF8.self)
    #expect(script.contains("--data '/") && script.contains("/my data'"), "\(script)")
  }
}
