// SPDX-License-Identifier: Apache-2.0
import LCWCore

extension TransformationTraining {
  /// The figures of the last epoch and the place of the best, for a line of progress.
  func text(unit: String) -> String {
    let last = history[history.count - 1]
    let heldOut = last.heldOut.map { ", held out \(String($0, decimals: 4))" } ?? ""
    let end = endedEarly.map { "; ended: \($0)" } ?? ""
    return
      "epoch \(epoch)/\(plan.epochs)  \(String(last.train, decimals: 4))\(heldOut) \(unit), best in "
      + "epoch \(bestEpoch)\(end)"
  }
}

/// The line of progress of an epoch that runs, from the figures before it.
struct EpochProgress {
  private let text: String
  private let share: Double
  private let epoch: Double

  /// - Parameters:
  ///   - before: The share of the whole that was done before this fit.
  ///   - part: The share of the whole that this fit is.
  init(
    _ training: TransformationTraining, unit: String, prefix: String = "", before: Double = 0,
    part: Double = 1
  ) {
    text = prefix + training.text(unit: unit)
    epoch = part / Double(max(1, training.plan.epochs))
    share = before + min(part, Double(training.epoch) * epoch)
  }

  /// A line that stays, between epochs.
  var milestone: ConnectionProgress {
    ConnectionProgress(text, share: share, isMilestone: true)
  }

  /// The line within the epoch, of which a share is done.
  func within(_ done: Double) -> ConnectionProgress {
    ConnectionProgress(text, share: min(1, share + done * epoch), isMilestone: false)
  }
}
