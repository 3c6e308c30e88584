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
    return Tensor(tensors.flatMap(\.elements))
      .reshaped([tensors.reduce(0) { $0 + $1.shape.rows }, width])
  }

  /// Neighbouring rows.
  func rows(_ range: Range<Int>) -> Tensor {
    let width = shape.rowCount
    return Tensor(Array(elements[range.lowerBound * width..<range.upperBound * width]))
      .reshaped([range.count, width])
  }
}
