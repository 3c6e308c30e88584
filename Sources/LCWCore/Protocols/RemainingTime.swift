// SPDX-License-Identifier: Apache-2.0

/// Estimates how long a computation still takes from the shares that it reports.
///
/// A computation may have several phases, each of which counts from 0 to 1, and may go on where an
/// earlier run ended. So the pace is that since the phase's first report: the time before it says
/// nothing about what is left.
public struct RemainingTime: Sendable {
  private var first: Report?
  private var last = 0.0

  private struct Report {
    let time: Duration
    let share: Double
  }

  /// An estimate that has heard no report.
  public init() {}

  /// What is left of the phase, in which a report says that a share is done.
  ///
  /// - Parameters:
  ///   - share: The share done, from 0 to 1; less than in the report before if a phase begins.
  ///   - time: The time of the report, since any moment that stays the same.
  /// - Returns: Nothing until the phase has done something since its first report.
  public mutating func left(afterShare share: Double, at time: Duration) -> Duration? {
    if share < last { first = nil }
    last = share
    guard let first else {
      self.first = Report(time: time, share: share)
      return nil
    }
    guard share > first.share else { return nil }
    return (time - first.time) * ((1 - share) / (share - first.share))
  }
}
