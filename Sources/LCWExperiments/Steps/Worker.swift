// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles

/// Does an experiment's steps, one after the other, beside any number of others like it.
public struct Worker: Sendable {
  /// What does a step.
  public var runner: StepRunner
  /// Where results are kept.
  public let folder: ResultFolder
  /// Is told of each step that this worker has done, and of how many of them there are.
  public var report: @Sendable (_ step: Step, _ done: Int, _ all: Int, _ seconds: Double) -> Void
  /// Is asked, while this worker waits for others, whether to go on; throws to end.
  public var wait: @Sendable () throws -> Void

  /// A worker.
  public init(
    _ runner: StepRunner, in folder: ResultFolder,
    report: @escaping @Sendable (Step, Int, Int, Double) -> Void,
    wait: @escaping @Sendable () throws -> Void
  ) {
    self.runner = runner
    self.folder = folder
    self.report = report
    self.wait = wait
  }

  /// Does steps until all have a result.
  /// - Throws: ``ExperimentError/step(_:reason:)`` for a step that fails, and what `wait` throws.
  public func finish(_ steps: [Step]) throws {
    while true {
      let open = steps.filter { !folder.isDone($0) }
      guard !open.isEmpty else { return }
      if try !doOne(of: open, among: steps) {
        try wait()
        Thread.sleep(forTimeInterval: 0.5)
      }
    }
  }

  /// Does one step and those it needs, unless they are done.
  public func finish(_ step: Step, of steps: [Step]) throws {
    var wanted: Set<String> = [step.key]
    for candidate in steps.reversed() where wanted.contains(candidate.key) {
      wanted.formUnion(candidate.needs)
    }
    try finish(steps.filter { wanted.contains($0.key) })
  }

  /// Does the first step that is ready and nobody's, if there is one.
  private func doOne(of open: [Step], among steps: [Step]) throws -> Bool {
    let undone = Set(open.map(\.key))
    for step in open where undone.isDisjoint(with: step.needs) {
      let place = folder.folder(of: step)
      try ResultFolder.make(place)
      guard let claim = try Claim.make(in: place) else { continue }
      defer { claim.release() }
      guard !folder.isDone(step) else { return true }
      let start = ContinuousClock.now
      do {
        try runner.run(step, in: folder)
      } catch let error as any DescribedError {
        throw ExperimentError.step(step.name, reason: error.description)
      }
      report(
        step, steps.count { folder.isDone($0) }, steps.count, (ContinuousClock.now - start).seconds)
      return true
    }
    return false
  }
}
