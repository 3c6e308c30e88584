// SPDX-License-Identifier: Apache-2.0
import LCWNumerics
import Testing

@Suite struct StoredTensorTests {
  /// Little-endian bytes and the floats they mean.
  static let values: [(ElementType, [UInt8], [Float])] = [
    (
      .float64, [0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 0x9A, 0x99, 0x99, 0x99, 0x99, 0x99, 0xB9, 0xBF],
      [1.5, -0.1]
    ),
    (.float32, [0, 0, 0xC0, 0x3F, 1, 0, 0, 0x80], [1.5, -0x1p-149]),
    (.float16, [0, 0x3E, 1, 0x80], [1.5, -0x1p-24]),
    (.bfloat16, [0xC0, 0x3F, 0x80, 0xFF], [1.5, -.infinity]),
    (
      .int64, [2, 1, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
      [258, 0x1p63]
    ),
    (.int32, [2, 1, 0, 0, 0, 0, 0, 0x80], [258, -0x1p31]),
    (.int16, [2, 1, 0xFE, 0xFF], [258, -2]),
    (.int8, [127, 128], [127, -128]),
    (.uint8, [127, 255], [127, 255]),
    (.bool, [0, 1], [0, 1]),
    (.uint16, [2, 1, 0xFE, 0xFF], [258, 65534]),
    (.uint32, [2, 1, 0, 0, 0, 0, 0, 0x80], [258, 0x1p31]),
    (
      .uint64, [2, 1, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
      [258, 0x1p64]
    ),
    (.float8E4M3, [0x3C, 0x81], [1.5, -0x1p-9]),
    (.float8E5M2, [0x3E, 0xFC], [1.5, -.infinity]),
  ]

  @Test(arguments: values)
  func floats(type: ElementType, bytes: [UInt8], expected: [Float]) throws {
    let stored = try StoredTensor(elementType: type, shape: [2, 1], bytes: bytes)
    #expect(stored.floats.elements == expected)
    #expect(stored.floats.shape == [2, 1])
    #expect(stored.bytes == bytes)
  }

  @Test func everyTypeIsTested() {
    #expect(Set(Self.values.map(\.0)) == Set(ElementType.allCases).subtracting([.complex64]))
  }

  @Test func widthsAndKinds() {
    #expect(
      ElementType.allCases.map { "\($0.rawValue) \($0.width) \($0.isFloatingPoint)" } == [
        "f64 8 true", "f32 4 true", "f16 2 true", "bf16 2 true", "i64 8 false", "i32 4 false",
        "i16 2 false", "i8 1 false", "u8 1 false", "bool 1 false", "u16 2 false", "u32 4 false",
        "u64 8 false", "f8_e4m3 1 false", "f8_e5m2 1 false", "c64 8 false",
      ])
  }

  @Test func singlePrecisionIsKeptToTheBit() {
    let tensor = Tensor([
      Float(bitPattern: 0x7F80_0001), Float(bitPattern: 0xFFC1_2345), -0.0, .infinity, 0x1p-149,
    ])
    let stored = StoredTensor(tensor)
    #expect(stored.elementType == .float32)
    #expect(stored.bytes.prefix(8) == [1, 0, 0x80, 0x7F, 0x45, 0x23, 0xC1, 0xFF])
    #expect(stored.floats.isIdentical(to: tensor))
  }

  @Test func emptyTensorsAndScalars() throws {
    for type in ElementType.allCases {
      let empty = try StoredTensor(elementType: type, shape: [3, 0], bytes: [])
      #expect(empty.floats == Tensor(zeros: [3, 0]))
      let scalar = try StoredTensor(
        elementType: type, shape: [], bytes: [UInt8](repeating: 0, count: type.width))
      // A complex number is no real one.
      #expect(type == .complex64 ? scalar.floats.elements[0].isNaN : scalar.floats.elements == [0])
    }
  }

  @Test(arguments: [7, 9, 0])
  func anotherNumberOfBytesIsRefused(count: Int) {
    let error = #expect(throws: NumericsError.self) {
      try StoredTensor(
        elementType: .float32, shape: [2], bytes: [UInt8](repeating: 0, count: count))
    }
    #expect(error == .byteCount(shape: [2], elementType: .float32, found: count))
    #expect(
      error?.description
        == "a tensor of shape [2] has 2 f32 elements of 4 bytes each, but \(count) bytes were given"
    )
  }

  @Test func aSizeThatOverflowsIsRefused() throws {
    let shape = try Shape(checking: [Int.max])
    #expect(throws: NumericsError.self) {
      try StoredTensor(elementType: .float64, shape: shape, bytes: [])
    }
  }
}
