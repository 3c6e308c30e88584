// SPDX-License-Identifier: Apache-2.0

/// The type of the numbers a checkpoint's tensor holds. The raw value is its name in archives.
public enum ElementType: String, Sendable, Hashable, CaseIterable {
  /// IEEE double precision.
  case float64 = "f64"
  /// IEEE single precision.
  case float32 = "f32"
  /// IEEE half precision.
  case float16 = "f16"
  /// The upper half of a single-precision number.
  case bfloat16 = "bf16"
  /// Signed integers of 64 bits.
  case int64 = "i64"
  /// Signed integers of 32 bits.
  case int32 = "i32"
  /// Signed integers of 16 bits.
  case int16 = "i16"
  /// Signed integers of 8 bits.
  case int8 = "i8"
  /// Unsigned integers of 8 bits.
  case uint8 = "u8"
  /// Truth values, one byte each, 0 or 1.
  case bool = "bool"
  /// Unsigned integers of 16 bits.
  case uint16 = "u16"
  /// Unsigned integers of 32 bits.
  case uint32 = "u32"
  /// Unsigned integers of 64 bits.
  case uint64 = "u64"
  /// Floating-point numbers of 8 bits: 4 of exponent, 3 of mantissa, no infinities.
  case float8E4M3 = "f8_e4m3"
  /// Floating-point numbers of 8 bits: 5 of exponent, 2 of mantissa.
  case float8E5M2 = "f8_e5m2"
  /// Pairs of IEEE single precision, the real part first.
  case complex64 = "c64"

  /// The bytes of one element.
  public var width: Int { traits.width }

  /// Whether the elements are floating-point numbers of those types that weights are computed
  /// with: f64, f32, f16 and bf16.
  public var isFloatingPoint: Bool { traits.kind == .floatingPoint && !isPassedThrough }

  /// Whether the elements are integers, signed or not. Truth values are none.
  public var isInteger: Bool { traits.kind == .integer }

  /// Whether the elements are pairs of a real and an imaginary part.
  public var isComplex: Bool { traits.kind == .complex }

  /// Whether the elements have a sign bit of their own, so that to change it is to negate: those of
  /// floating-point numbers, and both parts of complex ones.
  public var hasSignBit: Bool { traits.kind == .floatingPoint || isComplex }

  /// The integers that an element can be; nothing for other types.
  public var integerRange: ClosedRange<Int128>? { traits.integers?.range }

  /// Whether tensors of the type are kept, listed, converted between files and compared, while
  /// whatever computes with weights refuses them by the type's name.
  public var isPassedThrough: Bool { traits.isPassedThrough }
}
