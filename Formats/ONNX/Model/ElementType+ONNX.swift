// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

extension ElementType {
  private static let numbers: [(type: ElementType, number: Int)] = [
    (.float32, 1), (.uint8, 2), (.int8, 3), (.uint16, 4), (.int16, 5), (.int32, 6), (.int64, 7),
    (.bool, 9), (.float16, 10), (.float64, 11), (.uint32, 12), (.uint64, 13), (.complex64, 14),
    (.bfloat16, 16), (.float8E4M3, 17), (.float8E5M2, 19),
  ]

  /// The type that a number of ONNX's stands for; nothing for those that are not read.
  init?(onnxNumber number: Int) {
    guard let known = Self.numbers.first(where: { $0.number == number }) else { return nil }
    self = known.type
  }

  /// The number in files of ONNX.
  var onnxNumber: Int { Self.numbers.first { $0.type == self }?.number ?? 0 }

  /// What ONNX calls a type, for messages.
  static func onnxName(of number: Int) -> String {
    switch number {
    case 0: "UNDEFINED"
    case 8: "STRING"
    case 15: "COMPLEX128"
    case 18: "FLOAT8E4M3FNUZ"
    case 20: "FLOAT8E5M2FNUZ"
    case 21: "UINT4"
    case 22: "INT4"
    case 23: "FLOAT4E2M1"
    default: ElementType(onnxNumber: number)?.rawValue ?? "\(number)"
    }
  }

  /// Whether a field for elements of a type may hold those of this one.
  func isHeld(in field: ONNXTensor.TypedField) -> Bool {
    switch field {
    case .float: self == .float32
    case .double: self == .float64
    case .int64: self == .int64
    case .uint64: self == .uint64 || self == .uint32
    // What is narrower than 32 bits has no field of its own.
    case .int32: self == .int32 || width < 4
    }
  }
}
