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

  /// The bytes of one element.
  public var width: Int {
    switch self {
    case .float64, .int64: 8
    case .float32, .int32: 4
    case .float16, .bfloat16, .int16: 2
    case .int8, .uint8, .bool: 1
    }
  }

  /// Whether the elements are floating-point numbers.
  public var isFloatingPoint: Bool {
    switch self {
    case .float64, .float32, .float16, .bfloat16: true
    case .int64, .int32, .int16, .int8, .uint8, .bool: false
    }
  }
}
