// SPDX-License-Identifier: Apache-2.0

/// A tensor of any element type, as a checkpoint file holds it: little-endian bytes, row-major.
///
/// It keeps what a file says to the bit, including NaN payloads; arithmetic happens on ``Tensor``.
public struct StoredTensor: Sendable, Hashable {
  /// The type of the elements.
  public let elementType: ElementType
  /// The dimensions, outermost first.
  public let shape: Shape
  /// The elements, little-endian, row by row.
  public let bytes: [UInt8]

  /// A tensor from its bytes.
  /// - Throws: `NumericsError.byteCount` if their number is not what shape and type need.
  public init(
    elementType: ElementType, shape: Shape, bytes: [UInt8]
  ) throws(NumericsError) {
    let (needed, overflow) = shape.count.multipliedReportingOverflow(by: elementType.width)
    guard !overflow, bytes.count == needed else {
      throw .byteCount(shape: shape, elementType: elementType, found: bytes.count)
    }
    self.elementType = elementType
    self.shape = shape
    self.bytes = bytes
  }

  /// For callers in this module that made the bytes to fit.
  init(trusted bytes: [UInt8], _ elementType: ElementType, _ shape: Shape) {
    assert(bytes.count == shape.count * elementType.width)
    self.elementType = elementType
    self.shape = shape
    self.bytes = bytes
  }

  /// The single-precision tensor, to the bit.
  public init(_ tensor: Tensor) {
    self.elementType = .float32
    self.shape = tensor.shape
    self.bytes = tensor.elements.withUnsafeBytes { source in
      #if _endian(little)
        return [UInt8](source)
      #else
        return tensor.elements.flatMap {
          withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init)
        }
      #endif
    }
  }

  /// The elements in single precision: exact for f32, f16, bf16, f8, i16, u16, i8, u8 and bool,
  /// rounded to nearest for the others. Complex numbers have no single one: theirs are NaN.
  public var floats: Tensor { elementType.traits.floats(self) }

  /// The elements in double precision: exact for all but integers of 64 bits, which are rounded to
  /// nearest. Complex numbers have no single one: theirs are NaN.
  public var doubles: [Double] { elementType.traits.doubles(self) }

  /// The elements of integers and truth values, exactly.
  /// - Precondition: The type is one of these, and not u64, whose numbers may be too large.
  public var integers: [Int64] {
    guard let values = elementType.traits.integers?.values else {
      preconditionFailure("elements of type \(elementType.rawValue) are no integers of 64 bits")
    }
    return values(self)
  }

  /// The number of infinite elements.
  public var infinities: Int { elementType.traits.infinities(self) }

  func words<Word: FixedWidthInteger>(_ type: Word.Type) -> [Word] {
    bytes.withUnsafeBytes { source in
      [Word](unsafeUninitializedCapacity: shape.count) { target, count in
        UnsafeMutableRawBufferPointer(target).copyMemory(from: source)
        count = shape.count
        #if _endian(big)
          for index in 0..<count { target[index] = target[index].byteSwapped }
        #endif
      }
    }
  }
}
