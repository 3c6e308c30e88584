// SPDX-License-Identifier: Apache-2.0
import CKernels
import LCWNumerics
import Testing

/// The loops on vectors of 512 bits, with every number of rows that they know, against one fused product and
/// sum after the other.
@Suite(.enabled(if: lcw_vectors_available() != 0, "this processor has no vectors of 512 bits"))
struct VectorProductTests {
  struct Layout: Sendable, CustomTestStringConvertible {
    var isLeftContiguous: Bool
    var isRightContiguous: Bool
    var isTransposed: Bool

    var testDescription: String {
      "left \(isLeftContiguous), right \(isRightContiguous), transposed \(isTransposed)"
    }
  }

  static let layouts = [false, true].flatMap { left in
    [false, true].flatMap { right in
      [false, true].map {
        Layout(isLeftContiguous: left, isRightContiguous: right, isTransposed: $0)
      }
    }
  }

  @Test(arguments: layouts)
  func everyElementIsOneChainOfFusedSums(layout: Layout) {
    for rows in Array(1...17) + [29] {
      for (columns, inner) in [
        (1, 5), (15, 16), (16, 1), (17, 33), (31, 7), (32, 40), (33, 17), (48, 3), (49, 18),
        (64, 20), (70, 384),
      ] {
        for beta in [Float(0), 0.5] {
          #expect(
            differences(of: layout, rows: rows, columns: columns, inner: inner, beta: beta) == 0,
            "\(rows) × \(columns) × \(inner)")
        }
      }
    }
  }

  /// The number of elements that are not what sums in order give, and of values around the rectangle that
  /// changed.
  private func differences(
    of layout: Layout, rows: Int, columns: Int, inner: Int, beta: Float
  ) -> Int {
    // Rows end in values that would be noticed if they were read.
    let leftLeading = (layout.isLeftContiguous ? inner : rows) + 3
    let rightLeading = (layout.isRightContiguous ? inner : columns) + 2
    var a = [Float](
      repeating: .nan, count: (layout.isLeftContiguous ? rows : inner) * leftLeading)
    var b = [Float](
      repeating: .nan, count: (layout.isRightContiguous ? columns : inner) * rightLeading)
    let (left, right) = (normal([rows, inner]), normal([inner, columns], seed: 2))
    for k in 0..<inner {
      for i in 0..<rows {
        a[layout.isLeftContiguous ? i * leftLeading + k : k * leftLeading + i] =
          left.elements[i * inner + k]
      }
      for j in 0..<columns {
        b[layout.isRightContiguous ? j * rightLeading + k : k * rightLeading + j] =
          right.elements[k * columns + j]
      }
    }
    let (height, width) = layout.isTransposed ? (columns, rows) : (rows, columns)
    // A margin of a row above and below, and of a value to the left and to the right.
    let leading = width + 2
    let start = leading + 1
    let untouched: Float = 77
    var c = [Float](repeating: untouched, count: (height + 2) * leading)
    for row in 0..<height {
      for column in 0..<width { c[start + row * leading + column] = beta == 0 ? .nan : 2 }
    }
    let count = lcw_vectors_packed_count(columns, inner)
    withAligned(count + Int(LCW_VECTORS_LEFT_COUNT)) { memory in
      let packed = memory + Int(LCW_VECTORS_LEFT_COUNT)
      lcw_vectors_pack(
        packed, b, rightLeading, columns, inner, layout.isRightContiguous ? 1 : 0)
      c.withUnsafeMutableBufferPointer { c in
        guard let c = c.baseAddress else { return }
        lcw_vectors_multiply(
          c + start, leading, layout.isTransposed ? 1 : 0, a, leftLeading,
          layout.isLeftContiguous ? 1 : 0, packed, rows, columns, inner, 1.5, beta, memory)
      }
    }
    var expected = [Float](repeating: untouched, count: c.count)
    for i in 0..<rows {
      for j in 0..<columns {
        let sum = (0..<inner).reduce(Float(0)) {
          $0.addingProduct(left.elements[i * inner + $1], right.elements[$1 * columns + j])
        }
        expected[start + (layout.isTransposed ? j * leading + i : i * leading + j)] =
          beta == 0 ? 1.5 * sum : (1.5 * sum).addingProduct(beta, 2)
      }
    }
    return zip(c, expected).count { $0 != $1 }
  }

  private func withAligned(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) {
    let bytes = UnsafeMutableRawPointer.allocate(byteCount: 4 * count, alignment: 64)
    defer { bytes.deallocate() }
    body(bytes.bindMemory(to: Float.self, capacity: count))
  }
}
