// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWExperiments
import Testing

struct FolderTests {
  private let place: Workplace

  init() throws { place = try Workplace() }

  @Test func aFolderOfOthersIsRefused() throws {
    let files = FileManager.default
    let mine = place.url.appendingPathComponent("mine")
    try files.createDirectory(
      at: mine.appendingPathComponent("steps/one"), withIntermediateDirectories: true)
    #expect(throws: ExperimentError.self) { try ResultFolder(mine) }
    #expect(!place.exists("mine/.lcw-results"))
    // Steps of a version that left no marker.
    try files.moveItem(
      at: mine.appendingPathComponent("steps/one"),
      to: mine.appendingPathComponent("steps/train-1-0123456789abcdef"))
    _ = try ResultFolder(mine, isMade: false)
    #expect(!place.exists("mine/.lcw-results"))
    _ = try ResultFolder(mine)
    #expect(place.exists("mine/.lcw-results"))
    // Whatever its owner puts beside them then.
    _ = try place.file("mine/notes.txt", "notes")
    _ = try ResultFolder(mine)
  }

  @Test func arraysAreNoLongerThanSlurmTakes() throws {
    let slurm = place.url.appendingPathComponent("slurm")
    func steps(_ count: Int, epochs: Int) throws -> [Step] {
      try place.experiment("\"networks\": \(count), \"training\": {\"epochs\": \(epochs)},").steps
    }
    func write(_ steps: [Step]) throws {
      try SlurmArrays(steps: steps, command: ["lcw"], threads: 1, workingFolder: "/")
        .write(to: slurm)
    }
    func text(_ name: String) throws -> String {
      try String(contentsOf: slurm.appendingPathComponent(name), encoding: .utf8)
    }
    try write(steps(1000, epochs: 1) + steps(3, epochs: 2))
    #expect(try text("level-0-1.sbatch").contains("--array=1-1000\n"))
    #expect(try text("level-0-2.sbatch").contains("--array=1-3\n"))
    #expect(try text("submit.sh").components(separatedBy: "sbatch --parsable").count == 3)
    #expect(!place.exists("slurm/level-0.sbatch"))
    // Scripts of before would do other steps; a file of somebody else stays.
    _ = try place.file("slurm/level-mine.sbatch", "mine")
    let two = try place.experiment("\"methods\": [\"linear\"],").steps
    try write(two)
    #expect(try text("level-0.sbatch").contains("--array=1-2\n"))
    #expect(!place.exists("slurm/level-0-1.sbatch") && !place.exists("slurm/level-0-2.sbatch"))
    #expect(place.exists("slurm/level-mine.sbatch"))
    // Each level waits for all arrays before it.
    let tool = try place.file(
      "sbatch",
      """
      #!/bin/sh
      echo "$@" >> "$0.log"
      wc -l < "$0.log" | tr -d ' '
      """)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: tool.path)
    try write(steps(1000, epochs: 1) + steps(3, epochs: 2) + two)
    let shell = Process()
    shell.executableURL = URL(fileURLWithPath: "/bin/sh")
    shell.arguments = [slurm.appendingPathComponent("submit.sh").path]
    shell.environment = ["PATH": "\(place.url.path):/usr/bin:/bin"]
    shell.standardOutput = FileHandle.nullDevice
    try shell.run()
    shell.waitUntilExit()
    #expect(shell.terminationStatus == 0)
    let calls = try String(
      contentsOf: place.url.appendingPathComponent("sbatch.log"), encoding: .utf8
    )
    .split(separator: "\n")
    #expect(calls.count == 3 && !calls[1].contains("dependency"))
    #expect(calls.last?.contains("--dependency=afterany:1:2 ") == true)
  }
}
