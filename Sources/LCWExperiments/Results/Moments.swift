// SPDX-License-Identifier: Apache-2.0

/// The mean and the standard deviation of a sample, with n − 1 in the denominator; no deviation of a
/// single value.
struct Moments: Sendable, Hashable {
  var mean: Double
  var deviation: Double

  init(_ values: [Double]) {
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    self.mean = mean
    deviation = values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : 0
  }

  /// Of the seconds of those paths that were made in one go.
  static func ofTimes(
    _ paths: [MeasuredPath], _ seconds: (MeasuredPath) -> Double? = { $0.seconds }
  ) -> Moments? {
    let whole = paths.filter { !$0.isResumed }.compactMap(seconds)
    return whole.isEmpty ? nil : Moments(whole)
  }
}
