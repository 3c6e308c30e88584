// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension Transformation {
  /// The logarithm of each row's density if ν(θ) is standard normal, in nats.
  /// - Parameter precision: How exact the products are.
  /// - Throws: ``FlowError/dimension(expected:found:)``.
  public func logDensities(
    of rows: Tensor, precision: MatrixPrecision = .highest, workers: Workers = .available
  ) throws -> [Double] {
    try check(rows)
    let ranges = ranges(rows.shape.rows, workers)
    return try workers.map(ranges.count) { index in
      let chunk = forward(rows, ranges[index], isKeeping: false, precision: precision)
      return densities(of: chunk)
    }.flatMap(\.self)
  }

  /// The gradient of the mean of −log density over a batch, in the place of `gradients`.
  /// - Returns: The sum of the logarithmic densities, in nats.
  /// - Throws: ``FlowError/dimension(expected:found:)``.
  public func likelihoodGradient(
    of rows: Tensor, into gradients: inout [Tensor], workers: Workers = .available
  ) throws -> Double {
    try check(rows)
    let ranges = ranges(rows.shape.rows, workers)
    let share = 1 / Float(rows.shape.rows)
    let results = try workers.map(ranges.count) { index in
      var chunk = forward(rows, ranges[index], isKeeping: true, precision: .standard)
      let sum = densities(of: chunk).reduce(0, +)
      // Of ½ |z|² − log |det|: z, and −1 for each row.
      var gradient = chunk.rows
      gradient.assign(share, times: chunk.rows, plus: 0)
      chunk.rows = Tensor(zeros: [0])
      chunk.rest = nil
      backward(
        &gradient, logGradients: [Float](repeating: -share, count: ranges[index].count), &chunk)
      return (sum: sum, chunk: chunk)
    }
    addGradients(
      of: results.map(\.chunk), sign: 1, carry: 0, to: &gradients, workers: workers)
    return results.reduce(0) { $0 + $1.sum }
  }

  private func densities(of chunk: Chunk) -> [Double] {
    let constant = -0.5 * Double(design.dimension) * log(2 * Double.pi)
    return chunk.logs.indices.map { row in
      let square = [chunk.rows, chunk.rest].reduce(0.0) { sum, part in
        part?.row(row).reduce(sum) { $0 + Double($1) * Double($1) } ?? sum
      }
      return constant - square / 2 + chunk.logs[row]
    }
  }
}
