// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles

/// Does an experiment's steps, one after the other, beside any number of others like it.
public struct Worker: Sendable {
  /// What is told of steps.
  public struct Reports: Sendable {
    /// A step that this worker has done, and of how many.
    public var done: @Sendable (_ step: Step, _ done: Int, _ all: Int, _ seconds: Double) -> Void
    /// A step that failed.
    public var failed: @Sendable (StepFailure) -> Void
    /// Who is waited for, since there is nothing else to do: when that begins, and every minute.
    public var waiting: @Sendable (String) -> Void

    /// Reports.
    public init(
      done: @escaping @Sendable (Step, Int, Int, Double) -> Void,
      failed: @escaping @Sendable (StepFailure) -> Void,
      waiting: @escaping @Sendable (String) -> Void = { _ in }
    ) {
      self.done = done
      self.failed = failed
      self.waiting = waiting
    }
  }

  /// What does a step.
  public var runner: StepRunner
  /// Where results are kept.
  public let folder: ResultFolder
  /// The run that this worker belongs to, on one line: a step that has failed in it is not tried
  /// again.
  public let run: String
  /// Who is told.
  public var reports: Reports
  /// Is asked, while this worker waits for others, whether to go on; throws to end.
  public var wait: @Sendable () throws -> Void

  /// A worker.
  public init(
    _ runner: StepRunner, in folder: ResultFolder, run: String, reports: Reports,
    wait: @escaping @Sendable () throws -> Void
  ) {
    self.runner = runner
    self.folder = folder
    self.run = run
    self.reports = reports
    self.wait = wait
  }

  /// Does steps until all have a result, but those that fail and those that need them.
  /// - Throws: ``ExperimentError/failed(_:blocked:)`` at the end if steps have failed, and what
  ///   `wait` throws.
  public func finish(_ steps: [Step]) throws {
    var sightings = ClaimSightings()
    var lastWord: ContinuousClock.Instant?
    while true {
      let left = folder.left(of: steps, in: run)
      guard !left.open.isEmpty else {
        if left.failures.isEmpty { return }
        throw ExperimentError.failed(left.failures, blocked: left.blocked)
      }
      guard let others = try doOne(of: left.open, among: steps, &sightings) else {
        lastWord = nil
        continue
      }
      if let first = others.first, lastWord.map({ .now - $0 > Worker.silence }) ?? true {
        reports.waiting(
          "waiting for \(first.step.name), which is \(first.holder.description)"
            + (others.count > 1 ? ", and \(others.count - 1) more" : "")
            + "; a claim that is not renewed for \(Int(Claim.lifetime)) s is taken over")
        lastWord = .now
      }
      try wait()
      Thread.sleep(forTimeInterval: 0.5)
    }
  }

  /// How long nothing is said while others are waited for.
  static let silence = Duration.seconds(60)

  /// Does one step and those it needs, unless they are done.
  public func finish(_ step: Step, of steps: [Step]) throws {
    var wanted: Set<String> = [step.key]
    for candidate in steps.reversed() where wanted.contains(candidate.key) {
      wanted.formUnion(candidate.needs)
    }
    try finish(steps.filter { wanted.contains($0.key) })
  }

  /// Does the first step that is ready and nobody's, and returns nothing; or those that others do, if
  /// there is none.
  private func doOne(
    of open: [Step], among steps: [Step], _ sightings: inout ClaimSightings
  ) throws -> [(step: Step, holder: ClaimHolder)]? {
    let undone = Set(open.map(\.key))
    var others: [(step: Step, holder: ClaimHolder)] = []
    for step in open where undone.isDisjoint(with: step.needs) {
      let place = folder.folder(of: step)
      try OwnFolder.make(place)
      let claim: Claim
      switch try Claim.make(in: place, &sightings) {
      case .made(let made): claim = made
      case .held(let holder):
        others.append((step, holder))
        continue
      }
      defer { claim.release() }
      guard !folder.isDone(step), folder.failure(of: step, in: run) == nil else { return nil }
      let start = ContinuousClock.now
      do {
        try runner.run(step, in: folder)
      } catch let error as any DescribedError {
        let failure = StepFailure(step: step.name, reason: error.description)
        try folder.keep(failure, of: step, in: run)
        reports.failed(failure)
        return nil
      }
      reports.done(
        step, steps.count { folder.isDone($0) }, steps.count, (ContinuousClock.now - start).seconds)
      return nil
    }
    return others
  }
}

extension ResultFolder {
  /// Those of the steps that somebody has claimed, and who.
  public func claimed(_ steps: [Step]) -> [(step: Step, holder: ClaimHolder)] {
    steps.compactMap { step in Claim.holder(of: folder(of: step)).map { (step, $0) } }
  }

  /// What is left to do, what failed in a run, and how many steps can't be done for that reason.
  public func left(
    of steps: [Step], in run: String
  ) -> (open: [Step], failures: [StepFailure], blocked: Int) {
    var open: [Step] = []
    var failures: [StepFailure] = []
    var out: Set<String> = []
    for step in steps where !isDone(step) {
      if let failure = failure(of: step, in: run) {
        failures.append(failure)
        out.insert(step.key)
      } else if !out.isDisjoint(with: step.needs) {
        out.insert(step.key)
      } else {
        open.append(step)
      }
    }
    return (open, failures, out.count - failures.count)
  }
}
