// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWPaths

extension ConnectionStudy {
  /// What the study shows, in a few sentences: which path is best, how far its worst point is from the
  /// networks at its ends, and how far that of the worst path is.
  var verdict: [String] {
    guard let best = ranked.first else { return [] }
    let (train, test) = (best.evaluation.train, best.evaluation.test)
    let loss = "\(String(train.worstLoss, decimals: 4)) nats on the training samples"
    var sentences = [
      entries.count == 1
        ? "The largest loss of \(best.name) is \(loss)."
        : "\(best.name) is the best of \(entries.count) paths: its largest loss is \(loss)."
    ]
    if let low = lowerEnd(of: best) {
      let lost = (low - test.worstAccuracy) * 100
      sentences.append(
        "Its worst point has \(percent(test.worstAccuracy)) test accuracy; the weaker of the two networks "
          + "has \(percent(low)). So \(Quality(lost: lost).rawValue).")
    }
    if !unmeasured.isEmpty {
      sentences.insert(
        "Interrupted: \(unmeasured.joined(separator: ", ")) \(unmeasured.count == 1 ? "is" : "are") not "
          + "measured.", at: 0)
    }
    if entries.count > 1, let last = ranked.last {
      sentences.append(
        "The worst path is \(last.name): its largest loss is "
          + "\(String(last.evaluation.train.worstLoss, decimals: 4)), and its worst point has "
          + "\(percent(last.evaluation.test.worstAccuracy)) test accuracy.")
    }
    return sentences
  }

  /// How good a path is, by the points of accuracy that its worst point loses.
  private enum Quality: String {
    case good = "the path is about as good as its ends"
    case fair = "the path is a little worse than its ends"
    case poor = "this is not a low-loss path"

    init(lost: Double) {
      self = lost < 1 ? .good : lost < 3 ? .fair : .poor
    }
  }

  /// The paths, that with the smallest largest training loss first.
  var ranked: [Entry] {
    // A loss that is no number is worse than any.
    func loss(_ entry: Entry) -> Double {
      entry.evaluation.train.worstLoss.isNaN ? .infinity : entry.evaluation.train.worstLoss
    }
    return entries.sorted { loss($0) < loss($1) }
  }

  /// The lower test accuracy of a path's two ends.
  private func lowerEnd(of entry: Entry) -> Double? {
    guard let first = entry.evaluation.points.first, let last = entry.evaluation.points.last else {
      return nil
    }
    return min(first.test.accuracy, last.test.accuracy)
  }

  private func percent(_ share: Double) -> String { "\(String(share * 100, decimals: 2)) %" }
}
