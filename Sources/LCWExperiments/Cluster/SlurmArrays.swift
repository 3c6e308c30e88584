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

  /// Writes a batch script with the keys of its steps for each level, and `submit.sh`, which submits them.
  /// - Throws: `FileError`.
  public func write(to folder: URL) throws {
    try ResultFolder.make(folder)
    var submissions: [String] = []
    for level in Set(steps.map(\.level)).sorted() {
      let keys = steps.filter { $0.level == level }.map(\.key)
      try write(script(level: level, keys: keys), "level-\(level).sbatch", in: folder)
      // A task does what it needs itself, should one before it have failed.
      let after = submissions.isEmpty ? "" : " --dependency=afterany:\"$job\""
      submissions.append("job=$(sbatch --parsable\(after) \"$here/level-\(level).sbatch\")")
      submissions.append("echo \"level \(level): job $job, \(keys.count) tasks\"")
    }
    let submit =
      """
      #!/bin/sh
      # Submits the arrays, each behind the one whose results it needs. Options for sbatch, such as a
      # partition, can be given in SBATCH_PARTITION and its like.
      set -eu
      here=$(cd "$(dirname "$0")" && pwd)
      cd "$here"

      """ + submissions.joined(separator: "\n") + "\n"
    try write(submit, "submit.sh", in: folder)
    try? FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: folder.appendingPathComponent("submit.sh").path)
  }

  private func script(level: Int, keys: [String]) -> String {
    """
    #!/bin/sh
    #SBATCH --job-name=lcw-level-\(level)
    #SBATCH --array=1-\(keys.count)
    #SBATCH --cpus-per-task=\(threads)
    #SBATCH --output=level-\(level)-%a.log
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
    try AtomicFile.write(Array(text.utf8), to: folder.appendingPathComponent(name))
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
