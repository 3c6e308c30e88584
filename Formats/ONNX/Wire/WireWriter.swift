// SPDX-License-Identifier: Apache-2.0

/// The bytes of a message of protocol buffers, field by field.
struct WireWriter {
  private(set) var bytes: [UInt8] = []

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  /// A whole number.
  mutating func integer(_ field: Int, _ value: Int) {
    varint(UInt64(field) << 3)
    varint(UInt64(bitPattern: Int64(value)))
  }

  /// A number in single precision.
  mutating func float(_ field: Int, _ value: Float) {
    varint(UInt64(field) << 3 | 5)
    for index in 0..<4 {
      bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> UInt32(8 * index)))
    }
  }

  /// The head of a field of so many bytes, which follow.
  mutating func head(_ field: Int, count: Int) {
    varint(UInt64(field) << 3 | 2)
    varint(UInt64(count))
  }

  /// Bytes, or a message.
  mutating func data(_ field: Int, _ content: [UInt8]) {
    head(field, count: content.count)
    bytes += content
  }

  /// A text.
  mutating func text(_ field: Int, _ text: String) { data(field, Array(text.utf8)) }

  /// A message that a closure writes.
  mutating func message(_ field: Int, _ write: (inout WireWriter) -> Void) {
    var inner = WireWriter()
    write(&inner)
    data(field, inner.bytes)
  }
}
