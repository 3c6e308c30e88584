// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWExperiments
import LCWFiles
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

  /// Each run has notes of its own of what failed, so that two on one folder do not send each other
  /// back to the same step for ever.
  @Test(.timeLimit(.minutes(10))) func runsDoNotRetryEachOthersFailures() throws {
    let experiment = try place.experiment(
      "\"networks\": 3, \"training\": {\"epochs\": 1}, \"methods\": [\"linear\"], \"points\": 3,")
    let folder = try ResultFolder(place.url.appendingPathComponent("x"))
    let tries = Notices()
    let workers = try ["one", "two"].map { run in
      let runner = try place.runner(experiment) { _, file in
        tries.add("\(run) \(file.deletingLastPathComponent().lastPathComponent)")
        throw FileError.failed(operation: "write", file: file.path, reason: "no room")
      }
      return Worker(
        runner, in: folder, run: run,
        reports: Worker.Reports(done: { _, _, _, _ in }, failed: { _ in }), wait: {})
    }
    // The first again, after the second has failed at the same steps.
    for worker in [workers[0], workers[1], workers[0], workers[1]] {
      let error = #expect(throws: ExperimentError.self) { try worker.finish(experiment.steps) }
      #expect(error?.description.contains("no room") == true)
    }
    #expect(tries.all.count == 6 && Set(tries.all).count == 6, "\(tries.all)")
    // What another run then does is done, and the notes are gone.
    let last = Worker(
      try place.runner(experiment), in: folder, run: "three",
      reports: Worker.Reports(done: { _, _, _, _ in }, failed: { _ in }), wait: {})
    try last.finish(experiment.steps)
    for step in experiment.steps {
      let names = try FileManager.default.contentsOfDirectory(
        atPath: folder.folder(of: step).path)
      #expect(!names.contains { $0.hasPrefix("failure") }, "\(names)")
    }
  }

  @Test func aFileInAFoldersPlaceIsNamed() throws {
    let file = try place.file("notes.txt", "notes")
    let error = #expect(throws: FileError.self) {
      try ResultFolder(file.appendingPathComponent("deep/x"))
    }
    #expect(error?.description.contains("notes.txt is a file") == true)
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
