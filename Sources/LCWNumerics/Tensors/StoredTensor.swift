// SPDX-License-Identifier: Apache-2.0
import CKernels

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
  public var floats: Tensor {
    let count = shape.count
    switch elementType {
    case .float32:
      return Tensor(trusted: words(UInt32.self).map(Float.init(bitPattern:)), shape: shape)
    case .float16:
      return converted { lcw_half_to_float($0, $1, count) }
    case .bfloat16:
      return converted { lcw_bfloat_to_float($0, $1, count) }
    case .float64:
      return Tensor(
        trusted: words(UInt64.self).map { Float(Double(bitPattern: $0)) }, shape: shape)
    case .int64:
      return Tensor(trusted: words(UInt64.self).map { Float(Int64(bitPattern: $0)) }, shape: shape)
    case .int32:
      return Tensor(trusted: words(UInt32.self).map { Float(Int32(bitPattern: $0)) }, shape: shape)
    case .int16:
      return Tensor(trusted: words(UInt16.self).map { Float(Int16(bitPattern: $0)) }, shape: shape)
    case .int8:
      return Tensor(trusted: bytes.map { Float(Int8(bitPattern: $0)) }, shape: shape)
    case .uint8, .bool:
      return Tensor(trusted: bytes.map { Float($0) }, shape: shape)
    case .uint16: return Tensor(trusted: words(UInt16.self).map { Float($0) }, shape: shape)
    case .uint32: return Tensor(trusted: words(UInt32.self).map { Float($0) }, shape: shape)
    case .uint64: return Tensor(trusted: words(UInt64.self).map { Float($0) }, shape: shape)
    case .float8E4M3: return Tensor(trusted: bytes.map(Float.init(e4m3:)), shape: shape)
    case .float8E5M2: return Tensor(trusted: bytes.map(Float.init(e5m2:)), shape: shape)
    case .complex64:
      return Tensor(trusted: [Float](repeating: .nan, count: count), shape: shape)
    }
  }

  /// The elements in double precision: exact for all but integers of 64 bits, which are rounded to
  /// nearest. Complex numbers have no single one: theirs are NaN.
  public var doubles: [Double] {
    switch elementType {
    case .float64: words(UInt64.self).map(Double.init(bitPattern:))
    case .int64: words(UInt64.self).map { Double(Int64(bitPattern: $0)) }
    case .int32: words(UInt32.self).map { Double(Int32(bitPattern: $0)) }
    case .uint32: words(UInt32.self).map { Double($0) }
    case .uint64: words(UInt64.self).map { Double($0) }
    case .float32, .float16, .bfloat16, .int16, .int8, .uint8, .bool, .uint16, .float8E4M3,
      .float8E5M2, .complex64:
      floats.elements.map(Double.init)
    }
  }

  /// The elements of integers and truth values, exactly.
  /// - Precondition: The type is one of these, and not u64, whose numbers may be too large.
  public var integers: [Int64] {
    switch elementType {
    case .int64: return words(UInt64.self).map(Int64.init(bitPattern:))
    case .int32: return words(UInt32.self).map { Int64(Int32(bitPattern: $0)) }
    case .int16: return words(UInt16.self).map { Int64(Int16(bitPattern: $0)) }
    case .int8: return bytes.map { Int64(Int8(bitPattern: $0)) }
    case .uint8, .bool: return bytes.map(Int64.init)
    case .uint16: return words(UInt16.self).map { Int64($0) }
    case .uint32: return words(UInt32.self).map { Int64($0) }
    case .uint64, .float64, .float32, .float16, .bfloat16, .float8E4M3, .float8E5M2, .complex64:
      preconditionFailure("elements of type \(elementType.rawValue) are no integers of 64 bits")
    }
  }

  /// The number of infinite elements.
  public var infinities: Int {
    switch elementType {
    case .float64: words(UInt64.self).count { $0 << 1 == 0x7FF << 53 }
    case .float32: words(UInt32.self).count { $0 << 1 == 0xFF << 24 }
    case .float16: words(UInt16.self).count { $0 << 1 == 0x1F << 11 }
    case .bfloat16: words(UInt16.self).count { $0 << 1 == 0xFF << 8 }
    case .float8E5M2: bytes.count { $0 << 1 == 0x1F << 3 }
    case .complex64:
      words(UInt64.self).count { word in
        [word, word >> 32].contains { UInt32(truncatingIfNeeded: $0) << 1 == 0xFF << 24 }
      }
    case .int64, .int32, .int16, .int8, .uint8, .bool, .uint16, .uint32, .uint64, .float8E4M3: 0
    }
  }

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

  private func converted(
    _ convert: (UnsafeMutablePointer<Float>, UnsafePointer<UInt16>) -> Void
  ) -> Tensor {
    let halves = words(UInt16.self)
    var result = Tensor(unspecified: shape)
    halves.withUnsafeBufferPointer { source in
      result.elements.withUnsafeMutableBufferPointer { target in
        guard let source = source.baseAddress, let target = target.baseAddress else { return }
        convert(target, source)
      }
    }
    return result
  }
}
