// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

extension Tensor {
  /// Some rows in the given order.
  func gatheringRows(_ indices: ArraySlice<Int>) -> Tensor {
    let width = shape.rowCount
    var result = Tensor(unspecified: [indices.count, width])
    for (position, index) in indices.enumerated() {
      result.elements.replaceSubrange(
        position * width..<(position + 1) * width,
        with: elements[index * width..<(index + 1) * width])
    }
    return result
  }

  /// The rows of several tensors of one width, one after the other.
  static func concatenatingRows(_ tensors: [Tensor]) -> Tensor? {
    guard let width = tensors.first?.shape.rowCount else { return nil }
    return Tensor(rows: tensors.reduce(0) { $0 + $1.shape.rows }, width: width, parts: tensors)
  }

  /// Rows that come in parts, each of which is made when the one before is written.
  init(rows: Int, width: Int, parts: some Sequence<Tensor>) {
    self.init(unspecified: [rows, width])
    var place = 0
    for part in parts {
      elements.replaceSubrange(place..<place + part.elements.count, with: part.elements)
      place += part.elements.count
    }
    precondition(place == rows * width, "parts are all of the rows")
  }

  /// Neighbouring rows.
  func rows(_ range: Range<Int>) -> Tensor {
    let width = shape.rowCount
    return Tensor(Array(elements[range.lowerBound * width..<range.upperBound * width]))
      .reshaped([range.count, width])
  }
}
