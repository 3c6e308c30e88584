// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Coordinates less their means, over their deviations, in the order a transformation's layers
/// want them; where there are principal axes, behind the reflections that turn these into
/// coordinates.
public struct Standardisation: Sendable, Hashable {
  /// The mean of each coordinate, behind the reflections if there are any.
  public let mean: [Float]
  /// The deviation of each of these coordinates, at least ``floor`` times their root mean square.
  public let deviation: [Float]
  /// What turns principal axes into the first coordinates, if there are any.
  public let reflections: Reflections?
  let order: [Int32]
  private let inverseOrder: [Int32]

  /// A coordinate that hardly varies, such as a weight that only decays because its pixel is
  /// always black, would be stretched until its rounding errors look like samples, and errors of
  /// the inverse would grow as much. A hundredth of what is usual counts as no variation.
  public static let floor: Float = 0.01

  /// The statistics of samples' rows; sums are in double precision.
  ///
  /// - Parameters:
  ///   - samples: Rows in parts.
  ///   - order: The order of the coordinates behind the standardisation.
  ///   - reflections: What comes before it.
  init(of samples: [Tensor], order: [Int], reflections: Reflections? = nil) {
    let samples = RowBlocks(tensors: samples).lazy.map { Self.reflected($0, reflections) }
    let dimension = order.count
    var count = 0.0
    var sums = [Double](repeating: 0, count: dimension)
    var squares = sums
    for rows in samples {
      count += Double(rows.shape.rows)
      rows.elements.withUnsafeBufferPointer { values in
        for row in 0..<rows.shape.rows {
          for column in 0..<dimension { sums[column] += Double(values[row * dimension + column]) }
        }
      }
    }
    let means = sums.map { $0 / max(1, count) }
    // A second pass: the difference of large squares would leave nothing of small deviations.
    for rows in samples {
      rows.elements.withUnsafeBufferPointer { values in
        for row in 0..<rows.shape.rows {
          for column in 0..<dimension {
            let distance = Double(values[row * dimension + column]) - means[column]
            squares[column] += distance * distance
          }
        }
      }
    }
    let variances = squares.map { $0 / max(1, count) }
    let typical = Float((variances.reduce(0, +) / Double(dimension)).squareRoot())
    self.init(
      mean: means.map { Float($0) },
      deviation: variances.map {
        typical > 0 ? max(Float($0.squareRoot()), Standardisation.floor * typical) : 1
      }, order: order, reflections: reflections)
  }

  /// A standardisation by given means and positive deviations.
  init(mean: [Float], deviation: [Float], order: [Int], reflections: Reflections? = nil) {
    self.reflections = reflections
    self.mean = mean
    self.deviation = deviation
    self.order = order.map(Int32.init)
    var inverse = [Int32](repeating: 0, count: order.count)
    for (place, coordinate) in order.enumerated() { inverse[coordinate] = Int32(place) }
    inverseOrder = inverse
  }

  private var zeros: [Float] { [Float](repeating: 0, count: order.count) }
  private var ordered: (mean: [Float], scale: [Float]) {
    (order.map { mean[Int($0)] }, order.map { 1 / deviation[Int($0)] })
  }

  /// The logarithm of the determinant of the derivative, the same for all rows.
  var logDeterminant: Double { deviation.reduce(0) { $0 - log(Double($1)) } }

  private static func reflected(_ rows: Tensor, _ reflections: Reflections?) -> Tensor {
    guard let reflections else { return rows }
    var result = rows
    reflections.apply(to: &result)
    return result
  }

  private func reflectedBack(_ rows: Tensor) -> Tensor {
    guard let reflections else { return rows }
    var result = rows
    reflections.applyInverse(to: &result)
    return result
  }

  /// The rows behind the reflections, and where they are in the tensor: without reflections nothing
  /// is copied.
  private func turned(_ rows: Tensor, _ range: Range<Int>) -> (rows: Tensor, range: Range<Int>) {
    guard reflections != nil else { return (rows, range) }
    return (Self.reflected(rows.rows(range), reflections), 0..<range.count)
  }

  func apply(_ rows: Tensor, _ range: Range<Int>) -> Tensor {
    let (source, range) = turned(rows, range)
    let (mean, scale) = ordered
    return source.gathered(rows: range, order: order, before: mean, scale: scale, after: zeros)
  }

  func applyInverse(_ rows: Tensor) -> Tensor {
    reflectedBack(
      rows.gathered(
        rows: 0..<rows.shape.rows, order: inverseOrder, before: zeros, scale: deviation,
        after: mean))
  }

  /// The gradient before ``apply(_:_:)`` from that behind it.
  func backward(_ gradient: Tensor) -> Tensor {
    reflectedBack(
      gradient.gathered(
        rows: 0..<gradient.shape.rows, order: inverseOrder, before: zeros,
        scale: deviation.map { 1 / $0 }, after: zeros))
  }

  /// The gradient before ``applyInverse(_:)`` from that behind it.
  func inverseBackward(_ gradient: Tensor, _ range: Range<Int>) -> Tensor {
    let (source, range) = turned(gradient, range)
    return source.gathered(
      rows: range, order: order, before: zeros, scale: order.map { deviation[Int($0)] },
      after: zeros)
  }
}
