// SPDX-License-Identifier: Apache-2.0

/// One channel of an image, row by row.
struct Plane: Hashable {
  var size: PixelSize
  var values: [UInt8]

  /// The plane in another size, columns and rows one after the other.
  ///
  /// A new pixel is a weighted mean around its place: with weights that fall off linearly over one old pixel
  /// where the image grows (bilinear), and over as many old pixels as make a new one where it shrinks, so
  /// that all of them count (triangle filter).
  func resized(to target: PixelSize) -> Plane {
    let columns = Self.weights(from: size.columns, to: target.columns)
    var wide = [Double](repeating: 0, count: size.rows * target.columns)
    for row in 0..<size.rows {
      for (column, part) in columns.enumerated() {
        var sum = 0.0
        for (index, weight) in part.weights.enumerated() {
          sum += weight * Double(values[row * size.columns + part.first + index])
        }
        wide[row * target.columns + column] = sum
      }
    }
    var result = [UInt8](repeating: 0, count: target.count)
    for (row, part) in Self.weights(from: size.rows, to: target.rows).enumerated() {
      for column in 0..<target.columns {
        var sum = 0.0
        for (index, weight) in part.weights.enumerated() {
          sum += weight * wide[(part.first + index) * target.columns + column]
        }
        result[row * target.columns + column] = UInt8(min(255, max(0, (sum + 0.5).rounded(.down))))
      }
    }
    return Plane(size: target, values: result)
  }

  /// For each new pixel of a row the old ones that it is made of, and their weights, whose sum is 1.
  static func weights(from old: Int, to new: Int) -> [(first: Int, weights: [Double])] {
    let ratio = Double(old) / Double(new)
    let reach = max(ratio, 1)
    return (0..<new).map { index in
      let centre = (Double(index) + 0.5) * ratio
      let first = max(0, Int((centre - reach + 0.5).rounded(.down)))
      let last = min(old, Int((centre + reach + 0.5).rounded(.down)))
      let weights = (first..<max(last, first + 1)).map { place in
        max(0, 1 - abs(Double(place) + 0.5 - centre) / reach)
      }
      let sum = weights.reduce(0, +)
      return (first, weights.map { $0 / sum })
    }
  }
}
