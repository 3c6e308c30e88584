// SPDX-License-Identifier: Apache-2.0
import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What killed processes left behind: temporary files of ``AtomicFile`` and locks of ``FileLease``.
enum StaleFiles {
  /// What a temporary file's name has behind the process and a random number:
  /// `.a.lcw.4711.3141592653.lcw-part`, and perhaps an ending.
  static let ending = "lcw-part"
  /// The ending of a lease's name: `.a.lcw.lcw-lock`.
  static let lockEnding = "lcw-lock"

  /// A file that lies whole under a temporary name, waiting for its own, has no lock; for so many
  /// seconds it is left alone, in case its process is one of another machine.
  private static let patience = 600

  /// Removes those in a folder that no process holds. What can't be removed stays.
  static func remove(in folder: URL) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    for name in names where name.hasPrefix(".") && name.contains(".lcw-") {
      let path = folder.path + "/" + name
      if name.hasSuffix(".\(lockEnding)") {
        remove(path) { _ in true }
      } else if let process = process(ofTemporary: name), isGone(process) {
        let hasEnding = !name.hasSuffix(".\(ending)")
        remove(path) { !hasEnding || Int($0.st_mtim.tv_sec) + patience < time(nil) }
      }
    }
  }

  /// The process in a temporary file's name; nothing if it is no such name.
  private static func process(ofTemporary name: String) -> pid_t? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard let last = parts.lastIndex(where: { $0 == ending }), last >= parts.count - 2, last >= 4,
      UInt32(parts[last - 1]) != nil, let process = pid_t(parts[last - 2]), process > 0
    else { return nil }
    return process
  }

  private static func isGone(_ process: pid_t) -> Bool {
    kill(process, 0) != 0 && errno == ESRCH
  }

  /// Removes a regular file that no process has locked, if `condition` holds of it.
  private static func remove(_ path: String, if condition: (stat) -> Bool) {
    let descriptor = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    var (own, named) = (stat(), stat())
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, fstat(descriptor, &own) == 0,
      lstat(path, &named) == 0, own.st_ino == named.st_ino, own.st_dev == named.st_dev,
      own.st_mode & S_IFMT == S_IFREG, condition(own)
    else { return }
    unlink(path)
  }
}
