// SPDX-License-Identifier: Apache-2.0

extension TransformationTraining {
  /// The figures of the last epoch and the place of the best, for a line of progress.
  func text(unit: String) -> String {
    let last = history[history.count - 1]
    let heldOut = last.heldOut.map { ", held out \(fourDecimals($0))" } ?? ""
    let end = endedEarly.map { "; ended: \($0)" } ?? ""
    return "epoch \(epoch)/\(plan.epochs)  \(fourDecimals(last.train))\(heldOut) \(unit), best in "
      + "epoch \(bestEpoch)\(end)"
  }
}

private func fourDecimals(_ value: Double) -> String {
  guard abs(value) < 1e12 else { return value.isNaN ? "nan" : "\(value)" }
  let scaled = Int((abs(value) * 10_000).rounded())
  let decimals = "\(10_000 + scaled % 10_000)".dropFirst()
  return "\(value < 0 ? "−" : "")\(scaled / 10_000).\(decimals)"
}
