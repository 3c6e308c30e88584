// SPDX-License-Identifier: Apache-2.0

/// A point near the mean of samples, which is taken off them before products are summed.
///
/// Where a bias is solved for, the solution does not depend on it; but products of values far from zero
/// have a rounding beside which what varies can be nothing.
struct SampleOrigin: Sendable {
  /// `[features]`
  let features: Tensor
  /// `[targets]`
  let targets: Tensor

  /// Samples without their origin, which is the mean of the first ones if there is none yet.
  static func shifting(
    _ x: Tensor, _ y: Tensor, by origin: inout SampleOrigin?
  ) -> (x: Tensor, y: Tensor) {
    guard x.shape.rows > 0 else { return (x, y) }
    let known = origin ?? SampleOrigin(features: mean(x), targets: mean(y))
    origin = known
    return (x.shifted(by: known.features), y.shifted(by: known.targets))
  }

  private static func mean(_ samples: Tensor) -> Tensor {
    var sums = [Double](repeating: 0, count: samples.shape.rowCount)
    samples.addColumnSums(to: &sums)
    return Tensor(sums.map { Float($0 / Double(samples.shape.rows)) })
  }
}

extension Tensor {
  fileprivate func shifted(by origin: Tensor) -> Tensor {
    guard origin.elements.contains(where: { $0 != 0 }) else { return self }
    var result = self
    result.addBias(Tensor(origin.elements.map { -$0 }))
    return result
  }
}
