// SPDX-License-Identifier: Apache-2.0
import CKernels
import LCWNumerics
import Testing

/// The loops on vectors of 512 bits, with every number of rows that they know, against sums in double
/// precision.
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
  func everyRectangleIsTheProduct(layout: Layout) {
    for rows in Array(1...17) + [29] {
      for (columns, inner) in [(1, 5), (15, 16), (16, 1), (17, 33), (33, 17), (70, 384)] {
        for beta in [Float(0), 0.5] {
          #expect(
            error(of: layout, rows: rows, columns: columns, inner: inner, beta: beta) < 1e-6,
            "\(rows) × \(columns) × \(inner)")
        }
      }
    }
  }

  /// The largest error of an element as a share of its terms' absolute values, or infinity if a value beside the rectangle changed.
  private func error(
    of layout: Layout, rows: Int, columns: Int, inner: Int, beta: Float
  ) -> Double {
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
    let leading = width + 1
    let untouched: Float = 77
    var c = [Float](repeating: untouched, count: height * leading)
    for row in 0..<height {
      for column in 0..<width { c[row * leading + column] = beta == 0 ? .nan : 2 }
    }
    let count = lcw_vectors_packed_count(columns, inner)
    withAligned(count + Int(LCW_VECTORS_LEFT_COUNT)) { memory in
      let packed = memory + Int(LCW_VECTORS_LEFT_COUNT)
      lcw_vectors_pack(
        packed, b, rightLeading, columns, inner, layout.isRightContiguous ? 1 : 0)
      lcw_vectors_multiply(
        &c, leading, layout.isTransposed ? 1 : 0, a, leftLeading, layout.isLeftContiguous ? 1 : 0,
        packed, rows, columns, inner, 1.5, beta, memory)
    }
    var largest = 0.0
    for i in 0..<rows {
      for j in 0..<columns {
        let terms = (0..<inner).map {
          Double(left.elements[i * inner + $0]) * Double(right.elements[$0 * columns + j])
        }
        let expected = 1.5 * terms.reduce(0, +) + 2 * Double(beta)
        let found = Double(c[layout.isTransposed ? j * leading + i : i * leading + j])
        guard found.isFinite else { return .infinity }
        largest = max(
          largest, abs(found - expected) / (1 + terms.reduce(0) { $0 + abs($1) }))
      }
    }
    for row in 0..<height where c[row * leading + width] != untouched { return .infinity }
    return largest
  }

  private func withAligned(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) {
    let bytes = UnsafeMutableRawPointer.allocate(byteCount: 4 * count, alignment: 64)
    defer { bytes.deallocate() }
    body(bytes.bindMemory(to: Float.self, capacity: count))
  }
}
