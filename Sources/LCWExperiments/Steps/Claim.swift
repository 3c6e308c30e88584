// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Foundation
import LCWFiles

/// A worker's lease on a step: a file that only one can make, and whose time it
/// renews while it lives.
///
/// Making a file exclusively is atomic on local file systems and on NFS from version 3. A claim is
/// nobody's, and is taken over,
///
/// - if it is of a process that this machine no longer has, or of a number that no process has;
/// - if it is not a regular file, which no worker makes;
/// - if its time is old by the file system's own clock;
/// - if it was not renewed while this worker looked at it for as long, whatever its time says, which
///   may lie in the future.
///
/// Should a worker have slept so long that it lost a claim, both write the same result, one after the
/// other.
final class Claim {
  /// The seconds after which a claim that was not renewed is nobody's.
  static let lifetime = 90.0
  private static let renewal = 15.0
  /// The bytes of a claim that are looked at.
  private static let bytes = 4096

  private let file: String
  private let content: String
  private let timer: any DispatchSourceTimer

  /// What became of claiming a folder.
  enum Attempt {
    case made(Claim)
    case held(ClaimHolder)
  }

  /// Claims a folder, unless another worker has it.
  /// - Parameter sightings: What this worker has seen of claims before.
  /// - Throws: `FileError` if the system fails.
  static func make(
    in folder: URL, _ sightings: inout ClaimSightings
  ) throws(FileError) -> Attempt {
    let file = folder.appendingPathComponent("claim").path
    let content = "\(owner) \(UUID().uuidString)\n"
    if try create(file, content) { return .made(Claim(file, content)) }
    guard let found = look(at: file) else { return .held(ClaimHolder(nil, place: place, age: nil)) }
    let age = try age(of: found, in: folder)
    let holder = ClaimHolder(found.content, place: place, age: age)
    guard isOrphaned(found, holder, age: age, unchangedFor: sightings.time(of: found, at: file))
    else { return .held(holder) }
    let retired = folder.appendingPathComponent("claim.\(UUID().uuidString)").path
    guard rename(file, retired) == 0 else { return .held(holder) }
    // A folder that is not empty stays under its new name.
    defer { if unlink(retired) != 0 { rmdir(retired) } }
    guard let moved = look(at: retired), moved.isRegular == found.isRegular,
      moved.content == found.content
    else {
      // Another was faster, and this is its claim, not the old one: give it back.
      link(retired, file)
      return .held(holder)
    }
    return try create(file, content) ? .made(Claim(file, content)) : .held(holder)
  }

  /// Who has claimed a folder, if somebody has.
  static func holder(of folder: URL) -> ClaimHolder? {
    let file = folder.appendingPathComponent("claim").path
    return look(at: file).map { found in
      ClaimHolder(found.content, place: place, age: (try? age(of: found, in: folder)) ?? nil)
    }
  }

  /// What stands where a claim should.
  struct Found: Hashable {
    var isRegular: Bool
    /// Nothing if it is not a regular file, or can't be read.
    var content: String?
    var seconds: Int
    var nanoseconds: Int
  }

  private static func look(at file: String) -> Found? {
    var status = stat()
    guard lstat(file, &status) == 0 else { return nil }
    // A pipe would be waited for, and a link leads to what is no claim.
    let isRegular = status.st_mode & S_IFMT == S_IFREG
    let bytes = isRegular ? try? InputFile(URL(fileURLWithPath: file)).prefix(bytes) : nil
    return Found(
      isRegular: isRegular, content: bytes.map { String(decoding: $0, as: UTF8.self) },
      seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
  }

  private static func isOrphaned(
    _ found: Found, _ holder: ClaimHolder, age: Double?, unchangedFor sighted: Double
  ) -> Bool {
    if !found.isRegular || holder.isImpossible { return true }
    if let process = holder.process, kill(process, 0) != 0, errno == ESRCH { return true }
    return (age ?? 0) > lifetime || sighted > lifetime
  }

  private static func read(_ file: String) -> String? { look(at: file)?.content }

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
    // Such files have no size, so that they are not read as claims are.
    guard
      let boot = try? String(
        contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8),
      let space = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")
    else { return nil }
    return "\(boot.trimmingCharacters(in: .whitespacesAndNewlines)) \(space)"
  }

  private static func failure(_ operation: String, file: String, code: Int32) -> FileError {
    .failed(operation: operation, file: file, reason: String(cString: strerror(code)))
  }

  /// How long ago a claim was renewed, by the file system's clock, not this machine's.
  private static func age(of found: Found, in folder: URL) throws(FileError) -> Double {
    let probe = folder.appendingPathComponent(".now.\(UUID().uuidString)").path
    let descriptor = open(probe, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw Claim.failure("create", file: probe, code: errno) }
    var now = stat()
    let status = fstat(descriptor, &now)
    close(descriptor)
    unlink(probe)
    guard status == 0 else { throw Claim.failure("look at", file: probe, code: errno) }
    // A file's time may be any number.
    return Double(now.st_mtim.tv_sec) - Double(found.seconds)
  }
}

/// Who has claimed a step, as far as the claim tells.
public struct ClaimHolder: Sendable, Hashable {
  /// The process, if it is one of this machine.
  public let process: Int32?
  /// Who it is, and when it renewed the claim.
  public let description: String
  /// Whether the claim names a number that no process has.
  let isImpossible: Bool

  /// - Parameters:
  ///   - content: The claim's.
  ///   - place: The machine's start and its space of processes, as this machine's claims have them.
  ///   - age: The seconds since the claim was renewed, where they are known.
  init(_ content: String?, place: String?, age: Double?) {
    let words = (content ?? "").split(whereSeparator: \.isWhitespace)
    let isHere = words.count == 4 && words.prefix(2).joined(separator: " ") == place
    let number = words.count == 4 ? Int32(words[2]) : nil
    isImpossible = isHere && (number ?? 0) <= 0
    process = isHere ? number.flatMap { $0 > 0 ? $0 : nil } : nil
    let who =
      switch number {
      case let number? where isHere: "process \(number) of this machine"
      case let number?: "process \(number) of another machine"
      case nil: "an unknown process"
      }
    let when =
      switch age {
      case nil: ""
      case let age? where age < 0: ", at a time that is in the future"
      case let age?: ", \(Int(min(age, 1e9).rounded())) s ago"
      }
    description = "claimed by \(who)\(when)"
  }
}

/// Since when a worker has seen claims as they are.
struct ClaimSightings {
  private var known: [String: (found: Claim.Found, since: ContinuousClock.Instant)] = [:]

  /// The seconds for which a claim has been as it is now, in this worker's eyes.
  mutating func time(of found: Claim.Found, at file: String) -> Double {
    if let known = known[file], known.found == found {
      return (ContinuousClock.now - known.since).seconds
    }
    known[file] = (found, .now)
    return 0
  }
}
