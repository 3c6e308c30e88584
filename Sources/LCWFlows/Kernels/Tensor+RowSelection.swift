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

/// The rows of tensors a thousand at a time, so that what is made of one block is gone before the
/// next comes.
struct RowBlocks: Sequence {
  let tensors: [Tensor]

  func makeIterator() -> AnyIterator<Tensor> {
    var (part, row) = (0, 0)
    return AnyIterator {
      while part < tensors.count, row >= tensors[part].shape.rows { (part, row) = (part + 1, 0) }
      guard part < tensors.count else { return nil }
      let range = row..<Swift.min(row + 1024, tensors[part].shape.rows)
      row = range.upperBound
      return tensors[part].rows(range)
    }
  }
}
