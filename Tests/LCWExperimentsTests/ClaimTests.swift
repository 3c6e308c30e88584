// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWExperiments
import Synchronization
import Testing

/// Claims that no living worker made are taken over, and who is waited for is said.
struct ClaimTests {
  private let place: Workplace
  private let experiment: ResolvedExperiment
  private let folder: ResultFolder
  private let step: Step

  init() throws {
    place = try Workplace()
    experiment = try place.experiment("\"training\": {\"epochs\": 1},")
    folder = try ResultFolder(place.url.appendingPathComponent("x"))
    step = try #require(experiment.steps.first)
    try FileManager.default.createDirectory(
      at: folder.folder(of: step), withIntermediateDirectories: true)
  }

  private var claim: URL { folder.folder(of: step).appendingPathComponent("claim") }

  /// What this machine's claims begin with.
  private func here() throws -> String {
    let boot = try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
    let space = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")
    return "\(boot.trimmingCharacters(in: .whitespacesAndNewlines)) \(space)"
  }

  /// Does the steps; throws once it has waited for others a number of times.
  private func finish(waits: Int = 0, said: Notices = Notices()) throws {
    let left = Mutex(waits)
    try Worker(
      try place.runner(experiment), in: folder, run: UUID().uuidString,
      reports: Worker.Reports(
        done: { _, _, _, _ in }, failed: { Issue.record("\($0)") }, waiting: { said.add($0) }),
      wait: {
        let isOver = left.withLock { left in
          left -= 1
          return left < 0
        }
        if isOver { throw CancellationError() }
      }
    ).finish(experiment.steps)
  }

  /// At once, without waiting for the claim to become old.
  private func expectTakenOver() throws {
    let start = ContinuousClock.now
    try finish()
    #expect(ContinuousClock.now - start < .seconds(60))
    #expect(experiment.steps.allSatisfy(folder.isDone))
    #expect(!FileManager.default.fileExists(atPath: claim.path))
  }

  @Test(arguments: ["0", "-1", "-2147483648", "99999999999", "x"])
  func aNumberThatNoProcessHasClaimsNothing(process: String) throws {
    try Data("\(try here()) \(process) \(UUID())\n".utf8).write(to: claim)
    try expectTakenOver()
  }

  @Test func whatIsNoFileClaimsNothing() throws {
    let files = FileManager.default
    try files.createDirectory(at: claim, withIntermediateDirectories: true)
    try expectTakenOver()
    for target in ["nowhere", place.url.path, "/dev/zero"] {
      try files.removeItem(at: folder.folder(of: step).appendingPathComponent("result.json"))
      try files.createSymbolicLink(atPath: claim.path, withDestinationPath: target)
      try expectTakenOver()
    }
    try files.removeItem(at: folder.folder(of: step).appendingPathComponent("result.json"))
    try #require(mkfifo(claim.path, 0o600) == 0)
    try expectTakenOver()
    // A folder that is somebody's is not emptied.
    try files.removeItem(at: folder.folder(of: step).appendingPathComponent("result.json"))
    try files.createDirectory(
      at: claim.appendingPathComponent("mine"), withIntermediateDirectories: true)
    try expectTakenOver()
    let names = try files.contentsOfDirectory(atPath: folder.folder(of: step).path)
    #expect(names.contains { $0.hasPrefix("claim.") }, "\(names)")
  }

  /// A claim of a time that is in the future, of another machine: nothing but watching it tells that it
  /// is not renewed.
  @Test func whoIsWaitedForIsSaid() throws {
    try Data("\(UUID()) pid:[1] 4711 \(UUID())\n".utf8).write(to: claim)
    try FileManager.default.setAttributes(
      [.modificationDate: Date.now + 1e6], ofItemAtPath: claim.path)
    let said = Notices()
    #expect(throws: CancellationError.self) { try finish(waits: 3, said: said) }
    #expect(said.all.count == 1, "\(said.all)")
    let line = said.all.first ?? ""
    for part in [
      "waiting for train 1", "process 4711 of another machine", "in the future",
      "90 s is taken over",
    ] {
      #expect(line.contains(part), "\(line)")
    }
    #expect(folder.claimed(experiment.steps).map(\.step.key) == [step.key])
    #expect(folder.claimed(experiment.steps).first?.holder.process == nil)
    // An old one is nobody's.
    try FileManager.default.setAttributes(
      [.modificationDate: Date.now - 100], ofItemAtPath: claim.path)
    try expectTakenOver()
  }

  @Test(.enabled(if: ProcessInfo.processInfo.environment["LCW_SLOW_TESTS"] == "1"))
  func aClaimThatIsNotRenewedIsTakenOverWhateverItsTime() throws {
    try Data("\(UUID()) pid:[1] 4711 \(UUID())\n".utf8).write(to: claim)
    try FileManager.default.setAttributes(
      [.modificationDate: Date.now + 1e6], ofItemAtPath: claim.path)
    let said = Notices()
    try finish(waits: 1000, said: said)
    #expect(experiment.steps.allSatisfy(folder.isDone))
    #expect(said.all.count == 2, "\(said.all)")
  }
}
