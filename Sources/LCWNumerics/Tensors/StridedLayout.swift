// SPDX-License-Identifier: Apache-2.0

/// Where the elements of a tensor are in a row of elements: at an offset, with a step for each
/// dimension. Steps may be zero, and elements may overlap.
public struct StridedLayout: Sendable, Hashable {
  /// The dimensions, outermost first.
  public let shape: Shape
  /// For each dimension, how far apart neighbours are, in elements.
  public let strides: [Int]
  /// Where the first element is.
  public let offset: Int
  /// The positions from the first element to the last; empty for a tensor without elements.
  public let extent: Range<Int>

  /// A layout, or nothing if there is not one step for each dimension, one is negative, or a
  /// position does not fit an integer.
  public init?(shape: Shape, strides: [Int], offset: Int = 0) {
    guard strides.count == shape.rank, offset >= 0, strides.allSatisfy({ $0 >= 0 }) else {
      return nil
    }
    var last = offset
    if shape.count > 0 {
      for (size, stride) in zip(shape.dimensions, strides) {
        let (reach, isTooFar) = (size - 1).multipliedReportingOverflow(by: stride)
        let (sum, overflow) = last.addingReportingOverflow(reach)
        guard !isTooFar, !overflow else { return nil }
        last = sum
      }
      // The position behind the last one has to fit too, also of a scalar.
      guard last < Int.max else { return nil }
    }
    self.shape = shape
    self.strides = strides
    self.offset = offset
    extent = shape.count > 0 ? offset..<last + 1 : offset..<offset
  }

  /// The layout of Fortran: the first dimension's neighbours are next to each other.
  public init(columnMajor shape: Shape) {
    var strides: [Int] = []
    var step = 1
    for size in shape.dimensions {
      strides.append(shape.count == 0 ? 0 : step)
      step = shape.count == 0 ? 0 : step * size
    }
    self.shape = shape
    self.strides = strides
    offset = 0
    extent = 0..<shape.count
  }

  /// Whether the elements stand row by row, without gaps.
  public var isRowMajor: Bool {
    var step = 1
    for (size, stride) in zip(shape.dimensions, strides).reversed() {
      guard size == 1 || stride == step else { return shape.count == 0 }
      step *= size
    }
    return true
  }

  /// The elements row by row.
  /// - Parameters:
  ///   - bytes: The row of elements; it must reach beyond ``extent``.
  ///   - width: The bytes of an element: 1, 2, 4 or 8.
  public func gathered(from bytes: [UInt8], width: Int) -> [UInt8] {
    guard shape.count > 0 else { return [] }
    precondition(
      bytes.count / width >= extent.upperBound, "the row of elements ends before the layout")
    if isRowMajor {
      let range = extent.lowerBound * width..<extent.upperBound * width
      return range == bytes.indices ? bytes : Array(bytes[range])
    }
    return switch width {
    case 1: gathered(from: bytes, as: UInt8.self)
    case 2: gathered(from: bytes, as: UInt16.self)
    case 4: gathered(from: bytes, as: UInt32.self)
    case 8: gathered(from: bytes, as: UInt64.self)
    default: preconditionFailure("no element has \(width) bytes")
    }
  }

  private func gathered<Word: FixedWidthInteger & BitwiseCopyable>(
    from bytes: [UInt8], as type: Word.Type
  ) -> [UInt8] {
    let width = MemoryLayout<Word>.size
    let inner = shape.dimensions.last ?? 1
    // A step that is never taken may be of any size.
    let step = inner > 1 ? (strides.last ?? 0) * width : 0
    // An odometer over all dimensions but the last; one of a scalar has no wheels.
    var index = [Int](repeating: 0, count: max(0, shape.rank - 1))
    var start = offset * width
    return [UInt8](unsafeUninitializedCapacity: shape.count * width) { target, count in
      bytes.withUnsafeBytes { source in
        let target = UnsafeMutableRawBufferPointer(target)
        for _ in 0..<shape.count / inner {
          for element in 0..<inner {
            target.storeBytes(
              of: source.loadUnaligned(fromByteOffset: start + element * step, as: Word.self),
              toByteOffset: count, as: Word.self)
            count += width
          }
          for axis in index.indices.reversed() {
            if index[axis] + 1 < shape[axis] {
              index[axis] += 1
              start += strides[axis] * width
              break
            }
            start -= index[axis] * strides[axis] * width
            index[axis] = 0
          }
        }
      }
    }
  }
}
