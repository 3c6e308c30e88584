// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWPaths
import LCWReport

extension ConnectionStudy {
  /// Predictions along each path; nothing if that was not asked for.
  var diagnosticsTable: Table? {
    guard entries.contains(where: { $0.diagnostics != nil }) else { return nil }
    var table = Table(columns: [
      .init("path"),
      .init("above mean train", key: "train_barrier_above_mean", alignment: .number),
      .init("above mean test", key: "test_barrier_above_mean", alignment: .number),
      .init("ECE of the ends", key: "end_calibration_error", alignment: .number),
      .init("largest ECE", key: "largest_calibration_error", alignment: .number),
      .init("ends disagree", key: "end_disagreement", alignment: .number),
      .init("largest disagreement", key: "largest_disagreement", alignment: .number),
      .init("ensemble accuracy", key: "ensemble_accuracy", alignment: .number),
      .init("ensemble loss", key: "ensemble_loss", alignment: .number),
    ])
    for entry in entries {
      guard let found = entry.diagnostics, let first = found.points.first,
        let last = found.points.last
      else { continue }
      table.append([
        .text(entry.name), .number(entry.evaluation.train.barrierAboveMean, decimals: 4),
        .number(entry.evaluation.test.barrierAboveMean, decimals: 4),
        .number((first.calibrationError + last.calibrationError) / 2, decimals: 4),
        .number(found.points.map(\.calibrationError).max() ?? .nan, decimals: 4),
        .percent(first.disagreementWithEnd, decimals: 2),
        .percent(
          found.points.map { min($0.disagreementWithStart, $0.disagreementWithEnd) }.max() ?? .nan,
          decimals: 2),
        .percent(found.ensemble.accuracy, decimals: 2),
        .number(found.ensemble.crossEntropy, decimals: 4),
      ])
    }
    table.notes = [
      "Above mean: the largest excess of the loss over the mean of the end points' losses. ECE: the "
        + "expected calibration error on the test samples, 15 bins. Largest disagreement: the largest "
        + "share of test samples that a point and the nearer end classify differently. Ensemble: "
        + "the probabilities of all points of the grid averaged, on the test samples."
    ]
    return table
  }

  /// The predictions at every point of each path.
  var predictionTable: Table {
    var table = Table(columns: [
      .init("path"), .init("t", alignment: .number),
      .init("calibration_error", alignment: .number),
      .init("disagreement_with_start", alignment: .number),
      .init("disagreement_with_end", alignment: .number),
    ])
    for entry in entries {
      for point in entry.diagnostics?.points ?? [] {
        table.append([
          .text(entry.name), .number(point.t, decimals: 3),
          .number(point.calibrationError, decimals: 5),
          .number(point.disagreementWithStart, decimals: 5),
          .number(point.disagreementWithEnd, decimals: 5),
        ])
      }
    }
    return table
  }
}
