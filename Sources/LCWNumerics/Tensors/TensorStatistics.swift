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
  /// How many finite elements lie in each of equal parts of `minimum...maximum`; nothing if there
  /// are none.
  public let histogram: [Int]

  /// The smallest and the largest element exactly, of a tensor of integers.
  public let integerRange: ClosedRange<Int64>?

  /// The statistics of values; sums are in double precision.
  /// - Parameter bins: The parts of the histogram, at least one. There is one part where all
  ///   finite elements are the same.
  public init(of values: [Float], bins: Int = 20) {
    self.init(values, bins: bins, integerRange: nil) { Double($0) }
  }

  /// The statistics of a tensor's elements; sums are in double precision.
  /// - Parameter bins: The parts of the histogram, at least one. There is one part where all
  ///   finite elements are the same.
  public init(of tensor: StoredTensor, bins: Int = 20) {
    switch tensor.elementType {
    case .float64: self.init(tensor.doubles, bins: bins, integerRange: nil) { $0 }
    case .float32, .float16, .bfloat16: self.init(of: tensor.floats.elements, bins: bins)
    case .int64, .int32, .int16, .int8, .uint8, .bool:
      let values = tensor.integers
      let range = values.min().flatMap { low in values.max().map { low...$0 } }
      self.init(values, bins: bins, integerRange: range) { Double($0) }
    }
  }

  private init<Value>(
    _ values: [Value], bins: Int, integerRange: ClosedRange<Int64>?,
    _ double: (Value) -> Double
  ) {
    precondition(bins > 0, "a histogram has a bin or more")
    var (nan, infinite, zeros, finite) = (0, 0, 0, 0)
    var (low, high) = (Double.infinity, -Double.infinity)
    for value in values {
      let value = double(value)
      if value.isNaN {
        nan += 1
      } else if value.isInfinite {
        infinite += 1
      } else {
        finite += 1
        if value == 0 { zeros += 1 }
        low = min(low, value)
        high = max(high, value)
      }
    }
    count = values.count
    self.nan = nan
    self.infinite = infinite
    self.zeros = zeros
    self.integerRange = integerRange
    guard finite > 0 else {
      (minimum, maximum, mean, deviation) = (.nan, .nan, .nan, .nan)
      histogram = []
      return
    }
    // Scaled by a power of two, so that sums and squares neither overflow nor vanish.
    let magnitude = max(abs(low), abs(high))
    let scale = magnitude > 0 ? magnitude.binade : 1
    let total = Double(finite)
    var (sum, squares) = (0.0, 0.0)
    for value in values {
      let value = double(value)
      if value.isFinite { sum += value / scale }
    }
    let average = sum / total
    // Halved before they are subtracted, so that the width of the widest range is finite.
    let width = high / 2 - low / 2
    var counts = [Int](repeating: 0, count: width > 0 ? bins : 1)
    for value in values {
      let value = double(value)
      guard value.isFinite else { continue }
      let distance = value / scale - average
      squares += distance * distance
      let share = width > 0 ? (value / 2 - low / 2) / width : 0
      counts[min(counts.count - 1, Int(share * Double(bins)))] += 1
    }
    minimum = low
    maximum = high
    mean = average * scale
    deviation = (squares / total).squareRoot() * scale
    histogram = counts
  }
}
