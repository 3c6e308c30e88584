// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNetworks
import LCWPaths

extension Metrics {
  /// `[accuracy, mean cross-entropy]`.
  var json: JSONValue { .array([JSONValue(accuracy), JSONValue(crossEntropy)]) }

  init?(_ json: JSONValue?) {
    guard let numbers = json?.array?.compactMap(\.double), numbers.count == 2 else { return nil }
    self.init(crossEntropy: numbers[1], accuracy: numbers[0])
  }
}

extension PathEvaluation.Point {
  var json: JSONValue {
    .object([
      "grid": .bool(isOnGrid), "t": JSONValue(t), "test": test.json, "train": train.json,
    ])
  }
}

extension PathEvaluation.Summary {
  var json: JSONValue {
    .object([
      "barrier": JSONValue(barrier), "mean_loss": JSONValue(meanLoss),
      "worst_accuracy": JSONValue(worstAccuracy), "worst_accuracy_t": JSONValue(worstAccuracyTime),
      "worst_loss": JSONValue(worstLoss),
    ])
  }
}
