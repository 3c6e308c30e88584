// SPDX-License-Identifier: Apache-2.0

/// Work of many epochs that can be interrupted between any two of them and continued to the same
/// bits: training a network, learning a curve, a fit.
///
/// ``ConnectionContext/finish(_:)`` does it: the one loop that all of these share.
public protocol EpochwiseWork {
  /// Whether all is done.
  var isFinished: Bool { get }
  /// What must be kept to continue from here; nothing where there is nothing to continue from, or none
  /// is to be kept yet.
  var state: Checkpoint? { get }
  /// A line that stays, told once the state is kept.
  var milestone: ConnectionProgress? { get }

  /// Does the next epoch, and tells the context how far it has come.
  ///
  /// If it throws, the work is in the middle of an epoch, unless the type says otherwise.
  mutating func runEpoch(in context: ConnectionContext) throws

  /// What an error of an epoch means for the work.
  mutating func outcome(of error: any Error) -> EpochOutcome
}

/// What an error of an epoch means.
public enum EpochOutcome: Sendable {
  /// The epoch was interrupted: the state before it is good.
  case interrupted
  /// The epoch would fail again: the state before it is of no use.
  case failed
  /// The work is done, with what there was before the epoch.
  case ended
}

extension EpochwiseWork {
  /// None.
  public var milestone: ConnectionProgress? { nil }

  /// An interruption.
  public mutating func outcome(of error: any Error) -> EpochOutcome { .interrupted }
}

extension ConnectionContext {
  /// Does all epochs that are left, and keeps the state of each in the context's store.
  /// - Throws: What an epoch, the store and the progress throw.
  public func finish(_ work: inout some EpochwiseWork) throws {
    while !work.isFinished {
      do { try work.runEpoch(in: self) } catch {
        switch work.outcome(of: error) {
        case .interrupted: throw error
        case .failed:
          store?.discard()
          throw error
        case .ended: break
        }
      }
      if let store, let state = work.state { try store.keep(state) }
      // It may throw, to interrupt the work: the epoch is kept then.
      if let milestone = work.milestone { try progress(milestone) }
    }
  }
}
