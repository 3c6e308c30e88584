// SPDX-License-Identifier: Apache-2.0
import CKernels

/// All that tells one element type from another: a row of the table below.
struct ElementTraits {
  enum Kind {
    case floatingPoint, integer, truth, complex
  }

  /// Integers of a type, as far as they fit 64 bits with a sign.
  struct Integers {
    var range: ClosedRange<Int128>
    /// Nothing where numbers may be too large.
    var values: ((StoredTensor) -> [Int64])?
  }

  var kind: Kind
  /// The bytes of an element.
  var width: Int
  var isPassedThrough = false
  /// The elements in single precision.
  var floats: (StoredTensor) -> Tensor
  /// The elements in double precision; by way of single precision where that is exact.
  var doubles: (StoredTensor) -> [Double]
  /// For integers and truth values.
  var integers: Integers?
  /// The number of infinite elements.
  var infinities: (StoredTensor) -> Int = { _ in 0 }
}

extension ElementType {
  /// The type's row. To add a type is to add a case, its row, and its name in each format that has it.
  var traits: ElementTraits {
    switch self {
    case .float64:
      .wide(UInt64.self, infinity: 0x7FF << 53) { Double(bitPattern: $0) }
    case .float32: .single
    case .float16:
      .narrow(UInt16.self, infinity: 0x1F << 11) { $0.converted(lcw_half_to_float) }
    case .bfloat16:
      .narrow(UInt16.self, infinity: 0xFF << 8) { $0.converted(lcw_bfloat_to_float) }
    case .int64: .integer(Int64.self)
    case .int32: .integer(Int32.self)
    case .int16: .integer(Int16.self)
    case .int8: .integer(Int8.self)
    case .uint8: .integer(UInt8.self)
    case .bool: .truth
    case .uint16: .integer(UInt16.self, isPassedThrough: true)
    case .uint32: .integer(UInt32.self, isPassedThrough: true)
    case .uint64: .integer(UInt64.self, isPassedThrough: true)
    case .float8E4M3:
      .narrow(UInt8.self, infinity: nil, isPassedThrough: true) { tensor in
        Tensor(trusted: tensor.bytes.map(Float.init(e4m3:)), shape: tensor.shape)
      }
    case .float8E5M2:
      .narrow(UInt8.self, infinity: 0x1F << 3, isPassedThrough: true) { tensor in
        Tensor(trusted: tensor.bytes.map(Float.init(e5m2:)), shape: tensor.shape)
      }
    case .complex64: .complex
    }
  }
}

extension ElementTraits {
  /// Floating-point numbers that single precision does not hold exactly.
  fileprivate static func wide<Word: FixedWidthInteger & UnsignedInteger>(
    _ type: Word.Type, infinity: Word, _ value: @escaping (Word) -> Double
  ) -> ElementTraits {
    ElementTraits(
      kind: .floatingPoint, width: Word.bitWidth / 8,
      floats: { tensor in
        Tensor(trusted: tensor.words(type).map { Float(value($0)) }, shape: tensor.shape)
      },
      doubles: { $0.words(type).map(value) },
      infinities: { $0.words(type).count { $0 << 1 == infinity } })
  }

  /// Floating-point numbers that single precision holds exactly.
  /// - Parameter infinity: The bits of an infinity without its sign, shifted left by one; nothing if
  ///   the type has none.
  fileprivate static func narrow<Word: FixedWidthInteger & UnsignedInteger>(
    _ type: Word.Type, infinity: Word?, isPassedThrough: Bool = false,
    floats: @escaping (StoredTensor) -> Tensor
  ) -> ElementTraits {
    ElementTraits(
      kind: .floatingPoint, width: Word.bitWidth / 8, isPassedThrough: isPassedThrough,
      floats: floats, doubles: { floats($0).elements.map(Double.init) },
      infinities: { tensor in
        guard let infinity else { return 0 }
        return tensor.words(type).count { $0 << 1 == infinity }
      })
  }

  fileprivate static var single: ElementTraits {
    narrow(UInt32.self, infinity: 0xFF << 24) { tensor in
      Tensor(
        trusted: tensor.words(UInt32.self).map(Float.init(bitPattern:)), shape: tensor.shape)
    }
  }

  fileprivate static func integer<Word: FixedWidthInteger>(
    _ type: Word.Type, isPassedThrough: Bool = false
  ) -> ElementTraits {
    let isWithin = Int64(exactly: Word.max) != nil
    return ElementTraits(
      kind: .integer, width: Word.bitWidth / 8, isPassedThrough: isPassedThrough,
      floats: { tensor in
        Tensor(trusted: tensor.words(type).map { Float($0) }, shape: tensor.shape)
      },
      doubles: { $0.words(type).map { Double($0) } },
      integers: Integers(
        range: Int128(Word.min)...Int128(Word.max),
        values: isWithin ? { $0.words(type).map { Int64($0) } } : nil))
  }

  fileprivate static var truth: ElementTraits {
    var traits = integer(UInt8.self)
    traits.kind = .truth
    traits.integers?.range = 0...1
    return traits
  }

  /// Complex numbers have no single one: theirs are NaN.
  fileprivate static var complex: ElementTraits {
    ElementTraits(
      kind: .complex, width: 8, isPassedThrough: true,
      floats: { Tensor(trusted: [Float](repeating: .nan, count: $0.shape.count), shape: $0.shape) },
      doubles: { [Double](repeating: .nan, count: $0.shape.count) },
      infinities: { tensor in
        tensor.words(UInt64.self).count { word in
          [word, word >> 32].contains { UInt32(truncatingIfNeeded: $0) << 1 == 0xFF << 24 }
        }
      })
  }
}

extension StoredTensor {
  /// The elements, which are words of 16 bits, by a kernel.
  fileprivate func converted(
    _ convert: (UnsafeMutablePointer<Float>, UnsafePointer<UInt16>, Int) -> Void
  ) -> Tensor {
    let halves = words(UInt16.self)
    var result = Tensor(unspecified: shape)
    halves.withUnsafeBufferPointer { source in
      result.elements.withUnsafeMutableBufferPointer { target in
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        convert(to, from, source.count)
      }
    }
    return result
  }
}
