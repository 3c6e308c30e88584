// SPDX-License-Identifier: Apache-2.0

/// What one looks at first in a tensor of weights.
public struct TensorStatistics: Sendable, Hashable {
  /// The elements.
  public let count: Int
  /// Elements that are not numbers.
  public let nan: Int
  /// Infinite elements.
  public let infinite: Int
  /// Zeros, of either sign.
  public let zeros: Int
  /// The smallest finite element; not a number if there is none.
  public let minimum: Double
  /// The largest finite element; not a number if there is none.
  public let maximum: Double
  /// The mean of the finite elements; not a number if there is none.
  public let mean: Double
  /// The standard deviation of the finite elements, with their number in the denominator.
  public let deviation: Double
  /// How many finite elements lie in each of equal parts of `minimum...maximum`.
  public let histogram: [Int]

  /// The statistics of values; sums are in double precision.
  /// - Parameter bins: The parts of the histogram, at least one.
  public init(of values: [Float], bins: Int = 20) {
    precondition(bins > 0, "a histogram has a bin or more")
    let finite = values.filter(\.isFinite)
    count = values.count
    nan = values.count(where: \.isNaN)
    infinite = values.count(where: \.isInfinite)
    zeros = values.count { $0 == 0 }
    let (low, high) = (finite.min().map(Double.init), finite.max().map(Double.init))
    minimum = low ?? .nan
    maximum = high ?? .nan
    let total = Double(finite.count)
    let average = finite.reduce(0) { $0 + Double($1) } / total
    mean = average
    let squares = finite.reduce(0) { $0 + (Double($1) - average) * (Double($1) - average) }
    deviation = (squares / total).squareRoot()
    var counts = [Int](repeating: 0, count: bins)
    if let low, let high {
      // Halved before they are subtracted, so that the width of the widest range is finite.
      let width = high / 2 - low / 2
      for value in finite {
        let share = width > 0 ? (Double(value) / 2 - low / 2) / width : 0
        counts[min(bins - 1, Int(share * Double(bins)))] += 1
      }
    }
    histogram = counts
  }
}
