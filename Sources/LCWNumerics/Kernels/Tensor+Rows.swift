// SPDX-License-Identifier: Apache-2.0
import CKernels

/// One term of a combination of blocks of rows.
public struct RowTerm: Sendable {
  /// A block `[rows, width]`.
  public var rows: Tensor
  /// Its factor.
  public var coefficient: Float

  /// A block and its factor.
  public init(_ rows: Tensor, _ coefficient: Float) {
    self.rows = rows
    self.coefficient = coefficient
  }
}

extension Tensor {
  /// Writes the values of some units over those that a block `[n, units, …]` has.
  ///
  /// - Parameters:
  ///   - chosen: The units' places in the block.
  ///   - values: `[n, chosen.count, …]`.
  ///   - units: The number of units of the block.
  ///   - shifts: What is added to each chosen unit's values.
  public mutating func assignUnits(
    _ chosen: [Int], from values: Tensor, of units: Int, shifts: [Float]
  ) {
    let samples = shape.rows
    precondition(
      units > 0 && shape.rowCount % units == 0 && chosen.allSatisfy { 0 <= $0 && $0 < units }
        && shifts.count == chosen.count
        && values.count == samples * chosen.count * (shape.rowCount / units),
      "\(values.shape) are not the values of \(chosen.count) of \(units) units of \(shape)")
    let positions = shape.rowCount / units
    elements.withUnsafeMutableBufferPointer { target in
      values.elements.withUnsafeBufferPointer { source in
        for sample in 0..<samples {
          for place in chosen.indices {
            let first = (sample * units + chosen[place]) * positions
            let other = (sample * chosen.count + place) * positions
            let shift = shifts[place]
            for position in 0..<positions {
              target[first + position] = source[other + position] + shift
            }
          }
        }
      }
    }
  }

  /// Some rows of Σⱼ cⱼ · Pⱼ + shift + bias, clipped at zero if `clipping` is set: one pass over
  /// memory for what a moving layer and its ReLU do at one point of a path.
  ///
  /// - Parameters:
  ///   - terms: At least one block `[n, width]` and its factor.
  ///   - bias: A vector of `width` values, or none.
  ///   - shifts: A value for each of the n rows that is added all along it, or none.
  ///   - range: The rows to compute.
  ///   - clipping: Whether negative values become zero.
  ///   - result: Takes the rows; its shape is `[range.count, width]`.
  public static func combineRows(
    _ terms: [RowTerm], bias: Tensor?, shifts: [Float]?, range: Range<Int>, clipping: Bool,
    into result: inout Tensor
  ) {
    let width = result.shape.rowCount
    precondition(result.shape.rows == range.count, "\(range.count) rows do not fit the result")
    checkRows(terms, bias: bias, shifts: shifts, range: range, width: width)
    let coefficients = terms.map(\.coefficient)
    result.elements.withUnsafeMutableBufferPointer { out in
      guard let out = out.baseAddress else { return }
      withPointers(to: terms.map(\.rows)) { pointers in
        withBase(of: bias) { bias in
          var bases = (0..<terms.count).map { pointers[$0] + range.lowerBound * width }
          for row in range {
            let target = out + (row - range.lowerBound) * width
            lcw_combine(
              target, bases, coefficients, terms.count, shifts?[row] ?? 0, bias, width,
              clipping ? 1 : 0)
            for index in bases.indices { bases[index] += width }
          }
        }
      }
    }
  }

  /// Some samples of Σⱼ cⱼ · Pⱼ + Σₖ cₖ · Sₖ + bias, clipped at zero if `clipping` is set: what a
  /// moving convolution and its ReLU do at one point of a path.
  ///
  /// - Parameters:
  ///   - terms: At least one block `[n, planes, …]` and its factor.
  ///   - shared: Blocks `[n, 1, …]` of one plane, which is added to all planes, and their factors.
  ///   - bias: A value for each plane, or none.
  ///   - range: The samples to compute.
  ///   - clipping: Whether negative values become zero.
  ///   - result: Takes the samples, `[range.count, planes, …]`.
  public static func combinePlanes(
    _ terms: [RowTerm], shared: [RowTerm], bias: Tensor?, range: Range<Int>, clipping: Bool,
    into result: inout Tensor
  ) {
    let (width, planes) = (result.shape.rowCount, result.shape[1])
    let positions = width / max(1, planes)
    precondition(result.shape.rows == range.count, "\(range.count) samples do not fit the result")
    checkRows(terms, bias: nil, shifts: nil, range: range, width: width)
    precondition(
      (bias.map { $0.count == planes } ?? true)
        && shared.allSatisfy {
          $0.rows.shape.rowCount == positions && $0.rows.shape.rows >= range.upperBound
        }, "a bias or a shared plane of a combination does not fit")
    let all = terms + shared
    let coefficients = all.map(\.coefficient)
    result.elements.withUnsafeMutableBufferPointer { out in
      guard let out = out.baseAddress else { return }
      withPointers(to: all.map(\.rows)) { pointers in
        for sample in range {
          var bases = all.indices.map {
            pointers[$0] + sample * ($0 < terms.count ? width : positions)
          }
          for plane in 0..<planes {
            lcw_combine(
              out + (sample - range.lowerBound) * width + plane * positions, bases, coefficients,
              all.count, bias?.elements[plane] ?? 0, nil, positions, clipping ? 1 : 0)
            for index in terms.indices { bases[index] += positions }
          }
        }
      }
    }
  }

  /// Checks that the parts of a combination fit each other.
  static func checkRows(
    _ terms: [RowTerm], bias: Tensor?, shifts: [Float]?, range: Range<Int>, width: Int
  ) {
    precondition(
      !terms.isEmpty && range.lowerBound >= 0 && (bias.map { $0.count == width } ?? true)
        && (shifts.map { $0.count >= range.upperBound } ?? true)
        && terms.allSatisfy {
          $0.rows.shape.rowCount == width && $0.rows.shape.rows >= range.upperBound
        },
      "the blocks of a combination differ in shape")
  }

  /// Calls `body` with the address of a tensor's elements, or with none.
  static func withBase(of tensor: Tensor?, _ body: (UnsafePointer<Float>?) -> Void) {
    withBase(of: tensor?.elements, body)
  }

  /// Calls `body` with the address of some values, or with none.
  static func withBase(of values: [Float]?, _ body: (UnsafePointer<Float>?) -> Void) {
    guard let values else { return body(nil) }
    values.withUnsafeBufferPointer { body($0.baseAddress) }
  }
}
