// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Foundation
import LCWFiles

/// A worker's word that it is at work on a step: a file that only one can make, and whose time it
/// renews while it lives.
///
/// Making a file exclusively is atomic on local file systems and on NFS from version 3. A claim of a
/// process that this machine no longer has, or whose time is old, belongs to a worker that was
/// killed, and is taken over. Should a worker have slept so long that it lost a claim, both write the
/// same result, one after the other.
final class Claim {
  /// The seconds after which a claim that was not renewed is nobody's.
  static let lifetime = 90.0
  private static let renewal = 15.0

  private let file: String
  private let content: String
  private let timer: any DispatchSourceTimer

  /// Claims a folder, or returns nothing if another worker has it.
  /// - Throws: `FileError` if the system fails.
  static func make(in folder: URL) throws(FileError) -> Claim? {
    let file = folder.appendingPathComponent("claim").path
    let content = "\(owner) \(UUID().uuidString)\n"
    if try create(file, content) { return Claim(file, content) }
    guard let found = read(file), try isOrphaned(file, found, in: folder) else { return nil }
    let retired = folder.appendingPathComponent("claim.\(UUID().uuidString)").path
    guard rename(file, retired) == 0 else { return nil }
    defer { unlink(retired) }
    guard read(retired) == found else {
      // Another was faster, and this is its claim, not the old one: give it back.
      link(retired, file)
      return nil
    }
    return try create(file, content) ? Claim(file, content) : nil
  }

  private static func read(_ file: String) -> String? {
    try? String(contentsOfFile: file, encoding: .utf8)
  }

  private init(_ file: String, _ content: String) {
    self.file = file
    self.content = content
    let timer = DispatchSource.makeTimerSource(queue: .global())
    timer.schedule(deadline: .now() + Claim.renewal, repeating: Claim.renewal)
    timer.setEventHandler { if Claim.read(file) == content { utimes(file, nil) } }
    timer.resume()
    self.timer = timer
  }

  deinit { timer.cancel() }

  /// Gives the step back.
  func release() {
    timer.cancel()
    if Claim.read(file) == content { unlink(file) }
  }

  private static func create(
    _ file: String, _ content: String
  ) throws(FileError) -> Bool {
    let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      guard errno == EEXIST else { throw Claim.failure("create", file: file, code: errno) }
      return false
    }
    let bytes = Array(content.utf8)
    let written = write(descriptor, bytes, bytes.count)
    let code = written < 0 ? errno : ENOSPC
    close(descriptor)
    // An empty one would be nobody's, and would keep everybody from the step until it is old.
    guard written == bytes.count else {
      unlink(file)
      throw Claim.failure("write", file: file, code: code)
    }
    return true
  }

  /// This process, for whoever looks: the machine's start and its space of processes, and the number
  /// in it.
  static var owner: String { "\(place ?? "? ?") \(getpid())" }

  /// Nothing where the system does not tell: numbers of processes say nothing then.
  private static var place: String? {
    guard let boot = read("/proc/sys/kernel/random/boot_id"),
      let space = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")
    else { return nil }
    return "\(boot.trimmingCharacters(in: .whitespacesAndNewlines)) \(space)"
  }

  private static func isOrphaned(
    _ file: String, _ content: String, in folder: URL
  ) throws(FileError) -> Bool {
    let words = content.split(separator: " ")
    if words.count == 4, words.prefix(2).joined(separator: " ") == place,
      let process = Int32(words[2]), kill(process, 0) != 0, errno == ESRCH
    {
      return true
    }
    guard let age = try age(of: file, in: folder) else { return false }
    return age > lifetime
  }

  private static func failure(_ operation: String, file: String, code: Int32) -> FileError {
    .failed(operation: operation, file: file, reason: String(cString: strerror(code)))
  }

  /// How long ago a claim was renewed, by the file system's clock, not this machine's.
  private static func age(of file: String, in folder: URL) throws(FileError) -> Double? {
    var claim = stat()
    guard stat(file, &claim) == 0 else { return nil }
    let probe = folder.appendingPathComponent(".now.\(UUID().uuidString)").path
    let descriptor = open(probe, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw Claim.failure("create", file: probe, code: errno) }
    var now = stat()
    let status = fstat(descriptor, &now)
    close(descriptor)
    unlink(probe)
    guard status == 0 else { throw Claim.failure("look at", file: probe, code: errno) }
    return Double(now.st_mtim.tv_sec - claim.st_mtim.tv_sec)
  }
}
