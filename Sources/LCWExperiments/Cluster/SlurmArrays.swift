// SPDX-License-Identifier: Apache-2.0
public import Foundation
import LCWFiles

/// An experiment's steps as job arrays for Slurm: one array for each level of steps that need no
/// other of that level, each waiting for the array before it.
public struct SlurmArrays: Sendable {
  /// The steps that have no result yet.
  public var steps: [Step]
  /// The words that make a step when `--step` and its key follow.
  public var command: [String]
  /// The processors of a task.
  public var threads: Int
  /// The folder from which the command finds relative files.
  public var workingFolder: String

  /// Arrays.
  public init(steps: [Step], command: [String], threads: Int, workingFolder: String) {
    self.workingFolder = workingFolder
    self.steps = steps
    self.command = command
    self.threads = threads
  }

  /// The most tasks of an array: Slurm's own limit is 1000 unless a cluster's was changed.
  static let largestArray = 1000

  /// Writes a batch script with the keys of its steps for each level, or several where a level has
  /// more than Slurm takes in one, and `submit.sh`, which submits them. Scripts that an earlier call
  /// wrote are removed.
  /// - Throws: `FileError`.
  public func write(to folder: URL) throws {
    try OwnFolder.make(folder)
    try removeScripts(in: folder)
    var submissions: [String] = ["after=", "jobs="]
    for level in Set(steps.map(\.level)).sorted() {
      let keys = steps.filter { $0.level == level }.map(\.key)
      let starts = stride(from: 0, to: keys.count, by: SlurmArrays.largestArray)
      for (part, start) in starts.enumerated() {
        let tasks = Array(keys[start..<min(start + SlurmArrays.largestArray, keys.count)])
        let name = "level-\(level)" + (keys.count > SlurmArrays.largestArray ? "-\(part + 1)" : "")
        try write(script(name, keys: tasks), "\(name).sbatch", in: folder)
        submissions += [
          "job=$(sbatch --parsable $after \"$here/\(name).sbatch\")",
          // With several clusters, the cluster's name stands behind the number.
          "jobs=\"$jobs:${job%%;*}\"",
          "echo \"\(name): job $job, \(tasks.count) tasks\"",
        ]
      }
      // A task does what it needs itself, should one before it have failed.
      submissions += ["after=\"--dependency=afterany$jobs\"", "jobs="]
    }
    let submit =
      """
      #!/bin/sh
      # Submits the arrays, each behind those whose results it needs. Options for sbatch, such as a
      # partition, can be given in SBATCH_PARTITION and its like.
      set -eu
      here=$(cd "$(dirname "$0")" && pwd)
      cd "$here"

      """ + submissions.joined(separator: "\n") + "\n"
    try write(submit, "submit.sh", in: folder)
    try? FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: folder.appendingPathComponent("submit.sh").path)
  }

  private static let jobName = "#SBATCH --job-name=lcw-level-"

  /// Removes the scripts that this wrote before, which would do other steps.
  private func removeScripts(in folder: URL) throws(FileError) {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    where name.hasPrefix("level-") && name.hasSuffix(".sbatch") {
      let file = folder.appendingPathComponent(name)
      guard let text = try? String(contentsOf: file, encoding: .utf8),
        text.contains(SlurmArrays.jobName)
      else { continue }
      guard unlink(file.path) == 0 || errno == ENOENT else {
        throw .failed(
          operation: "remove", file: file.path, reason: String(cString: strerror(errno)))
      }
    }
  }

  private func script(_ name: String, keys: [String]) -> String {
    """
    #!/bin/sh
    #SBATCH --job-name=lcw-\(name)
    #SBATCH --array=1-\(keys.count)
    #SBATCH --cpus-per-task=\(threads)
    #SBATCH --output=\(name)-%a.log
    set -eu
    key=$(sed -n "${SLURM_ARRAY_TASK_ID}p" << 'KEYS'
    \(keys.joined(separator: "\n"))
    KEYS
    )
    cd \(workingFolder.shellQuoted)
    exec \(command.map(\.shellQuoted).joined(separator: " ")) --step "$key"

    """
  }

  private func write(_ text: String, _ name: String, in folder: URL) throws {
    try OwnFolder.write(text, to: folder.appendingPathComponent(name))
  }
}

extension String {
  /// The text as one word of a shell's command.
  fileprivate var shellQuoted: String {
    let isPlain =
      !isEmpty
      && utf8.allSatisfy {
        (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0)
          || "-_./:=,+@".utf8.contains($0)
      }
    return isPlain ? self : "'" + replacingOccurrences(of: "'", with: "'\\''") + "'"
  }
}
