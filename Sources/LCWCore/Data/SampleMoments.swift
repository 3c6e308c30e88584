// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// Mean and deviation of samples' raw values, of each channel or of each feature, gathered block by block in
/// double precision.
///
/// Bytes are summed as integers, exactly. Floats are summed as differences from the first sample's, so that
/// a large mean takes no digits from the deviation and equal values have the deviation 0.
public struct SampleMoments: Sendable {
  /// Which values go together.
  public enum Grouping: Sendable, Hashable {
    /// Those of a channel, the sample's first size.
    case channel
    /// Those at one place of the samples.
    case feature
  }

  private let groups: Int
  private let groupSize: Int
  /// The values of one sample; 1 for a shape without values, of which no sample can be added.
  private let sampleSize: Int
  /// The samples so far.
  public private(set) var count = 0
  private var integerSums: [Int]
  private var integerSquares: [Int]
  private var origins: [Double] = []
  private var sums: [(sum: Double, squares: Double)]

  /// The moments of no sample.
  /// - Parameter sampleShape: The shape of one sample.
  public init(_ grouping: Grouping, sampleShape: Shape) {
    groups = grouping == .channel ? sampleShape.rows : sampleShape.count
    groupSize = sampleShape.count / max(1, groups)
    sampleSize = max(1, sampleShape.count)
    integerSums = Array(repeating: 0, count: groups)
    integerSquares = Array(repeating: 0, count: groups)
    sums = Array(repeating: (0, 0), count: groups)
  }

  /// Adds whole samples, one after the other.
  /// - Precondition: No floats were added.
  public mutating func add(_ bytes: some RandomAccessCollection<UInt8>) {
    precondition(bytes.count % sampleSize == 0, "whole samples are added")
    var iterator = bytes.makeIterator()
    for _ in 0..<bytes.count / sampleSize {
      for group in 0..<groups {
        var (sum, squares) = (0, 0)
        for _ in 0..<groupSize {
          let value = Int(iterator.next() ?? 0)
          sum &+= value
          squares &+= value &* value
        }
        integerSums[group] &+= sum
        integerSquares[group] &+= squares
      }
    }
    count += bytes.count / sampleSize
  }

  /// Adds whole samples, one after the other.
  /// - Precondition: No bytes were added.
  public mutating func add(_ floats: some RandomAccessCollection<Float>) {
    precondition(floats.count % sampleSize == 0, "whole samples are added")
    if origins.isEmpty, !floats.isEmpty {
      var place = floats.startIndex
      origins = (0..<groups).map { _ in
        defer { place = floats.index(place, offsetBy: groupSize) }
        return Double(floats[place])
      }
    }
    var (group, position) = (0, 0)
    var (sum, squares) = (0.0, 0.0)
    for float in floats {
      let difference = Double(float) - origins[group]
      sum += difference
      squares += difference * difference
      position += 1
      if position == groupSize {
        sums[group].sum += sum
        sums[group].squares += squares
        (sum, squares, position) = (0, 0, 0)
        group = group + 1 == groups ? 0 : group + 1
      }
    }
    count += floats.count / sampleSize
  }

  /// The number of values of each group.
  private var total: Double { Double(count * groupSize) }

  /// The mean of each group; not a number if there is no sample, or if a value is not finite.
  public var mean: [Double] {
    guard origins.isEmpty else { return zip(origins, sums).map { $0 + $1.sum / total } }
    return integerSums.map { Double($0) / total }
  }

  /// The deviation of each group, with the count in the denominator.
  public var deviation: [Double] {
    guard origins.isEmpty else {
      return sums.map {
        max(0, $0.squares / total - ($0.sum / total) * ($0.sum / total)).squareRoot()
      }
    }
    // In integers as far as they go: the difference is exact, and 0 for equal values.
    return zip(integerSums, integerSquares).map { sum, squares in
      let (product, isLarge) = squares.multipliedReportingOverflow(by: count * groupSize)
      let (square, isLarger) = sum.multipliedReportingOverflow(by: sum)
      let mean = Double(sum) / total
      let variance =
        isLarge || isLarger
        ? Double(squares) / total - mean * mean : Double(product - square) / (total * total)
      return max(0, variance).squareRoot()
    }
  }
}
