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

  /// The smallest and the largest element exactly, of a tensor of integers; nothing if there are
  /// none, or if they are beyond signed integers of 64 bits.
  public let integerRange: ClosedRange<Int64>?

  /// The elements that are looked at at a time.
  public static let block = 1 << 18

  /// The statistics of values; sums are in double precision.
  /// - Parameter bins: The parts of the histogram, at least one. There is one part where all
  ///   finite elements are the same.
  public init(of values: [Float], bins: Int = 20) {
    self.init(count: values.count, bins: bins, integerRange: nil) { range in
      values[range].map(Double.init)
    }
  }

  /// The statistics of a tensor's elements; sums are in double precision.
  /// - Parameter bins: The parts of the histogram, at least one. There is one part where all
  ///   finite elements are the same.
  public init(of tensor: StoredTensor, bins: Int = 20) {
    self.init(ofElements: tensor.shape.count, of: tensor.elementType, bins: bins) {
      tensor.bytes(ofElements: $0)
    }
  }

  /// The statistics of elements that are given a block at a time, at most ``block`` elements in one;
  /// each block is asked for up to four times.
  ///
  /// - Parameters:
  ///   - count: The elements.
  ///   - type: Their type. Of complex numbers all are not a number.
  ///   - bins: The parts of the histogram, at least one.
  ///   - block: The bytes of a range of elements.
  /// - Throws: What that throws.
  public init<Failure: Error>(
    ofElements count: Int, of type: ElementType, bins: Int = 20,
    block: (Range<Int>) throws(Failure) -> [UInt8]
  ) throws(Failure) {
    var integerRange: ClosedRange<Int64>?
    if type.isInteger && type != .uint64 || type == .bool {
      for start in stride(from: 0, to: count, by: Self.block) {
        let bytes = try block(start..<min(start + Self.block, count))
        for value in StoredTensor(elements: bytes, type).integers {
          let known = integerRange ?? value...value
          integerRange = min(known.lowerBound, value)...max(known.upperBound, value)
        }
      }
    }
    try self.init(count: count, bins: bins, integerRange: integerRange) {
      range throws(Failure) in StoredTensor(elements: try block(range), type).doubles
    }
  }

  private init<Failure: Error>(
    count: Int, bins: Int, integerRange: ClosedRange<Int64>?,
    values: (Range<Int>) throws(Failure) -> [Double]
  ) throws(Failure) {
    precondition(bins > 0, "a histogram has a bin or more")
    func each(_ body: (Double) -> Void) throws(Failure) {
      for start in stride(from: 0, to: count, by: Self.block) {
        for value in try values(start..<min(start + Self.block, count)) { body(value) }
      }
    }
    var (nan, infinite, zeros, finite) = (0, 0, 0, 0)
    var (low, high) = (Double.infinity, -Double.infinity)
    try each { value in
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
    self.count = count
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
    try each { value in
      if value.isFinite { sum += value / scale }
    }
    let average = sum / total
    // Halved before they are subtracted, so that the width of the widest range is finite.
    let width = high / 2 - low / 2
    var counts = [Int](repeating: 0, count: width > 0 ? bins : 1)
    let last = counts.count - 1
    try each { value in
      guard value.isFinite else { return }
      let distance = value / scale - average
      squares += distance * distance
      let share = width > 0 ? (value / 2 - low / 2) / width : 0
      counts[min(last, Int(share * Double(bins)))] += 1
    }
    minimum = low
    maximum = high
    mean = average * scale
    deviation = (squares / total).squareRoot() * scale
    histogram = counts
  }
}
